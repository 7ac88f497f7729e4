"""The map of rooms in `docs/architecture.md` says what the rooms' docstrings say, in the order that imports have."""

from pathlib import Path

import pytest

from tests.house.map_of_rooms import BEGIN, DOCUMENT, END, map_of_rooms, name_of, purpose, rooms, with_map
from tests.house.sources import PROJECT

CONTRACT = """
[[tool.importlinter.contracts]]
id = "room-order"
layers = ["(plugins)", "upstairs", "cellar"]
"""
MAP = """| room | what it is for |
|---|---|
| `dandiapi/` | A face. |
| `archive/` | The domain. |
| `archive/upstairs/` | Over the cellar. |
| `archive/upstairs/closet/` | In a room. |
| `archive/cellar.py` | Under all. |
| `archive/attic/` | In no order. |"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small project with a room of each kind."""
    contents = {
        "pyproject.toml": CONTRACT,
        "dandiapi/__init__.py": '"""A face."""',
        "archive/__init__.py": '"""The domain. It knows no face."""',
        "archive/attic/__init__.py": '"""In no order."""',
        "archive/cellar.py": '"""Under\nall."""',
        "archive/upstairs/__init__.py": '"""Over the cellar."""',
        "archive/upstairs/closet/__init__.py": '"""In a room."""',
    }
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_map_is_up_to_date() -> None:
    document = (PROJECT / DOCUMENT).read_text()
    assert document == with_map(document, PROJECT)


def test_rooms_all_say_what_they_are_for() -> None:
    assert [name_of(room, PROJECT) for room in rooms(PROJECT) if not purpose(room)] == []


def test_map_has_rooms_from_the_top_down(house: Path) -> None:
    assert map_of_rooms(house) == MAP


def test_map_changes_when_a_docstring_does(house: Path) -> None:
    document = with_map(f"Before.\n{BEGIN}\n{END}\nAfter.\n", house)
    (house / "archive/cellar.py").write_text('"""Below everything."""')
    assert with_map(document, house) == document.replace("Under all.", "Below everything.")


def test_map_changes_when_a_room_is_added(house: Path) -> None:
    document = with_map(f"Before.\n{BEGIN}\n{END}\nAfter.\n", house)
    (house / "dandiapi/door").mkdir()
    (house / "dandiapi/door/__init__.py").write_text('"""A way in."""')
    door = "| `dandiapi/door/` | A way in. |"
    assert with_map(document, house) == document.replace("| A face. |\n", f"| A face. |\n{door}\n")
