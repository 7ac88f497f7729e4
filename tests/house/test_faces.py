"""Faces enter the domain by its doors, and what they are given of it they only read."""

import ast
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.house.sources import PROJECT, modules, named

DOORS = {"services", "queries", "policy", "models"}
# What a face may use as well, since it is pure: it knows no database.
PURE = {
    "archive.bids.documents",
    "archive.catalogue.files",
    "archive.git_annex",
    "archive.identifiers.names",
    "archive.metadata.problems",
    "archive.publishing.changes",
}
CONTRACTS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
FORBIDDEN = next(contract["forbidden_modules"] for contract in CONTRACTS if contract["id"] == "faces-by-the-door")

# By these, rows are had of a table.
MANAGERS = {"objects", "_default_manager", "_base_manager"}
# By these, rows are made, changed or deleted. What changes rows in another way has to have a manager first.
WRITES = {"save", "delete", "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update"}
# The admin has rights and services of its own; the others keep what belongs to libraries: accounts that sign in
# elsewhere, and the applications and tokens of OAuth.
NO_FACES = (
    "dandiapi/admin/",
    "dandiapi/management/commands/register_web_app.py",
    "dandiapi/accounts.py",
    "dandiapi/oauth.py",
)


def parts_of_rooms() -> set[str]:
    """Return the modules and folders that rooms of the domain are made of."""
    rooms = (folder for folder in (PROJECT / "archive").iterdir() if (folder / "__init__.py").exists())
    parts = {part for room in rooms for part in room.iterdir() if is_part(part)}
    return {named(part).removesuffix(".py").replace("/", ".") for part in parts if part.parent.name != "migrations"}


def is_part(path: Path) -> bool:
    return (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()


def is_open(part: str) -> bool:
    """Return whether faces may import a part of a room."""
    _, room, name = part.split(".")
    return name in DOORS or not PURE.isdisjoint({part, f"archive.{room}"})


def trespasses(source: str) -> Iterator[tuple[int, str]]:
    """Yield where a module reads or writes tables itself, and by which name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in MANAGERS:
            yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            yield node.lineno, node.func.attr


def test_what_is_no_door_is_closed_to_faces() -> None:
    closed = {part for part in parts_of_rooms() if any(fnmatchcase(part, pattern) for pattern in FORBIDDEN)}
    assert closed == {part for part in parts_of_rooms() if not is_open(part)}


def test_faces_only_read_what_they_are_given() -> None:
    faces = [file for file in modules("dandiapi") if not named(file).startswith(NO_FACES)]
    found = {named(file): [*trespasses(file.read_text())] for file in faces}
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "line", ["Dataset.objects.first()", "Dataset._default_manager", "dataset.save()", "dataset.versions.create()"]
)
def test_trespass_is_noticed(line: str) -> None:
    assert len([*trespasses(f"dataset = find_dataset(actor, number)\n{line}")]) == 1


def test_reading_is_no_trespass() -> None:
    assert [*trespasses("datasets.filter(number=1).first().versions.all()")] == []
