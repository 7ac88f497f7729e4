"""The map of rooms in `docs/architecture.md`, made of the packages' docstrings and the order of import-linter.

`python -m tests.house.map_of_rooms --write` brings it up to date; without `--write` it is printed.
"""

import ast
import re
import sys
import tomllib
from pathlib import Path

from tests.house.sources import PROJECT

DOCUMENT = "docs/architecture.md"
BEGIN = "<!-- The map of rooms, written by `python -m tests.house.map_of_rooms --write` -->"
END = "<!-- End of the map -->"


def rooms(project: Path) -> list[Path]:
    """Return the rooms from the top down; those of the domain in the order of import-linter.

    A room is a package, or a module that stands in that order by itself.
    """
    domain = project / "archive"
    ordered = [part for name in room_order(project) for part in [*packages(domain / name), *modules(domain, name)]]
    found = [*packages(project / "embedded"), *packages(project / "dandiapi"), domain, *ordered]
    return [*found, *(package for package in packages(domain) if package not in found)]


def room_order(project: Path) -> list[str]:
    """Return the names in the contract `room-order`; those in brackets need not exist."""
    contracts = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "room-order")
    return [layer.strip("()") for layer in layers]


def packages(folder: Path) -> list[Path]:
    """Return the package and all packages in it, by name."""
    return sorted(file.parent for file in folder.rglob("__init__.py"))


def modules(folder: Path, name: str) -> list[Path]:
    """Return the module of that name in the folder, if there is one."""
    return [file for file in [folder / f"{name}.py"] if file.exists()]


def purpose(room: Path) -> str:
    """Return the first sentence of a room's docstring; "" if it has none."""
    source = room / "__init__.py" if room.is_dir() else room
    docstring = " ".join((ast.get_docstring(ast.parse(source.read_text())) or "").split())
    sentence = re.match(r".+?[.](?= |$)", docstring)
    return sentence[0] if sentence else ""


def map_of_rooms(project: Path) -> str:
    """Return the map as a table in Markdown."""
    lines = [f"| `{name_of(room, project)}` | {purpose(room)} |" for room in rooms(project)]
    return "\n".join(["| room | what it is for |", "|---|---|", *lines])


def name_of(room: Path, project: Path) -> str:
    """Return the room's path as seen from the project, a package's with a slash at its end."""
    return room.relative_to(project).as_posix() + ("/" if room.is_dir() else "")


def with_map(document: str, project: Path) -> str:
    """Return the document with the map as it should be between the two marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{map_of_rooms(project)}\n{END}{after}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        (PROJECT / DOCUMENT).write_text(with_map((PROJECT / DOCUMENT).read_text(), PROJECT))
    else:
        print(map_of_rooms(PROJECT))
