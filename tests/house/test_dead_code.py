"""What nobody calls is found, and nothing else: in a small project in which both are planted.

The project itself is held to it by `make check`.
"""

import shutil
from pathlib import Path

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
    ("embedded/home.py", "def alive_home() -> None: ..."),
    ("manage.py", "from embedded.home import alive_home\nalive_home()"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of nothing but what is planted, under the options of this one."""
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    for name, planted in [*ALIVE, *((name, planted) for name, planted, _ in DEAD)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{planted}\n")
    return tmp_path


def test_code_is_all_called_but_for_what_nobody_calls(project: Path) -> None:
    found = [line.partition(": ")[2] for line in dead_code(project)]
    assert sorted(found) == sorted(report for _, _, report in DEAD)
