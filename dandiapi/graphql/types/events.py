"""Events and comments."""

import graphene

from archive.accounts.models import User as Person
from archive.datasets.models import Dataset
from archive.snapshots.queries import LoggedCommit
from dandiapi.graphql.enums import ResponseStatusType
from dandiapi.graphql.ids import dataset_id
from dandiapi.graphql.scalars import DateTime
from dandiapi.graphql.types.people import User, UserNotificationStatus


class Comment(graphene.ObjectType):
    """A comment on a dataset."""

    create_date = DateTime(required=True)
    id = graphene.ID(required=True)
    parent = graphene.Field(lambda: Comment)
    replies = graphene.List(lambda: Comment)
    text = graphene.String(required=True)
    user = graphene.Field(User)


class DatasetEventDescription(graphene.ObjectType):
    """The description of an event; which fields there are depends on its `type`."""

    contributor_data = graphene.Field("dandiapi.graphql.types.versions.Contributor")
    dataset_id = graphene.ID()
    level = graphene.String()
    message = graphene.String()
    public = graphene.Boolean()
    reason = graphene.String()
    ref = graphene.String()
    request_id = graphene.ID()
    resolution_status = graphene.Field(ResponseStatusType)
    target = graphene.Field(User)
    target_user_id = graphene.ID()
    type = graphene.String()
    version = graphene.String()


class DatasetEvent(graphene.ObjectType):
    """An event in the life of a dataset."""

    dataset_id = graphene.ID()
    event = graphene.Field(DatasetEventDescription)
    has_been_responded_to = graphene.Boolean()
    id = graphene.ID()
    note = graphene.String()
    notification_status = graphene.Field(UserNotificationStatus)
    response_status = graphene.Field(ResponseStatusType)
    success = graphene.Boolean()
    timestamp = DateTime()
    user = graphene.Field(User)

    @classmethod
    def of_push(cls, dataset: Dataset, commit: LoggedCommit, reference: str, user: Person | None) -> "DatasetEvent":
        """Return the event that a commit was pushed as a reference, as somebody tells who knows of it."""
        named = dataset_id(dataset.number)
        told = DatasetEventDescription(type="git", dataset_id=named, ref=reference, message=commit.message)
        event_id = f"{named}:{commit.sha}"
        return cls(id=event_id, dataset_id=named, event=told, success=True, timestamp=commit.recorded, user=user)
