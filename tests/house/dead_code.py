"""Code that nobody calls: what vulture finds, once it is told of the callers it cannot see.

`python -m tests.house.dead_code` prints it, and fails if there is any; `make check` does. What is left out, and why, is
said in `[tool.vulture]` of `pyproject.toml`.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from keyword import iskeyword
from pathlib import Path

from vulture import Vulture
from vulture.core import Item

from tests.house.sources import PROJECT

PACKAGES = ("archive", "dandiapi", "embedded")
# Names of imports are ruff's affair. Fields of models, serializers and dataclasses, and the settings of classes, are
# read by their names, in SQL, JSON and by Django: of variables it is constants alone that somebody must speak of.
KINDS = {"function", "class", "method", "property"}
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")
READ_BY_NAME = "dandiapi/settings/"

DOTTED_NAME = re.compile(r'"(?:archive|dandiapi)\.([\w.]+)"')
IN_TEMPLATE = re.compile(r"{[{%](.*?)[%}]}", re.DOTALL)
NAME = re.compile(r"[A-Za-z_]\w*")


def dead_code(project: Path) -> list[str]:
    """Return what nobody calls, as `file:line: kind name`."""
    options = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["vulture"]
    search = Vulture(ignore_names=options["ignore_names"], ignore_decorators=options["ignore_decorators"])
    search.scavenge([str(project / path) for path in options["paths"]], exclude=options["exclude"])
    search.scan("\n".join(sorted({*named_by_strings(project), *named_by_templates(project)})))
    found = search.get_unused_code(min_confidence=options["min_confidence"])
    return [described(item, project) for item in found if is_judged(item, project)]


def named_by_strings(project: Path) -> Iterator[str]:
    """The names in dotted paths of ours: settings, and whatever else, have Django import by them."""
    for file in [
        *project.glob("archive/**/*.py"),
        *project.glob("dandiapi/**/*.py"),
        *project.glob("embedded/**/*.py"),
    ]:
        for path in DOTTED_NAME.findall(file.read_text()):
            yield from NAME.findall(path)


def named_by_templates(project: Path) -> Iterator[str]:
    """The names that templates speak of."""
    for file in (found for package in PACKAGES for found in project.glob(f"{package}/**/templates/**/*.*")):
        for expression in IN_TEMPLATE.findall(file.read_text()):
            yield from (name for name in NAME.findall(expression) if not iskeyword(name))


def is_judged(item: Item, project: Path) -> bool:
    """Whether vulture sees all who might call such a thing."""
    if item.typ in KINDS:
        return True
    return bool(CONSTANT.fullmatch(item.name)) and not place(item, project).startswith(READ_BY_NAME)


def place(item: Item, project: Path) -> str:
    """The file that something is in, as seen from the project."""
    return Path(item.filename).resolve().relative_to(project.resolve()).as_posix()


def described(item: Item, project: Path) -> str:
    """Where something is, and what."""
    return f"{place(item, project)}:{item.first_lineno}: {item.typ} {item.name}"


if __name__ == "__main__":
    found = dead_code(PROJECT)
    print("\n".join(found) or "No code that nobody calls.")
    sys.exit(bool(found))
