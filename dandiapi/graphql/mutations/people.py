"""Mutations of accounts, for administrators."""

import graphene

from archive.accounts.models import User as Person
from archive.accounts.queries import find_account
from archive.accounts.services import set_admin as appoint
from archive.accounts.services import set_blocked as block
from archive.datasets.services import remove_person
from dandiapi.graphql.context import Context
from dandiapi.graphql.fields import root_field
from dandiapi.graphql.types.people import User

ID = graphene.ID(required=True)
FLAG = graphene.Boolean(required=True)


@root_field(User, id=ID, admin=FLAG)
def set_admin(context: Context, *, id: str, admin: bool) -> Person:  # noqa: A002 - as in the schema
    """Make somebody an administrator, or no more."""
    return appoint(actor=context.actor, user=find_account(context.actor, id), is_admin=admin)


@root_field(User, id=ID, blocked=FLAG)
def set_blocked(context: Context, *, id: str, blocked: bool) -> Person:  # noqa: A002 - as in the schema
    """Block an account, or let it in again."""
    return block(actor=context.actor, user=find_account(context.actor, id), is_blocked=blocked)


@root_field(graphene.Boolean, id=ID)
def remove_user(context: Context, id: str) -> bool:  # noqa: A002 - as in the schema
    """Remove an account."""
    remove_person(actor=context.actor, user=find_account(context.actor, id))
    return True
