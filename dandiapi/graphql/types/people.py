"""People."""

from datetime import datetime
from typing import Any

import graphene

from archive.accounts.models import User as Person
from archive.accounts.policy import knows_account
from dandiapi.graphql.context import Info, context_of
from dandiapi.graphql.enums import NotificationStatusType, UserProvider
from dandiapi.graphql.scalars import Date, DateTime


class User(graphene.ObjectType):
    """A person with an account, as far as the asker may know them."""

    admin = graphene.Boolean()
    avatar = graphene.String()
    blocked = graphene.Boolean()
    created = DateTime(required=True)
    email = graphene.String()
    github = graphene.String()
    github_synced = Date()
    id = graphene.ID()
    institution = graphene.String()
    last_seen = DateTime()
    links = graphene.List(graphene.String, default_value=())
    location = graphene.String()
    modified = DateTime()
    name = graphene.String()
    notifications = graphene.List(graphene.NonNull("dandiapi.graphql.types.events.DatasetEvent"), default_value=())
    orcid = graphene.String()
    orcid_consent = graphene.Boolean()
    profile_private = graphene.Boolean()
    provider = graphene.Field(UserProvider)

    @staticmethod
    def resolve_id(person: Person, info: Info) -> str:
        return str(person.uuid)

    @staticmethod
    def resolve_name(person: Person, info: Info) -> str:
        return person.display_name

    @staticmethod
    def resolve_email(person: Person, info: Info) -> str | None:
        return person.email if _is_known(person, info) else None

    @staticmethod
    def resolve_admin(person: Person, info: Info) -> bool | None:
        return person.is_superuser if _is_known(person, info) else None

    @staticmethod
    def resolve_blocked(person: Person, info: Info) -> bool | None:
        return not person.is_active if _is_known(person, info) else None

    @staticmethod
    def resolve_created(person: Person, info: Info) -> datetime:
        return person.date_joined

    @staticmethod
    def resolve_modified(person: Person, info: Info) -> datetime:
        return person.date_joined

    @staticmethod
    def resolve_last_seen(person: Person, info: Info) -> datetime | None:
        return person.last_login if _is_known(person, info) else None

    @staticmethod
    def resolve_github(person: Person, info: Info) -> str | None:
        return person.github_login or None

    @staticmethod
    def resolve_provider(person: Person, info: Info) -> Any:
        return UserProvider.orcid if person.orcid else UserProvider.google


class UserList(graphene.ObjectType):
    """A page of people, and how many there are."""

    total_count = graphene.Int(required=True)
    users = graphene.List(graphene.NonNull(User), required=True)


class UserNotificationStatus(graphene.ObjectType):
    """The state of a notification: unread, saved or archived."""

    status = graphene.Field(NotificationStatusType, required=True)


def _is_known(person: Person, info: Info) -> bool:
    return knows_account(context_of(info).actor, person)
