"""Mutations that look after a dataset (docs/dialects/openneuro.md#upkeep)."""

import graphene

from archive.accounts.policy import Action, require
from archive.fixity.services import request_check
from archive.search.services import clear_caches
from archive.snapshots.queries import find_commit
from archive.snapshots.services import reset_draft as put_back
from dandiapi.graphql.context import Context
from dandiapi.graphql.fields import root_field
from dandiapi.graphql.ids import dataset_of, version_of
from dandiapi.graphql.types.events import DatasetEvent

ID = graphene.ID(required=True)
TEXT = graphene.String(required=True)


@root_field(graphene.Boolean, dataset_id=ID)
def cache_clear(context: Context, dataset_id: str) -> bool:
    """Forget what is kept of a dataset to answer sooner."""
    clear_caches(actor=context.actor, dataset=dataset_of(context, dataset_id))
    return True


@root_field(DatasetEvent, dataset_id=ID, commit=TEXT, reference=TEXT)
def create_git_event(context: Context, dataset_id: str, commit: str, reference: str) -> DatasetEvent:
    """Tell that commits were pushed, of which the archive itself knows already."""
    dataset = dataset_of(context, dataset_id)
    require(context.actor, Action.CHANGE_DRAFT, dataset)
    pushed = find_commit(context.actor, dataset, commit)
    return DatasetEvent.of_push(dataset, pushed, reference, context.actor.user)


@root_field(graphene.Boolean, dataset_id=ID)
def fsck_dataset(context: Context, dataset_id: str) -> bool:
    """Check the content of the draft of a dataset, whose `fileCheck` then says what is wrong."""
    request_check(actor=context.actor, version=version_of(context, dataset_id, "draft"))
    return True


@root_field(graphene.Boolean, dataset_id=ID, ref=TEXT)
def reset_draft(context: Context, dataset_id: str, ref: str) -> bool:
    """Put the files of the draft back to a commit, or to a version."""
    put_back(actor=context.actor, dataset=dataset_of(context, dataset_id), reference=ref)
    return True
