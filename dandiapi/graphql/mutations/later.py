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
    ContributorInput,
)
from dandiapi.graphql.types.datasets import (
    Dataset,
    FollowDatasetResponse,
)
from dandiapi.graphql.types.events import DatasetEvent
from dandiapi.graphql.types.people import User, UserNotificationStatus
from dandiapi.graphql.types.versions import SyncDatasetDoisPayload

add_comment = announced(
    "add_comment",
    graphene.ID,
    "Add a comment to a dataset, or to another comment.",
    comment=graphene.String(required=True),
    dataset_id=graphene.ID(required=True),
    parent_id=graphene.ID(),
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
save_admin_note = announced(
    "save_admin_note",
    DatasetEvent,
    "Keep a note about a dataset, for administrators.",
    dataset_id=graphene.ID(required=True),
    id=graphene.ID(),
    note=graphene.String(required=True),
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
update_event_status = announced(
    "update_event_status",
    UserNotificationStatus,
    "Mark a notification as unread, saved or archived.",
    event_id=graphene.ID(required=True),
    status=NotificationStatusType(required=True),
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
