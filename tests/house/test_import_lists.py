"""The lists that say what a room is made of, and what its modules take from one another, are short enough to read."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import PROJECT, modules, named

MAX_NAMES = 8
CONTRACTS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
# Each says in which order the modules of some rooms, or parts of rooms, may import one another.
ORDERS = [contract for contract in CONTRACTS if contract.get("containers", ["archive"]) != ["archive"]]


def names_in(layers: list[str]) -> list[str]:
    """Return the modules in the layers of an order; several may stand side by side in one layer."""
    return [name for layer in layers for name in layer.replace(":", "|").split("|")]


def long_imports(source: str, room: str) -> Iterator[int]:
    """Yield the lines in which a module of a room imports too much from one other module of that room."""
    imports = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom))
    inside = (node for node in imports if f"{node.module}.".startswith(f"archive.{room}."))
    yield from (node.lineno for node in inside if len(node.names) > MAX_NAMES)


def parts_of(folder: Path) -> set[str]:
    """Return the packages below a folder, but for migrations, which have an order of their own."""
    found = {named(file.parent) for file in folder.rglob("__init__.py") if file.parent != folder}
    return {name.replace("/", ".") for name in found if not name.endswith("/migrations")}


def test_rooms_and_their_parts_all_have_an_order() -> None:
    ordered = [container for contract in ORDERS for container in contract["containers"]]
    assert sorted(ordered) == sorted(parts_of(PROJECT / "archive"))


def test_orders_are_short_enough_to_read() -> None:
    counts = {contract["id"]: len(names_in(contract["layers"])) for contract in ORDERS}
    assert {name: count for name, count in counts.items() if count > MAX_NAMES} == {}


def room_of(file: Path) -> str:
    return named(file).split("/")[1]


def test_imports_inside_a_room_are_short_enough_to_read() -> None:
    found = {named(file): [*long_imports(file.read_text(), room_of(file))] for file in modules("archive")}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_order_is_counted_by_name() -> None:
    assert len(names_in(["a | b", "(c)", "d : e"])) == 5


def test_long_import_is_noticed() -> None:
    names = [f"name_{number}" for number in range(MAX_NAMES + 1)]
    lists = ", ".join(names), ", ".join(names[1:])
    source = "\n".join(f"from archive.attic.queries import {taken}" for taken in lists)
    assert [*long_imports(source, "attic")] == [1]
    assert [*long_imports(source, "cellar")] == []
