"""Mutations of datasets as a whole: making, opening and deleting them, and who may do what in them."""

from typing import Any
from uuid import UUID

import graphene
from django.db import transaction
from graphql import GraphQLError

from archive.accounts.models import Grant
from archive.accounts.policy import Action, require
from archive.accounts.queries import is_address, is_orcid
from archive.bids.documents import UNNAMED
from archive.bids.services import add_statement
from archive.datasets.models import Dataset as Row
from archive.datasets.services import create_dataset as create
from archive.datasets.services import delete_dataset as delete
from archive.datasets.services import give_role, set_star, take_role
from archive.embargo.services import release
from archive.errors import InvalidError
from dandiapi.graphql.context import Context
from dandiapi.graphql.fields import root_field
from dandiapi.graphql.ids import dataset_id as id_of
from dandiapi.graphql.ids import dataset_of, user_id
from dandiapi.graphql.inputs import MetadataInput
from dandiapi.graphql.types.datasets import (
    LEVELS,
    MOMENTS,
    Dataset,
    DatasetPermissions,
    Metadata,
    Star,
    StarDatasetResponse,
)

ID = graphene.ID(required=True)
TEXT = graphene.String(required=True)
ROLES = {level: role for role, level in LEVELS.items()}
NO_LOGIN = "You must be logged in to create a dataset."
NOT_AFFIRMED = "New dataset must be defaced or have participant consent."
LICENSE = "spdx:CC0-1.0"


@root_field(Dataset, affirmed_consent=graphene.Boolean(), affirmed_defaced=graphene.Boolean())
def create_dataset(context: Context, *, affirmed_consent: bool = False, affirmed_defaced: bool = False) -> Row:
    """Make a private dataset."""
    if not context.actor.is_authenticated:
        raise GraphQLError(NO_LOGIN)
    if not (affirmed_consent or affirmed_defaced):
        raise GraphQLError(NOT_AFFIRMED)
    affirmed = {"affirmed_consent": affirmed_consent, "affirmed_defaced": affirmed_defaced}
    with transaction.atomic():
        made = create(actor=context.actor, name=UNNAMED, metadata={"license": [LICENSE]}, is_private=True)
        add_statement(actor=context.actor, dataset=made, values=affirmed)
    return made


@root_field(Metadata, dataset_id=ID, metadata=MetadataInput(required=True))
def add_metadata(context: Context, dataset_id: str, metadata: Any) -> Metadata:
    """Keep what the owners of a dataset say of it, beside its files."""
    dataset = dataset_of(context, dataset_id)
    stated = {name: value for name, value in metadata.items() if name != "dataset_id" and value is not None}
    values = {name: value.isoformat() if name in MOMENTS else value for name, value in stated.items()}
    add_statement(actor=context.actor, dataset=dataset, values=values)
    context.load.statements.forget()
    return Metadata.of(dataset, context)


@root_field(graphene.Boolean, id=ID, reason=graphene.String(), redirect=graphene.String())
def delete_dataset(
    context: Context,
    *,
    id: str,  # noqa: A002 - the name it has in the schema
    reason: str = "",
    redirect: str = "",
) -> bool:
    """Delete a dataset."""
    delete(actor=context.actor, dataset=dataset_of(context, id), reason=reason, successor=redirect)
    return True


@root_field(graphene.Boolean, dataset_id=ID)
def publish_dataset(context: Context, dataset_id: str) -> bool:
    """Open a dataset, with its versions, to everybody."""
    _open(context, dataset_of(context, dataset_id))
    return True


@root_field(graphene.NonNull(graphene.Boolean), dataset_id=ID, public_flag=graphene.Boolean(required=True))
def update_public(context: Context, dataset_id: str, *, public_flag: bool) -> bool:
    """Open a dataset to everybody."""
    dataset = dataset_of(context, dataset_id)
    if not public_flag and dataset.is_released:
        raise InvalidError("What everybody could read cannot be made private again.", field="publicFlag")
    if public_flag:
        _open(context, dataset)
    return True


def _open(context: Context, dataset: Row) -> None:
    require(context.actor, Action.RELEASE, dataset)
    if not dataset.is_released:
        release(actor=context.actor, dataset=dataset)


# --- Who may do what --------------------------------------------------------------------------------------------------


@root_field(DatasetPermissions, dataset_id=ID, user_email=TEXT, level=TEXT)
def update_permissions(context: Context, dataset_id: str, user_email: str, level: str) -> DatasetPermissions:
    """Give a role in a dataset to who has an address."""
    if not is_address(user_email.strip()):
        raise InvalidError("It is no e-mail address.", field="userEmail")
    return _give(context, dataset_id, user_email.strip(), level)


@root_field(DatasetPermissions, dataset_id=ID, user_orcid=TEXT, level=TEXT)
def update_orcid_permissions(context: Context, dataset_id: str, user_orcid: str, level: str) -> DatasetPermissions:
    """Give a role in a dataset to who has an ORCID iD."""
    orcid = user_orcid.strip().rstrip("/").rpartition("/")[2]
    if not is_orcid(orcid):
        raise InvalidError("It is no ORCID iD, such as 0000-0002-1825-0097.", field="userOrcid")
    return _give(context, dataset_id, orcid, level)


def _give(context: Context, dataset_id: str, name: str, level: str) -> DatasetPermissions:
    dataset = dataset_of(context, dataset_id)
    if level not in ROLES:
        raise InvalidError(f"It is one of {', '.join(ROLES)}.", field="level")
    give_role(actor=context.actor, dataset=dataset, name=name, role=Grant.Role(ROLES[level]))
    context.load.members.forget()
    members = context.load.members.get(dataset) or []
    return DatasetPermissions(id=id_of(dataset.number), user_permissions=members)


@root_field(graphene.Boolean, dataset_id=ID, user_id=TEXT)
def remove_permissions(context: Context, dataset_id: str, user_id: str) -> bool:
    """Take somebody's role in a dataset away."""
    dataset = dataset_of(context, dataset_id)
    require(context.actor, Action.CHANGE_OWNERS, dataset)
    members = context.load.members.get(dataset) or []
    for member in members:
        if member.user.uuid == _uuid(user_id):
            take_role(actor=context.actor, dataset=dataset, user=member.user)
            context.load.members.forget()
            return True
    raise InvalidError("Nobody of that id has a role in the dataset.", field="userId")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidError("The id of a user is a UUID.", field="userId") from None


@root_field(StarDatasetResponse, dataset_id=ID)
def star_dataset(context: Context, dataset_id: str) -> StarDatasetResponse:
    """Star a dataset, or take the star back."""
    dataset = dataset_of(context, dataset_id)
    starred = not context.load.starred.get(dataset)
    set_star(actor=context.actor, dataset=dataset, starred=starred)
    context.load.starred.forget()
    user = context.actor.user
    star = Star(dataset_id=id_of(dataset.number), user_id=user_id(user) if user else None)
    return StarDatasetResponse(starred=starred, new_star=star)
