"""Mutations of snapshots, and of the documents and files of the draft that they are made from."""

from typing import Any

import graphene

from archive.bids import services
from archive.bids.documents import RESEARCHER, Contributor
from archive.datasets.models import Version
from archive.datasets.services import delete_private_version
from archive.errors import InvalidError
from dandiapi.graphql.context import Context
from dandiapi.graphql.fields import root_field
from dandiapi.graphql.ids import dataset_of, version_of
from dandiapi.graphql.inputs import ContributorInput, DeleteFile
from dandiapi.graphql.types.datasets import UpdateContributorsPayload
from dandiapi.graphql.types.versions import Description, Snapshot
from dandiapi.streams import answer_slot

ID = graphene.ID(required=True)
TEXT = graphene.String(required=True)
TEXTS = graphene.List(graphene.NonNull(graphene.String))


@root_field(Snapshot, dataset_id=ID, tag=TEXT, changes=TEXTS)
def create_snapshot(context: Context, dataset_id: str, tag: str, changes: list[str] | None = None) -> Version:
    """Make a version of the draft as it is now."""
    dataset = dataset_of(context, dataset_id)
    try:
        # It waits for a worker, as a long answer does for its client.
        with answer_slot():
            made = services.create_snapshot(actor=context.actor, dataset=dataset, tag=tag, changes=changes or [])
    except InvalidError as error:
        if error.field == "label":
            raise InvalidError(error.message, field="tag") from None
        raise
    return version_of(context, dataset_id, made.tag)


@root_field(graphene.NonNull(graphene.Boolean), dataset_id=ID, tag=TEXT)
def delete_snapshot(context: Context, dataset_id: str, tag: str) -> bool:
    """Withdraw a version."""
    delete_private_version(actor=context.actor, version=version_of(context, dataset_id, tag))
    return True


@root_field(Snapshot, dataset_id=ID, tag=TEXT, reason=TEXT)
def deprecate_snapshot(context: Context, dataset_id: str, tag: str, reason: str) -> Version:
    """Mark a version as one that is not to be used any more."""
    version = version_of(context, dataset_id, tag)
    services.deprecate_version(actor=context.actor, version=version, reason=reason)
    return version


@root_field(Snapshot, dataset_id=ID, tag=TEXT)
def undo_deprecate_snapshot(context: Context, dataset_id: str, tag: str) -> Version:
    """Mark a version as one that may be used again."""
    version = version_of(context, dataset_id, tag)
    services.undo_deprecation(actor=context.actor, version=version)
    return version


@root_field(Description, dataset_id=ID, field=TEXT, value=TEXT)
def update_description(context: Context, dataset_id: str, field: str, value: str) -> Description:
    """Change a field of the description of the draft."""
    return _described(context, dataset_id, field, value)


@root_field(Description, dataset_id=ID, field=TEXT, value=TEXTS)
def update_description_list(
    context: Context, dataset_id: str, field: str, value: list[str] | None = None
) -> Description:
    """Change a field of the description of the draft that is a list."""
    return _described(context, dataset_id, field, value or [])


def _described(context: Context, dataset_id: str, field: str, value: str | list[str]) -> Description:
    dataset = dataset_of(context, dataset_id)
    services.update_description(actor=context.actor, dataset=dataset, field=field, value=value)
    draft = version_of(context, dataset_id, Version.DRAFT)
    return Description.of(draft, context)


@root_field(graphene.Boolean, dataset_id=ID, value=TEXT)
def update_readme(context: Context, dataset_id: str, value: str) -> bool:
    """Change the README of the draft."""
    services.update_readme(actor=context.actor, dataset=dataset_of(context, dataset_id), text=value)
    return True


@root_field(graphene.Boolean, dataset_id=ID, files=graphene.List(graphene.NonNull(DeleteFile)))
def delete_files(context: Context, dataset_id: str, files: list[Any] | None = None) -> bool:
    """Delete files and folders of the draft."""
    dataset = dataset_of(context, dataset_id)
    names = ["/".join(part for part in (each.path, each.filename) if part) for each in files or []]
    services.delete_files(actor=context.actor, dataset=dataset, names=names)
    return True


@root_field(
    graphene.NonNull(UpdateContributorsPayload),
    dataset_id=TEXT,
    new_contributors=graphene.List(graphene.NonNull(ContributorInput), required=True),
)
def update_contributors(context: Context, dataset_id: str, new_contributors: list[Any]) -> UpdateContributorsPayload:
    """Change the contributors that `datacite.yml` names."""
    dataset = dataset_of(context, dataset_id)
    people = [_contributor(each, place) for place, each in enumerate(new_contributors, 1)]
    services.update_contributors(actor=context.actor, dataset=dataset, contributors=people)
    return UpdateContributorsPayload(dataset=dataset, success=True)


def _contributor(given: Any, place: int) -> Contributor:
    parts = [given.get("family_name"), given.get("given_name")]
    return Contributor(
        name=given.get("name") or ", ".join(part for part in parts if part),
        order=place if given.get("order") is None else given["order"],
        contributor_type=given.get("contributor_type") or RESEARCHER,
        given_name=given.get("given_name"),
        family_name=given.get("family_name"),
        orcid=(given.get("orcid") or "").strip().rstrip("/").rpartition("/")[2] or None,
    )
