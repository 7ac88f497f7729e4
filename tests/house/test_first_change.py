"""`docs/tutorials/first-change.md` is right: here it is followed, as it is written, in a copy of the sources.

What it shows is applied, its commands are run, and so are the tests that it has a newcomer write. Nothing is shared
with other tests: the copy has a folder, and what runs in it a database and a bucket, of its own.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.house.sources import PROJECT

TUTORIAL = (PROJECT / "docs/tutorials/first-change.md").read_text()
BLOCK = re.compile(r"^```(\w+)(?: title=\"(.+?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BESIDE_SERVICES = ".venv/bin/python -m embedded exec --throwaway -- "
MAKE_TEST = re.compile(r"make test TESTS='(.+)'")
# What is not run here: what looks at the archive, what keeps the change, and what takes minutes.
LEFT_OUT = ("git ", "make run", "make check", "make test", "TOKEN=", "curl ")
# Of the tests that it has a newcomer run, those that ask all routes and services as everybody: they take minutes.
LONG = ("tests/dandiapi/rest/test_access.py", "tests/archive/accounts/test_leaks.py")


class Block(NamedTuple):
    """What stands between two fences: in which language, and, of a new file, its path."""

    language: str
    path: str
    content: str

    @property
    def commands(self) -> list[str]:
        """The commands in what a console shows."""
        lines = self.content.replace("\\\n", "").splitlines()
        return [line.removeprefix("$ ") for line in lines if self.language == "console" and line.startswith("$ ")]


BLOCKS = [Block(*found) for found in BLOCK.findall(TUTORIAL)]
COMMANDS = [command for block in BLOCKS for command in block.commands]


def surroundings(folder: Path) -> dict[str, str]:
    """Return the environment of what is run in the copy: beside the same services, with a database of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}
    return inherited | {
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }


def own_database() -> str:
    """Return the address of a database that no other tests use."""
    database = urlsplit(os.environ["DATABASE_URL"])
    return database._replace(path=f"{database.path}_first_change").geturl()


def run(folder: Path, command: list[str], text: str = "", **variables: str) -> str:
    """Return what a command prints in the copy; CalledProcessError, and its output is shown, if it fails."""
    result = subprocess.run(
        command,
        cwd=folder,
        env=surroundings(folder) | variables,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(result.stdout, result.stderr)
    result.check_returncode()
    return result.stdout


def apply(folder: Path, block: Block) -> None:
    """Do what a block says."""
    if block.language == "diff":
        run(folder, ["git", "apply", "-"], block.content)
    elif block.path:
        (folder / block.path).write_text(block.content)
    for command in block.commands:
        if command.startswith((BESIDE_SERVICES, ".venv/bin/ruff ")):
            run(folder, shlex.split(command.removeprefix(BESIDE_SERVICES)))


def copy_sources(folder: Path) -> Path:
    """Copy what the tutorial changes, with what Python has compiled of it, and return the folder."""
    # What Python compiles at this moment, for other tests, has another name until it is done.
    left_out = shutil.ignore_patterns(".venv", "*.pyc.*")
    for name in ("archive", "dandiapi", "embedded", "tests"):
        shutil.copytree(PROJECT / name, folder / name, ignore=left_out)
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy2(PROJECT / name, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the sources in which somebody has followed the tutorial."""
    folder = copy_sources(tmp_path_factory.mktemp("first-change"))
    for block in BLOCKS:
        apply(folder, block)
    yield folder
    shutil.rmtree(folder)


def test_tutorial_has_its_tests_pass_when_it_is_followed(followed: Path) -> None:
    named = [found[1] for command in COMMANDS if (found := MAKE_TEST.fullmatch(command))][-1]
    tests = [name for name in shlex.split(named) if name not in LONG]
    pytest_run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    assert " passed" in run(followed, pytest_run, DATABASE_URL=own_database())


def test_tutorial_has_no_command_that_nobody_knows() -> None:
    known = (BESIDE_SERVICES, ".venv/bin/ruff ", *LEFT_OUT)
    assert [command for command in COMMANDS if not command.startswith(known)] == []


def test_tutorial_is_refused_when_the_sources_have_moved_on(tmp_path: Path) -> None:
    folder = copy_sources(tmp_path)
    model = folder / "archive/datasets/models.py"
    model.write_text(model.read_text().replace("star_count", "likes"))
    with pytest.raises(subprocess.CalledProcessError):
        apply(folder, next(block for block in BLOCKS if block.language == "diff"))
