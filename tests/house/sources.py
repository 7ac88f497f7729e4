"""The sources that the law is about."""

import ast
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def modules(*folders: str) -> list[Path]:
    """The Python files in some folders of the project, but for what is installed there."""
    found = (file for folder in folders for file in (PROJECT / folder).rglob("*.py"))
    return sorted(file for file in found if ".venv" not in file.parts)


def named(file: Path) -> str:
    """The file as seen from the project."""
    return file.relative_to(PROJECT).as_posix()


def nodes(file: Path) -> Iterator[ast.AST]:
    """Everything in a module, in no order."""
    return ast.walk(ast.parse(file.read_text(), file.name))
