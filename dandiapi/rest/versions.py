"""Versions: lists, metadata, publishing (docs/dialects/dandi.md#versions, docs/dialects/dandi.md#publishing)."""

from rest_framework.request import Request

from archive.accounts.policy import Action, require
from archive.blobs.queries import active_uploads
from archive.datasets import queries, services
from archive.datasets.models import Version
from archive.datasets.queries import VersionOrder
from archive.publishing.queries import find_version_details
from archive.publishing.services import publish, set_version_access
from archive.timeline.models import Job
from dandiapi.auth import ApprovedOrReadOnly
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.answers import Answer, Empty
from dandiapi.rest.base import View
from dandiapi.rest.conditions import answer, expected_editions, require_edition
from dandiapi.rest.operations import documented
from dandiapi.rest.pages import Page
from dandiapi.rest.render import METADATA

READ = {401: outputs.Detail, 403: outputs.Detail, 404: outputs.Detail}
TAGGED = {304: None, **READ}
WRITE = {400: outputs.ERRORS, 405: str, 412: str, **READ}
VERSION_ORDERS = {"created": VersionOrder.OLDEST_FIRST, "-created": VersionOrder.NEWEST_FIRST}


class VersionsView(View):
    """The versions of a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @documented(
        {400: outputs.ERRORS, **READ},
        operation_id="dandisets_versions_list",
        parameters=[inputs.VersionsQuery, *outputs.PAGE_PARAMETERS],
    )
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.PageOf[outputs.VersionItem]]:
        """Return a page of the dataset's versions, the oldest first unless asked otherwise."""
        order = self.query(inputs.VersionsQuery).validated_data["order"]
        uploads = active_uploads(self.dataset)

        def items(offset: int, limit: int) -> list[outputs.VersionItem]:
            found = queries.page_of_versions(
                self.actor, self.dataset, offset=offset, limit=limit, order=VERSION_ORDERS[order]
            )
            return [shapes.version_item(row, is_starred=row.is_starred, active_uploads=uploads) for row in found]

        return Page.of(request).answer(count=queries.count_versions(self.actor, self.dataset), fetch=items)

    @documented({202: None, **WRITE, 403: outputs.REFUSAL, 409: str, 423: str}, request=inputs.NewVersion)
    def post(self, request: Request, **kwargs: str) -> Empty:
        """Make a version of the draft as it is now, by the rules and with the label that are asked for.

        Accepted: the job at `Location` says when it is done (docs/dialects/dandi.md#additions).
        """
        require(self.actor, Action.PUBLISH, self.dataset)
        wanted = self.body(inputs.NewVersion).validated_data
        rules = Version.Rules(wanted.pop("rules"))
        return _accepted(publish(actor=self.actor, dataset=self.dataset, rules=rules, **wanted))


class VersionView(View):
    """One version."""

    permission_classes = [ApprovedOrReadOnly]
    body_limit = METADATA

    @documented(TAGGED)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.Document] | Empty:
        """Return the version's metadata document."""
        return answer(request, self.version.metadata, edition=queries.edition_of(self.version))

    @documented(WRITE, request=inputs.NamedMetadata)
    def put(self, request: Request, **kwargs: str) -> Answer[outputs.VersionInfo] | Empty:
        """Give the draft another name and metadata, and return it; with `If-Match`, only if it is as it was read."""
        require(self.actor, Action.CHANGE_DRAFT, self.dataset)
        services.require_draft(self.version)
        data = self.body(inputs.NamedMetadata).validated_data
        services.update_draft(
            actor=self.actor,
            dataset=self.dataset,
            name=data["name"],
            metadata=data["metadata"],
            editions=expected_editions(request),
        )
        return _info(self)

    @documented({204: None, 412: str, **READ, 403: outputs.REFUSAL})
    def delete(self, request: Request, **kwargs: str) -> Empty:
        """Withdraw a published version."""
        require_edition(request, queries.edition_of(self.version))
        services.delete_version(actor=self.actor, version=self.version)
        return Empty(204)


class VersionInfoView(View):
    """A version with its state and problems."""

    permission_classes = [ApprovedOrReadOnly]

    @documented(TAGGED)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.VersionInfo] | Empty:
        """Return the version's state, sums, metadata, and what is wrong with it."""
        return _info(self)


def _info(view: View) -> Answer[outputs.VersionInfo] | Empty:
    details = find_version_details(view.actor, view.number, view.kwargs["version"], hidden=False)
    return answer(view.request, shapes.version_info(details), edition=queries.edition_of(details.version))


class PublishView(View):
    """The publication of a draft."""

    permission_classes = [ApprovedOrReadOnly]

    @documented({202: None, **WRITE, 403: outputs.REFUSAL, 409: str, 423: str}, request=inputs.Publish)
    def post(self, request: Request, **kwargs: str) -> Empty:
        """Publish the draft as it is now. Accepted: the job at `Location`, and the draft, say when it is done."""
        require(self.actor, Action.PUBLISH, self.dataset)
        services.require_draft(self.version, message="Only draft versions can be published")
        notes = self.body(inputs.Publish).validated_data["release_notes"]
        return _accepted(publish(actor=self.actor, dataset=self.dataset, release_notes=notes))


def _accepted(job: Job) -> Empty:
    return Empty(202, headers={"Location": f"/api/jobs/{job.pk}/"})


class AccessView(View):
    """The access to a version."""

    permission_classes = [ApprovedOrReadOnly]

    @documented({**WRITE, 403: outputs.REFUSAL}, request=inputs.NewVersionAccess)
    def put(self, request: Request, **kwargs: str) -> Answer[outputs.VersionAccess]:
        """Close the version to all but those inside its dataset, or open it again, and return which it is."""
        require(self.actor, Action.CHANGE_VERSION_ACCESS, self.dataset)
        is_closed = self.body(inputs.NewVersionAccess).validated_data["closed"]
        version = set_version_access(actor=self.actor, version=self.version, is_closed=is_closed)
        return Answer(shapes.version_access(version))
