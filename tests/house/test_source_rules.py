"""What can be told of the sources by reading them."""

import ast
from importlib import import_module

import pytest

from tests.house.sources import modules, named

MAX_LINES = 450
COMMANDS = [file.stem for file in modules("dandiapi/management/commands") if file.stem != "__init__"]


def has_choice(assertion: ast.Assert) -> bool:
    """Whether what is asserted may be one thing or another: then it is not known which of them holds."""
    return any(isinstance(node, ast.IfExp | ast.Or) for node in ast.walk(assertion.test))


def assertions_with_choice(source: str) -> list[int]:
    tree = ast.walk(ast.parse(source))
    return [node.lineno for node in tree if isinstance(node, ast.Assert) and has_choice(node)]


def test_assertions_have_no_choice() -> None:
    found = {named(file): assertions_with_choice(file.read_text()) for file in modules("tests")}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("assertion", ["assert x == 1 if y else 2", "assert x or y", "assert [x] == [1 if y else 2]"])
def test_choice_in_an_assertion_is_noticed(assertion: str) -> None:
    assert assertions_with_choice(assertion) == [1]


def test_modules_are_not_too_long() -> None:
    files = modules("archive", "dandiapi", "embedded", "tests")
    lengths = {named(file): len(file.read_text().splitlines()) for file in files}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_says_what_it_is_for(command: str) -> None:
    assert import_module(f"dandiapi.management.commands.{command}").Command.help.strip()


def test_rows_in_time_are_asked_for_in_their_own_words() -> None:
    asking = [named(file) for file in modules("archive") if "retired__isnull" in file.read_text()]
    # But for the constraints and indexes of Postgres, which models and migrations declare.
    assert [name for name in asking if not name.endswith("/models.py") and "/migrations/" not in name] == [
        "archive/timeline/rows.py"
    ]


def test_domain_imports_nothing_that_is_hidden() -> None:
    hiding = [named(file) for file in modules("archive") if "get_model(" in file.read_text()]
    assert [name for name in hiding if "/migrations/" not in name] == []
