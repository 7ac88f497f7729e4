"""There is no code that nobody calls: what is planted is found, and nothing else."""

import shutil

import pytest

from tests.house.dead_code import dead_code
from tests.house.sources import PROJECT

# What is planted where, and how it is reported.
DEAD = [
    ("archive/paths.py", "def dead_function() -> None: ...", "function dead_function"),
    ("archive/datasets/services.py", "def dead_service() -> None: ...", "function dead_service"),
    ("archive/errors.py", "class DeadError(Exception): ...", "class DeadError"),
    ("archive/patterns.py", "DEAD_NUMBER = 1", "variable DEAD_NUMBER"),
    ("dandiapi/limits.py", "class One:\n    def dead_method(self) -> None: ...\nOne()", "method dead_method"),
    ("dandiapi/web/about.py", "class Two:\n    @property\n    def dead(self) -> int: ...\nTwo()", "property dead"),
]
# What is called by those that vulture cannot see: a table, settings, templates, Django.
ALIVE = [
    ("archive/datasets/work.py", '@projection("planted")\ndef alive_projection() -> None: ...'),
    ("dandiapi/middleware.py", "class AliveMiddleware: ..."),
    ("dandiapi/settings/base.py", 'ALIVE_SETTING = "dandiapi.middleware.AliveMiddleware"'),
    ("dandiapi/web/entries.py", "class Three:\n    @property\n    def alive(self) -> int: ...\nThree()"),
    ("dandiapi/web/templates/facts.html", "{% if three.alive %}{% endif %}"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The dead code in a copy of the sources in which all of that is planted, without its places."""
    folder = tmp_path_factory.mktemp("sources")
    for package in ("archive", "dandiapi", "embedded"):
        shutil.copytree(PROJECT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy(PROJECT / name, folder)
    for name, planted in [*ALIVE, *((name, planted) for name, planted, _ in DEAD)]:
        with (folder / name).open("a") as file:
            file.write(f"\n{planted}\n")
    return [line.partition(": ")[2] for line in dead_code(folder)]


def test_code_is_all_called_but_for_what_is_planted(found: list[str]) -> None:
    assert sorted(found) == sorted(report for _, _, report in DEAD)
