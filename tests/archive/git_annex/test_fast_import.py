"""The stream of an import, as git reads it."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.git_annex import fast_import as stream
from archive.git_annex.files import FILE
from archive.git_annex.refs import MAIN

MOMENT = datetime(2025, 11, 21, 12, tzinfo=UTC)
PERSON = stream.person("A", "a@example.org")
PATHS = ["a", "sub-1/b c", '"quoted"', "back\\slash", 'a\n"b"\\c', "Ünïcode", " "]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", tmp_path], check=True)
    return tmp_path


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, input=stdin, check=True, capture_output=True).stdout


def commit(mark: int, parent: str = "") -> bytes:
    return stream.commit(
        MAIN, mark, author=PERSON, committer=PERSON, recorded=MOMENT, message=f"Commit {mark}\n\nMore.", parent=parent
    )


def import_into(folder: Path, *chunks: bytes) -> None:
    git(folder, "fast-import", "--quiet", "--done", "--date-format=raw", stdin=b"".join([*chunks, stream.DONE]))


def paths_of(folder: Path) -> set[str]:
    return {*git(folder, "ls-tree", "-r", "-z", "--name-only", MAIN).decode().split("\0")[:-1]}


def test_files_are_where_their_paths_say_whatever_is_in_these(folder: Path) -> None:
    import_into(folder, commit(1), *(stream.file(FILE, path, path.encode()) for path in PATHS))
    assert paths_of(folder) == {*PATHS}
    assert git(folder, "show", f"{MAIN}:a").decode() == "a"


def test_removed_files_are_gone_whatever_is_in_their_paths(folder: Path) -> None:
    files = [stream.file(FILE, path, b"x") for path in [*PATHS, "kept"]]
    import_into(folder, commit(1), *files, commit(2), *map(stream.removal, PATHS))
    assert paths_of(folder) == {"kept"}


def test_object_is_placed_by_its_mark(folder: Path) -> None:
    import_into(folder, stream.blob(1, b"Mice.\n"), commit(2), stream.marked_file(FILE, "a", 1))
    assert git(folder, "show", f"{MAIN}:a") == b"Mice.\n"


def test_commit_has_its_people_moment_message_and_parent(folder: Path) -> None:
    import_into(folder, commit(1), stream.file(FILE, "a", b"x"))
    parent = git(folder, "rev-parse", MAIN).decode().strip()
    import_into(folder, commit(1, parent), stream.file(FILE, "b", b"x"))
    told = git(folder, "show", "--no-patch", "--format=%an <%ae> %at %cn %P%n%B", MAIN).decode()
    assert told.strip() == f"A <a@example.org> {int(MOMENT.timestamp())} A {parent}\nCommit 1\n\nMore."


@pytest.mark.parametrize(
    ("name", "written"),
    [("Ada Lovelace", "Ada Lovelace"), (" a<b>\nc. ", "a b c"), ("<>", "unknown"), ("", "unknown")],
)
def test_person_is_named_without_what_git_cannot_have_in_names(name: str, written: str) -> None:
    assert stream.person(name, "a@example.org") == f"{written} <a@example.org>"
