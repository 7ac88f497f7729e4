"""All that takes an `actor` is asked as everybody; of queries and services that take none, faces call what is listed.

Who is told what by them, `tests/archive/accounts/test_leaks.py` holds.
"""

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.archive.accounts.asked import OF_THE_ARCHIVE, READS, WRITES
from tests.archive.accounts.given import GIVEN

# The administration asks Django's own permissions, and commands are for who runs the archive.
OTHERS = ("admin", "management", "settings")


def name_of(function: Callable[..., Any]) -> str:
    return f"{function.__module__.removeprefix('archive.')}.{function.__name__}"


def public_functions() -> Iterator[Callable[..., Any]]:
    """What faces may call: the functions of queries and services, and those of their rooms that these pass on."""
    for path in sorted(Path("archive").glob("*/*.py")):
        if path.stem in {"queries", "services"}:
            module = importlib.import_module(".".join(path.with_suffix("").parts))
            passed_on = getattr(module, "__all__", ())
            named = ((name, inspect.unwrap(value)) for name, value in vars(module).items() if callable(value))
            yield from (
                function
                for name, function in named
                if inspect.isfunction(function) and not name.startswith("_")
                if function.__module__ == module.__name__ or name in passed_on
            )


def takes_an_actor(function: Callable[..., Any]) -> bool:
    return "actor" in inspect.signature(function).parameters


def called_by_faces() -> set[str]:
    called = {name for path in Path("dandiapi").rglob("*.py") if path.parts[1] not in OTHERS for name in calls_in(path)}
    return {where_it_is(name) for name in called}


def where_it_is(name: str) -> str:
    """Return the name of a function where it is defined, which may be in a module that its room's services pass on."""
    module, _, attribute = f"archive.{name}".rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ModuleNotFoundError:
        return name
    return name_of(inspect.unwrap(found)) if inspect.isfunction(found) else name


def calls_in(path: Path) -> Iterator[str]:
    """The functions of queries and services that a module imports, or names as an attribute of either."""
    tree = ast.parse(path.read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = [(node.module or "", alias.name, alias.asname or alias.name) for node in imports for alias in node.names]
    modules = {used: f"{module}.{name}" for module, name, used in names if name in {"queries", "services"}}
    yield from (f"{module}.{name}".removeprefix("archive.") for module, name, _ in names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield f"{modules[node.value.id]}.{node.attr}".removeprefix("archive.")


def test_everything_that_takes_an_actor_is_asked() -> None:
    taking = {name_of(function) for function in public_functions() if takes_an_actor(function)}
    assert taking - {name_of(inspect.unwrap(each)) for each in (*READS, *WRITES, *OF_THE_ARCHIVE)} == set()


def test_faces_call_nothing_without_saying_who_asks_but_of_what_they_were_given() -> None:
    without = {name_of(function) for function in public_functions() if not takes_an_actor(function)}
    assert without & called_by_faces() == set().union(*GIVEN.values())
