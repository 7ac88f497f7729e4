"""The mutations that are declared, so that documents with them are valid, and not built yet."""

import graphene

from dandiapi.graphql.enums import (
    AnalyticTypes,
    NotificationStatusType,
    RelatedObjectKind,
    RelatedObjectRelation,
    ResponseStatusType,
)
from dandiapi.graphql.fields import announced
from dandiapi.graphql.inputs import (
    AnnexFsckInput,
    ContributorInput,
    SummaryInput,
    ValidatorInput,
)
from dandiapi.graphql.scalars import JSON, DateTime
from dandiapi.graphql.types.datasets import (
    Dataset,
    FollowDatasetResponse,
    UpdateContributorsPayload,
)
from dandiapi.graphql.types.events import DatasetEvent
from dandiapi.graphql.types.people import User, UserNotificationStatus
from dandiapi.graphql.types.validation import FileCheck, Summary
from dandiapi.graphql.types.versions import SyncDatasetDoisPayload
from dandiapi.graphql.types.work import WorkerTask

add_comment = announced(
    "add_comment",
    graphene.ID,
    "Add a comment to a dataset, or to another comment.",
    comment=graphene.String(required=True),
    dataset_id=graphene.ID(required=True),
    parent_id=graphene.ID(),
)
cache_clear = announced(
    "cache_clear",
    graphene.Boolean,
    "Forget what is kept of a dataset to answer sooner.",
    dataset_id=graphene.ID(required=True),
)
create_contributor_citation_event = announced(
    "create_contributor_citation_event",
    DatasetEvent,
    "Ask somebody to agree to be named as a contributor.",
    contributor_data=ContributorInput(required=True),
    dataset_id=graphene.ID(required=True),
    target_user_id=graphene.ID(required=True),
)
create_contributor_request_event = announced(
    "create_contributor_request_event",
    DatasetEvent,
    "Ask to be named as a contributor of a dataset.",
    dataset_id=graphene.ID(required=True),
)
create_git_event = announced(
    "create_git_event",
    DatasetEvent,
    "Tell that commits were pushed.",
    commit=graphene.String(required=True),
    dataset_id=graphene.ID(required=True),
    reference=graphene.String(required=True),
)
create_relation = announced(
    "create_relation",
    Dataset,
    "Relate a dataset to another dataset or to an article.",
    dataset_id=graphene.ID(required=True),
    description=graphene.String(),
    doi=graphene.String(required=True),
    kind=RelatedObjectKind(required=True),
    relation=RelatedObjectRelation(required=True),
)
delete_comment = announced(
    "delete_comment",
    graphene.List(graphene.String),
    "Delete a comment, with the answers to it unless told otherwise.",
    comment_id=graphene.ID(required=True),
    delete_children=graphene.Boolean(),
)
delete_relation = announced(
    "delete_relation",
    Dataset,
    "Remove a relation of a dataset.",
    dataset_id=graphene.ID(required=True),
    doi=graphene.String(required=True),
)
edit_comment = announced(
    "edit_comment",
    graphene.Boolean,
    "Change a comment of one's own.",
    comment=graphene.String(required=True),
    comment_id=graphene.ID(required=True),
)
finish_import_remote_dataset = announced(
    "finish_import_remote_dataset",
    graphene.Boolean,
    "Tell that an import has ended.",
    id=graphene.ID(required=True),
    message=graphene.String(),
    success=graphene.Boolean(required=True),
)
flag_annex_object = announced(
    "flag_annex_object",
    graphene.Boolean,
    "Flag an annexed file as one to be taken down.",
    annex_key=graphene.String(required=True),
    dataset_id=graphene.ID(required=True),
    filepath=graphene.String(required=True),
    snapshot=graphene.String(required=True),
)
follow_dataset = announced(
    "follow_dataset",
    FollowDatasetResponse,
    "Follow a dataset, or follow it no more.",
    dataset_id=graphene.ID(required=True),
)
fsck_dataset = announced(
    "fsck_dataset",
    graphene.Boolean,
    "Check the annexed content of a dataset.",
    dataset_id=graphene.ID(required=True),
)
hold_deletion = announced(
    "hold_deletion",
    graphene.Boolean,
    "Keep a dataset from being deleted for want of versions.",
    dataset_id=graphene.ID(required=True),
    hold=graphene.Boolean(required=True),
)
import_remote_dataset = announced(
    "import_remote_dataset",
    graphene.ID,
    "Import a dataset from an address.",
    dataset_id=graphene.ID(required=True),
    url=graphene.String(required=True),
)
process_contributor_citation = announced(
    "process_contributor_citation",
    DatasetEvent,
    "Answer whether one agrees to be named as a contributor.",
    event_id=graphene.ID(required=True),
    status=ResponseStatusType(required=True),
)
process_contributor_request = announced(
    "process_contributor_request",
    DatasetEvent,
    "Answer somebody who asks to be named as a contributor.",
    dataset_id=graphene.ID(required=True),
    reason=graphene.String(),
    request_id=graphene.ID(required=True),
    resolution_status=ResponseStatusType(required=True),
    target_user_id=graphene.ID(required=True),
)
reexport_remotes = announced(
    "reexport_remotes",
    graphene.Boolean,
    "Export a dataset anew.",
    dataset_id=graphene.ID(required=True),
)
remove_annex_object = announced(
    "remove_annex_object",
    graphene.Boolean,
    "Take an annexed file down.",
    annex_key=graphene.String(required=True),
    dataset_id=graphene.ID(required=True),
    filename=graphene.String(),
    path=graphene.String(),
    snapshot=graphene.String(required=True),
)
remove_user = announced(
    "remove_user",
    graphene.Boolean,
    "Remove an account.",
    id=graphene.ID(required=True),
)
reset_draft = announced(
    "reset_draft",
    graphene.Boolean,
    "Put the draft back to a commit.",
    dataset_id=graphene.ID(required=True),
    ref=graphene.String(required=True),
)
save_admin_note = announced(
    "save_admin_note",
    DatasetEvent,
    "Keep a note about a dataset, for administrators.",
    dataset_id=graphene.ID(required=True),
    id=graphene.ID(),
    note=graphene.String(required=True),
)
set_admin = announced(
    "set_admin",
    User,
    "Make somebody an administrator, or no more.",
    admin=graphene.Boolean(required=True),
    id=graphene.ID(required=True),
)
set_blocked = announced(
    "set_blocked",
    User,
    "Block an account, or let it in again.",
    blocked=graphene.Boolean(required=True),
    id=graphene.ID(required=True),
)
subscribe_to_newsletter = announced(
    "subscribe_to_newsletter",
    graphene.Boolean,
    "Subscribe an address to the newsletter.",
    email=graphene.String(required=True),
)
sync_dataset_dois = announced(
    "sync_dataset_dois",
    graphene.NonNull(SyncDatasetDoisPayload),
    "Bring the DOIs of a dataset up to date.",
    dataset_id=graphene.ID(required=True),
    dry_run=graphene.Boolean(),
)
track_analytics = announced(
    "track_analytics",
    graphene.Boolean,
    "Count a view or download of a dataset.",
    dataset_id=graphene.ID(required=True),
    tag=graphene.String(),
    type=AnalyticTypes(),
)
update_contributors = announced(
    "update_contributors",
    graphene.NonNull(UpdateContributorsPayload),
    "Change the contributors that `datacite.yml` names.",
    dataset_id=graphene.String(required=True),
    new_contributors=graphene.List(graphene.NonNull(ContributorInput), required=True),
)
update_event_status = announced(
    "update_event_status",
    UserNotificationStatus,
    "Mark a notification as unread, saved or archived.",
    event_id=graphene.ID(required=True),
    status=NotificationStatusType(required=True),
)
update_file_check = announced(
    "update_file_check",
    FileCheck,
    "Keep the failures of a check of annexed content.",
    annex_fsck=graphene.List(graphene.NonNull(AnnexFsckInput), required=True),
    dataset_id=graphene.ID(required=True),
    hexsha=graphene.String(required=True),
    refs=graphene.List(graphene.NonNull(graphene.String), required=True),
    remote=graphene.String(),
)
update_summary = announced(
    "update_summary",
    Summary,
    "Keep the summary of a tree.",
    summary=SummaryInput(required=True),
)
update_user = announced(
    "update_user",
    User,
    "Change what an account says of its person.",
    id=graphene.ID(required=True),
    institution=graphene.String(),
    links=graphene.List(graphene.NonNull(graphene.String)),
    location=graphene.String(),
    orcid_consent=graphene.Boolean(),
    profile_private=graphene.Boolean(),
)
update_validation = announced(
    "update_validation",
    graphene.Boolean,
    "Keep what a validator says of a tree.",
    validation=ValidatorInput(required=True),
)
update_worker_task = announced(
    "update_worker_task",
    WorkerTask,
    "Keep the state of a task of the worker.",
    args=JSON(),
    error=graphene.String(),
    execution_time=graphene.Int(),
    finished_at=DateTime(),
    id=graphene.ID(required=True),
    kwargs=JSON(),
    queued_at=DateTime(),
    started_at=DateTime(),
    task_name=graphene.String(),
    worker=graphene.String(),
)
