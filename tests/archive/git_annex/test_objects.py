"""The objects of git and its references, held against those that git makes."""

import subprocess
from pathlib import Path

import pytest

from archive.git_annex.objects import object_id, tree_items
from archive.git_annex.refs import MAIN, PACKED_REFS, packed_refs, tag_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", tmp_path], check=True)
    return tmp_path


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, input=stdin, check=True, capture_output=True).stdout


@pytest.mark.parametrize("content", [b"", b"Mice.\n", b"\0\xff" * 1000])
def test_object_has_the_id_that_git_gives_it(content: bytes, folder: Path) -> None:
    assert git(folder, "hash-object", "--stdin", stdin=content).decode().strip() == object_id("blob", content)


def test_tree_is_read_item_by_item(folder: Path) -> None:
    blob = git(folder, "hash-object", "-w", "--stdin", stdin=b"Mice.\n").decode().strip()
    below = git(folder, "mktree", stdin=f"100644 blob {blob}\ta\n".encode()).decode().strip()
    lines = f"100644 blob {blob}\tREADME.md\n120000 blob {blob}\tlink\n040000 tree {below}\tsub-1\n"
    tree = git(folder, "mktree", stdin=lines.encode()).decode().strip()
    items = tree_items(git(folder, "cat-file", "tree", tree))
    assert {name: tuple(item) for name, item in items.items()} == {
        b"README.md": ("100644", blob),
        b"link": ("120000", blob),
        b"sub-1": ("40000", below),
    }
    assert [name for name, item in items.items() if item.is_folder] == [b"sub-1"]


def test_empty_tree_has_no_items() -> None:
    assert tree_items(b"") == {}


def test_packed_references_are_those_that_git_has(folder: Path) -> None:
    tree = git(folder, "mktree").decode().strip()
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    commit = git(folder, *identity, "commit-tree", "-m", "m", tree).decode().strip()
    (folder / PACKED_REFS).write_text(packed_refs({MAIN: commit, tag_of("0.251121.1200"): commit}))
    listed = git(folder, "for-each-ref", "--format=%(refname) %(objectname)").decode()
    assert listed == f"refs/heads/main {commit}\nrefs/tags/0.251121.1200 {commit}\n"
