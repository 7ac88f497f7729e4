"""Queries that Django composes once: to compose what is asked again and again takes longer than to answer it.

A function that returns a QuerySet becomes a `Prepared` query. It is called once, with a placeholder for each of its
parameters; from then on only values are sent, and Postgres, which keeps the statement prepared, plans it once as well.
The rows become the same objects, with what `select_related` and `annotate` add to them, that the QuerySet would give.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from inspect import signature
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connection, connections, models
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models.query import get_related_populators
from psycopg.sql import Literal

M = TypeVar("M", bound=models.Model)


class Placeholder(models.Expression):
    """The place of a parameter in a query."""

    def __init__(self, name: str) -> None:
        super().__init__(output_field=models.Field())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL of the place, and itself in place of the value that will be there."""
        return "%s", (self,)


class Prepared(Generic[M]):
    """A query whose SQL is composed when it is first asked, for all that ask later.

    Values are compared as Postgres compares them: None equals nothing, and lists are no values. What changes the form
    of the SQL, and not a value in it, makes another query.
    """

    def __init__(self, build: Callable[..., "models.QuerySet[M]"]) -> None:
        self.build = build

    def all(self, **values: Any) -> list[M]:
        """Return the objects that the query finds with these values of its parameters."""
        return list(self._plan.objects(self._plan.sql, values))

    def at_most(self, limit: int, **values: Any) -> list[M]:
        """Return the first so many objects that the query, which has no limit of its own, finds."""
        return list(self._plan.objects(f"{self._plan.sql} LIMIT %(limit)s", {**values, "limit": limit}))

    def first(self, **values: Any) -> M | None:
        """Return the first object that the query finds, or None."""
        return next(self._plan.objects(self._plan.sql, values), None)

    @cached_property
    def _plan(self) -> "_Plan[M]":
        return _Plan(_with_placeholders(self.build))


class PreparedRows:
    """A query as `Prepared` is one, whose rows stay tuples, of what its QuerySet lists as values."""

    def __init__(self, build: "Callable[..., models.QuerySet[Any, Any]]") -> None:
        self.build = build

    def at_most(self, limit: int, **values: Any) -> list[Any]:
        """Return the first so many rows that the query, which has no limit of its own, finds."""
        statement = self._statement
        return list(statement.rows(f"{statement.sql} LIMIT %(limit)s", {**values, "limit": limit}))

    @cached_property
    def _statement(self) -> "_Statement":
        return _Statement(_with_placeholders(self.build))


def _with_placeholders(build: Callable[..., Any]) -> Any:
    return build(**{name: Placeholder(name) for name in signature(build).parameters})


class _Statement:
    """The SQL of a query, and what its values become."""

    def __init__(self, queryset: "models.QuerySet[Any, Any]") -> None:
        # The connection is that of whichever thread asks.
        self._compiler = queryset.query.get_compiler(connection=connection)
        sql, parameters = self._compiler.as_sql()
        # What is constant becomes part of the SQL, so that Postgres sees which partial index may be used.
        self.sql = sql.replace("%%", "%%%%") % tuple(map(_written, parameters))
        self._converters = self._compiler.get_converters([column for column, *_ in self._compiler.select or []])

    def rows(self, sql: str, values: Mapping[str, Any]) -> Iterable[Any]:
        """Return the rows that its SQL, or what is made of that, finds with these values."""
        found = find_rows(sql, values)
        return self._compiler.apply_converters(found, self._converters) if self._converters else found


class _Plan(_Statement, Generic[M]):
    """The SQL of a query, and the way in which its rows become objects."""

    def __init__(self, queryset: "models.QuerySet[M]") -> None:
        super().__init__(queryset)
        info: Any = self._compiler.klass_info
        fields, select = info["select_fields"], self._compiler.select or []
        self._model: type[M] = info["model"]
        self._own = slice(fields[0], fields[-1] + 1)
        self._names = [column.target.attname for column, *_ in select[self._own]]
        # The stubs are those of a newer Django.
        self._related = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        self._annotations = self._compiler.annotation_col_map or {}

    def objects(self, sql: str, values: Mapping[str, Any]) -> Iterator[M]:
        """Yield the objects that its SQL, or what is made of that, finds with these values."""
        for row in self.rows(sql, values):
            found = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[self._own])
            for related in self._related:
                related.populate(row, found)
            for name, column in self._annotations.items():
                setattr(found, name, row[column])
            yield found


def _written(parameter: Any) -> str:
    """Return a parameter as it stands in the SQL: a named placeholder, or a constant."""
    if isinstance(parameter, Placeholder):
        return f"%({parameter.name})s"
    connection.ensure_connection()
    return Literal(parameter).as_string(connection.connection).replace("%", "%%")


def find_rows(sql: str, values: Mapping[str, Any]) -> list[Any]:
    """Return the rows that a statement of SQL finds with these values of its named parameters, as it was prepared."""
    with _cursor() as cursor:
        try:
            cursor.execute(sql, values)
        except NotSupportedError:
            # A migration has changed the type of a column since the statement was prepared.
            cursor.execute("DEALLOCATE ALL")
            cursor.execute(sql, values)
        rows: list[Any] = cursor.fetchall()
        return rows


def _cursor() -> Any:
    """Return a cursor whose statements Postgres prepares; where queries are logged, one that logs them with values."""
    # The connection of this thread, which `connection` would look up each time that something is asked of it.
    own: Any = connections[DEFAULT_DB_ALIAS]
    if own.queries_logged:
        return own.cursor()
    own.close_if_health_check_failed()
    own.ensure_connection()
    return own.make_cursor(ServerBindingCursor(own.connection))  # type: ignore[call-arg]


class PreparedInsert(Generic[M]):
    """A statement that inserts one object, composed once: `bulk_create` of one for which nobody waits so long.

    With `unless_there` nothing happens if there is such a row already.
    """

    def __init__(self, model: type[M], *, unless_there: bool = False) -> None:
        self._model = model
        self._ending = " ON CONFLICT DO NOTHING" if unless_there else ""

    def insert(self, row: M) -> None:
        """Insert an object that is new, and let it know that it is there, and by which key."""
        own: Any = connections[DEFAULT_DB_ALIAS]
        values = {field.name: field.get_db_prep_save(field.pre_save(row, True), own) for field in self._fields}  # noqa: FBT003
        for [key] in find_rows(self._sql, values):
            row.pk = key
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001 - as Django says it of its own

    @cached_property
    def _fields(self) -> list[Any]:
        return [field for field in self._model._meta.concrete_fields if not isinstance(field, models.AutoField)]  # noqa: SLF001

    @cached_property
    def _sql(self) -> str:
        columns = ", ".join(f'"{field.column}"' for field in self._fields)
        places = ", ".join(f"%({field.name})s" for field in self._fields)
        meta = self._model._meta  # noqa: SLF001
        into = f'INSERT INTO "{meta.db_table}" ({columns}) VALUES ({places}){self._ending}'  # noqa: S608 - names of the model
        return f'{into} RETURNING "{meta.pk.column}"'
