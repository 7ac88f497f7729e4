"""The queries: what there is to ask for."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import graphene
import orjson

from archive.accounts.models import User as Person
from archive.accounts.queries import find_person_by_id, page_of_people
from archive.catalogue.queries import Listing, SortBy, page_of_datasets
from archive.datasets.models import Dataset as Row
from archive.datasets.models import Version
from dandiapi.graphql.context import Context
from dandiapi.graphql.fields import root_field
from dandiapi.graphql.ids import dataset_of, version_of
from dandiapi.graphql.inputs import DatasetFilter, DatasetSort, UserSortInput
from dandiapi.graphql.types.datasets import Dataset, DatasetConnection, DatasetEdge, PageInfo
from dandiapi.graphql.types.people import User, UserList
from dandiapi.graphql.types.versions import Snapshot

MAX_PAGE = 100
# Far beyond any list.
MAX_OFFSET = 10**9
SORTED_BY = {
    "created": SortBy.CREATED,
    "name": SortBy.NAME,
    "uploader": SortBy.OWNER,
    "stars": SortBy.STARS,
    "publish_date": SortBy.OPENED,
}


@root_field(Dataset, id=graphene.ID(required=True))
def dataset(context: Context, id: str) -> Row:  # noqa: A002 - the name it has in the schema
    """Return a dataset by its id."""
    return dataset_of(context, id)


@root_field(Snapshot, dataset_id=graphene.ID(required=True), tag=graphene.String(required=True))
def snapshot(context: Context, dataset_id: str, tag: str) -> Version:
    """Return a snapshot by its dataset and tag."""
    return version_of(context, dataset_id, tag)


@root_field(
    DatasetConnection,
    first=graphene.Int(default_value=25),
    after=graphene.String(),
    before=graphene.String(),
    order_by=DatasetSort(default_value={"created": "ascending"}),
    filter_by=DatasetFilter(default_value={}),
    my_datasets=graphene.Boolean(),
    modality=graphene.String(),
)
def datasets(
    context: Context,
    *,
    first: int = 25,
    after: str = "",
    before: str = "",
    order_by: Any = None,
    filter_by: Any = None,
    my_datasets: bool = False,
    modality: str = "",
) -> DatasetConnection:
    """Return a page of the datasets that the asker may read."""
    limit = min(max(first, 1), MAX_PAGE)
    offset = max(0, _offset(before) - limit) if before else _offset(after)
    wanted = _listing(order_by, filter_by, is_mine=my_datasets)
    found = page_of_datasets(context.actor, wanted, offset=offset, limit=limit)
    return connection_of(context, found.datasets, offset=offset, limit=limit, count=found.count)


def _listing(order_by: Any, filter_by: Any, *, is_mine: bool) -> Listing:
    order = {SORTED_BY[name]: way for name, way in (order_by or {}).items() if way and name in SORTED_BY}
    wanted = filter_by or {}
    return Listing(
        is_open=bool(wanted.get("public")),
        is_shared=bool(wanted.get("shared")),
        is_invalid=bool(wanted.get("invalid")),
        is_starred=bool(wanted.get("starred")),
        is_mine=is_mine,
        order=tuple(order) or (SortBy.CREATED,),
        descending=frozenset(name for name, way in order.items() if _word(way) == "descending"),
    )


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def connection_of(context: Context, rows: Sequence[Row], *, offset: int, limit: int, count: int) -> DatasetConnection:
    """Return a page of a list of datasets, of which `count` there are."""
    context.load.expect_datasets(rows)
    edges = [
        DatasetEdge(id=f"ds{row.number:06}", cursor=cursor_of(offset + place + 1), node=row)
        for place, row in enumerate(rows)
    ]
    page = PageInfo(
        count=count,
        start_cursor=cursor_of(offset),
        end_cursor=cursor_of(offset + limit),
        has_previous_page=offset > 0,
        has_next_page=offset + limit < count,
    )
    return DatasetConnection(edges=edges, page_info=page)


def cursor_of(offset: int) -> str:
    """Return the cursor of a place in a list."""
    return base64.b64encode(orjson.dumps({"offset": offset})).decode()


def _offset(cursor: str) -> int:
    """Return the place that a cursor names; the beginning for what is no cursor."""
    try:
        offset = orjson.loads(base64.b64decode(cursor, validate=True))["offset"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        return 0
    return min(max(0, offset), MAX_OFFSET) if isinstance(offset, int) else 0


@root_field(User, id=graphene.ID(required=True))
def user(context: Context, id: str) -> Person | None:  # noqa: A002 - the name it has in the schema
    """Return somebody by their UUID or ORCID iD."""
    return find_person_by_id(context.actor, id)


@root_field(
    graphene.NonNull(UserList),
    is_admin=graphene.Boolean(),
    is_blocked=graphene.Boolean(),
    limit=graphene.Int(),
    offset=graphene.Int(),
    order_by=graphene.List(graphene.NonNull(UserSortInput)),
    search=graphene.String(),
)
def users(
    context: Context,
    *,
    is_admin: bool | None = None,
    is_blocked: bool | None = None,
    limit: int = 100,
    offset: int = 0,
    order_by: Sequence[Any] = (),
    search: str = "",
) -> UserList:
    """Return a page of the people of the archive."""
    page = page_of_people(
        context.actor,
        search=search,
        is_admin=is_admin,
        is_active=None if is_blocked is None else not is_blocked,
        offset=min(max(0, offset), MAX_OFFSET),
        limit=min(max(limit, 1), MAX_PAGE),
    )
    return UserList(users=page.people, total_count=page.count)
