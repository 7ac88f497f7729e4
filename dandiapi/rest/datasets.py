"""Datasets, their owners and stars (docs/dialects/dandi.md#new-datasets, docs/dialects/dandi.md#lists-of-datasets)."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request

from archive.accounts.models import Grant
from archive.accounts.policy import Action, require
from archive.accounts.queries import Member, owners_seen_by
from archive.blobs.queries import active_uploads
from archive.datasets import queries, services
from archive.datasets.models import Dataset
from archive.datasets.queries import DatasetFilter
from archive.errors import UnauthenticatedError
from archive.search.queries import search_datasets
from dandiapi.auth import ApprovedOrReadOnly
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.answers import Answer, Empty
from dandiapi.rest.base import View, general_errors, listed_errors
from dandiapi.rest.operations import documented
from dandiapi.rest.pages import Page
from dandiapi.rest.render import METADATA, ROWS

READ = {401: outputs.Detail, 403: outputs.Detail, 404: outputs.Detail}
WRITE = {**READ, 400: outputs.ERRORS, 403: outputs.REFUSAL}


class DatasetListView(View):
    """A list of datasets."""

    permission_classes = [ApprovedOrReadOnly]

    def wanted(self, query: dict[str, Any]) -> DatasetFilter:
        """Return the filter of datasets that a query asks for."""
        if not self.actor.is_authenticated and query["embargoed"]:
            raise UnauthenticatedError(
                "Authentication credentials must be provided when attempting to access embargoed dandisets"
            )
        if not self.actor.is_authenticated and query["starred"]:
            raise UnauthenticatedError("Must be authenticated to filter by starred dandisets.")
        return DatasetFilter(
            with_unpublished=query["draft"],
            with_empty=query["empty"],
            embargoed=query["embargoed"],
            mine=query["user"] == "me",
            starred=query["starred"],
            ordering=query["ordering"],
        )

    def rows(self, datasets: Sequence[Dataset]) -> list[outputs.DatasetRow]:
        """Return what the list shows of the datasets."""
        latest = queries.latest_versions(self.actor, datasets)
        return [shapes.dataset_row(dataset, latest[dataset.number]) for dataset in datasets if dataset.number in latest]


class DatasetsView(DatasetListView):
    """The datasets that may be seen."""

    body_limit = METADATA

    @documented(
        {400: outputs.ERRORS, 401: outputs.REFUSAL, 404: outputs.Detail},
        operation_id="dandisets_list",
        parameters=[inputs.DatasetsQuery, *outputs.PAGE_PARAMETERS],
    )
    def get(self, request: Request) -> Answer[outputs.PageOf[outputs.DatasetRow]]:
        """Return a page of the datasets that the caller may see, each with its draft and newest published version."""
        query = self.query(inputs.DatasetsQuery).validated_data
        found = search_datasets(self.actor, self.wanted(query), query["search"])

        def fetch(offset: int, limit: int) -> tuple[int, list[outputs.DatasetRow]]:
            page = queries.page_of(found, offset, limit)
            return page.count, self.rows(page.datasets)

        return Page.of(request).counted_answer(fetch)

    @documented(
        {400: outputs.ERRORS, 401: outputs.Detail, 403: outputs.REFUSAL},
        parameters=[inputs.CreateQuery],
        request=inputs.NewDataset,
    )
    def post(self, request: Request) -> Answer[outputs.Dataset]:
        """Create a dataset that the caller owns, and return it."""
        query = self.query(inputs.CreateQuery)
        embargo = query.embargo_wanted()
        data = self.body(inputs.NewDataset).validated_data
        if embargo:
            with general_errors():
                services.check_embargo(embargo)
        dataset = services.create_dataset(
            actor=self.actor,
            name=data["name"],
            metadata=data["metadata"],
            embargo=embargo,
            is_private=query.validated_data["private"],
        )
        return Answer(_detail(self, dataset))


def _detail(view: View, dataset: Dataset) -> outputs.Dataset:
    latest = queries.latest_of(view.actor, dataset)
    return shapes.dataset_detail(dataset, latest, active_uploads=active_uploads(dataset))


class DatasetView(View):
    """One dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @documented(READ)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.Dataset]:
        """Return the dataset with its draft and its newest published version."""
        return Answer(_detail(self, self.dataset))

    @documented({204: None, **WRITE})
    def delete(self, request: Request, **kwargs: str) -> Empty:
        """Delete a dataset that was never published."""
        services.delete_dataset(actor=self.actor, dataset=self.dataset)
        return Empty(204)


class OwnersView(View):
    """The owners of a dataset."""

    permission_classes = [ApprovedOrReadOnly]
    body_limit = ROWS

    @documented(READ, operation_id="dandisets_users_list")
    def get(self, request: Request, **kwargs: str) -> Answer[list[outputs.Owner]]:
        """Return the dataset's owners, by the date they joined the archive; none to a blinded reviewer.

        Owners see whom they have invited as well.
        """
        return Answer([shapes.member(each) for each in owners_seen_by(self.actor, self.dataset)])

    @documented(WRITE, request=inputs.OwnerName(many=True))
    def put(self, request: Request, **kwargs: str) -> Answer[list[outputs.Owner]]:
        """Make exactly these people the dataset's owners, and return them."""
        require(self.actor, Action.CHANGE_OWNERS, self.dataset)
        usernames = self.usernames(inputs.OwnerName, at_most=services.MAX_PEOPLE[Grant.Role.OWNER])
        with listed_errors():
            owners = services.set_owners(actor=self.actor, dataset=self.dataset, usernames=usernames)
        # Who has just left a dataset under embargo may not ask about it any more, but knows whom they have left it to.
        named = [Member.of(owner, self.actor) for owner in owners]
        return Answer([shapes.member(each) for each in owners_seen_by(self.actor, self.dataset) or named])


class StarView(View):
    """The user's star on a dataset."""

    permission_classes = [ApprovedOrReadOnly]

    @documented(READ, request=None)
    def post(self, request: Request, **kwargs: str) -> Answer[outputs.StarCount]:
        """Star the dataset, and return how many stars it has."""
        return Answer({"count": services.set_star(actor=self.actor, dataset=self.dataset, starred=True)})

    @documented(READ)
    def delete(self, request: Request, **kwargs: str) -> Answer[outputs.StarCount]:
        """Take the caller's star from the dataset, and return how many stars it has."""
        return Answer({"count": services.set_star(actor=self.actor, dataset=self.dataset, starred=False)})
