"""Pushes that must not be taken: each is refused by name, and leaves no trace."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from archive.datasets.models import Dataset
from archive.git_annex.keys import AnnexKey, annex_key
from tests.archive.snapshots.pushing.pusher import (
    EXECUTABLE,
    FILE,
    FOLDER,
    GOOD,
    KEY,
    LINK,
    MAIN,
    NONE,
    Place,
    Pusher,
    Tree,
    first_push,
    new_repository,
    refused,
    run_git,
)
from tests.factories import (
    make_asset,
    make_blob_row,
    make_dataset,
    make_embargoed_dataset,
    owner_of,
)
from tests.worker import MadeOnce, Worker

pytestmark = pytest.mark.django_db

SECRET = b"What nobody may see.\n"
SECRET_KEY = annex_key(path="a.txt", size=len(SECRET), sha256=hashlib.sha256(SECRET).hexdigest())


def hide_secret() -> None:
    """Somebody else's embargoed dataset has the content of SECRET_KEY."""
    dataset = make_embargoed_dataset()
    uploader = owner_of(dataset).user
    assert uploader
    make_asset(dataset, blob=make_blob_row(uploader, size=len(SECRET), sha256=SECRET_KEY.digest))


@dataclass(frozen=True)
class Prepared:
    """A dataset that has been pushed to, and in `folder` its repository and the pusher's own."""

    dataset: int
    folder: Path
    main: str


@pytest.fixture(scope="module", autouse=True)
def prepared(made_once: MadeOnce[Prepared], tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Made once for all tests: what they do to its repositories, they do to copies."""
    folder = tmp_path_factory.mktemp("prepared")

    def make(_: Worker) -> Prepared:
        hide_secret()
        place = Place(make_dataset(), new_repository(folder / "origin.git"))
        main = first_push(place, Pusher(new_repository(folder / "clone.git")))
        return Prepared(place.dataset.pk, folder, main)

    return made_once(make)


@pytest.fixture
def dataset(db: None, prepared: Prepared) -> Dataset:
    return Dataset.objects.get(pk=prepared.dataset)


@pytest.fixture
def place(dataset: Dataset, prepared: Prepared, tmp_path: Path) -> Place:
    return Place(dataset, copytree(prepared.folder / "origin.git", tmp_path / "origin.git"))


@pytest.fixture
def pusher(prepared: Prepared, tmp_path: Path) -> Pusher:
    return Pusher(copytree(prepared.folder / "clone.git", tmp_path / "clone.git"))


@pytest.fixture
def main(prepared: Prepared) -> str:
    return prepared.main


@pytest.fixture(autouse=True)
def _small_files_in_git(settings: Any) -> None:
    settings.GIT_MAX_FILE_SIZE = 2000


def link(key: AnnexKey | str, path: str = "new.txt", folders: str = "") -> str:
    """What a link at `path` to that key holds."""
    folders = folders or (key.mixed_folders if isinstance(key, AnnexKey) else "aa/bb")
    return "../" * path.count("/") + f".git/annex/objects/{folders}/{key}/{key}"


def pointer(key: AnnexKey | str) -> bytes:
    return f"/annex/objects/{key}\n".encode()


DIGEST = KEY.digest
TREES: dict[str, tuple[Tree, str]] = {
    # --- Names
    "dot dot": ({"..": {"a.txt": b"x"}}, "..: some systems take a name in it for another"),
    "dot": ({".": {"a.txt": b"x"}}, ".: some systems take a name in it for another"),
    "git folder": ({".git": {"config": b"x"}}, ".git: some systems take"),
    "git folder below": ({"sub-1": {".git": {"hooks": b"x"}}}, "sub-1/.git: some systems take"),
    "git folder in capitals": ({".GIT": {"config": b"x"}}, ".GIT: some systems take"),
    "git folder of Windows": ({"git~1": {"config": b"x"}}, "git~1: some systems take"),
    "git folder with a dot": ({".git.": {"config": b"x"}}, ".git.: some systems take"),
    "git folder with a space": ({".git ": {"config": b"x"}}, ".git : some systems take"),
    "git folder of macOS": ({".g\u200cit": {"config": b"x"}}, r".g\u200cit: some systems take"),
    "git stream of Windows": (
        {".git::$INDEX_ALLOCATION": {"config": b"x"}},
        ".git::$INDEX_ALLOCATION: some systems take",
    ),
    "backslash": ({"sub-1\\..\\x": b"x"}, "a backslash"),
    "backslash to git": ({"sub\\.git\\config": b"x"}, "a backslash"),
    "slash": ({"sub/x": b"x"}, "fullPathname"),
    "empty name": ({"": b"x"}, "empty filename in tree entry"),
    "newline": ({"a\nb": b"x"}, r"a\nb: Path improperly formatted: it contains a control character"),
    "escape": ({"a\x1b[31m": b"x"}, r"a\x1b[31m: Path improperly formatted: it contains a control character"),
    "direction of text": ({"a\u202etxt.exe": b"x"}, r"a\u202etxt.exe: Path improperly formatted"),
    "not UTF-8": ({b"a\xff.txt": b"x"}, r"a\xff.txt: its name is not UTF-8"),
    "not composed": ({"cafe\u0301": b"x"}, "it is not in Unicode normalization form C; use 'caf\u00e9'"),
    "long name": ({"a" * 300: b"x"}, "is longer than 255 bytes"),
    "long path": ({"a" * 200: {"b" * 200: {"c" * 200: b"x"}}}, "it is longer than 512 characters"),
    # --- Names that some systems cannot tell apart
    "case of files": ({"readme.md": b"x"}, "readme.md: some systems cannot tell it from 'README.md'"),
    "case of folders": (
        {"SUB-1": {"Notes.txt": b"x"}},
        "SUB-1/Notes.txt: some systems cannot tell it from 'sub-1/notes.txt'",
    ),
    "case of file and folder": ({"Sub-1": b"x"}, "Sub-1: some systems cannot tell it from 'sub-1'"),
    "case of folder and file": ({"A.TXT": {"x": b"x"}}, "A.TXT/x: some systems cannot tell it from 'a.txt'"),
    "case below": ({"new": {"x": {"a": b"x", "A": b"x"}}}, "new/x/A: some systems cannot tell it from 'new/x/a'"),
    "Greek": ({"ὁδός": b"x", "ὉΔΌΣ": b"x"}, "ὁδός: some systems cannot tell it from 'ὉΔΌΣ'"),
    # --- Modes
    "submodule": ({"sub": ("160000", "1" * 40)}, "sub: it is a submodule"),
    "gitmodules": ({".gitmodules": b'[submodule "a"]\n\tpath = a\n\turl = a\n'}, "'.gitmodules' is not allowed"),
    "hostile gitmodules": ({".gitmodules": b'[submodule "a"]\n\tpath = a\n\turl = -u\n'}, "gitmodulesUrl"),
    "gitmodules as link": ({".gitmodules": "a.txt"}, "gitmodulesSymlink"),
    "group may write": ({"new.txt": ("100664", b"x")}, "badFilemode"),
    "set user id": ({"new.txt": ("104755", b"x")}, "badFilemode"),
    "zero-padded mode": ({"new.txt": ("0100644", b"x")}, "zeroPaddedFilemode"),
    # --- Links
    "absolute link": ({"new.txt": "/etc/passwd"}, "new.txt: it is a link to an absolute path, /etc/passwd"),
    "climbing link": ({"new.txt": "../../etc/passwd"}, "new.txt: it is a link that leads out of the repository"),
    "climbing link below": ({"x": {"y": "../../z"}}, "x/y: it is a link that leads out of the repository"),
    "link that turns": ({"x": {"y": "../a/../../z"}}, "x/y: it is a link to ../a/../../z"),
    "link to a sibling": ({"new.txt": "a.txt"}, "new.txt: it is a link to a.txt"),
    "link to a folder": ({"new": "sub-1"}, "new: it is a link to sub-1"),
    "link to git": ({"new.txt": ".git/config"}, "new.txt: it is a link to .git/config"),
    "link to nothing": ({"new.txt": ""}, "new.txt: it is a link whose target is empty or too long"),
    "long link": ({"new.txt": "a" * 5000}, "new.txt: it is a link whose target is empty or too long"),
    "link to another annex": ({"new.txt": f"../other/{link(KEY)}"}, "new.txt: it is a link that leads out"),
    "link out of the annex": (
        {"new.txt": f".git/annex/objects/../../../{KEY}/{KEY}"},
        f"new.txt: it is a link that git-annex would not make for {KEY}",
    ),
    "link to a folder of another key": ({"new.txt": link(KEY, folders="aa/bb")}, "git-annex would not make for"),
    "link with another folder": (
        {"new.txt": f".git/annex/objects/{KEY.mixed_folders}/{SECRET_KEY}/{KEY}"},
        "git-annex would not make for",
    ),
    "link from elsewhere": ({"x": {"y.txt": link(KEY)}}, "x/y.txt: it is a link that was not made for this path"),
    "link with more": ({"new.txt": f"{link(KEY)}/../../x"}, "'x' is not a key"),
    "link that is no text": ({"new.txt": (LINK, b".git/annex/objects/\xff")}, r"\\xff' is not a key"),
    # --- Keys
    "key without size": ({"new.txt": link(f"SHA256E--{DIGEST}.txt")}, "is not a key of the backends"),
    "key of another backend": ({"new.txt": link(f"SHA1E-s18--{DIGEST[:40]}.txt")}, "is not a key of the backends"),
    "key of the web": ({"new.txt": link("URL--http&c%%example.org%a")}, "is not a key of the backends"),
    "key by time": ({"new.txt": link("WORM-s18-m1--a.txt")}, "is not a key of the backends"),
    "key of a chunk": ({"new.txt": link(f"SHA256E-s18-S9-C1--{DIGEST}.txt")}, "is not a key of the backends"),
    "key with a short digest": ({"new.txt": link(f"SHA256E-s18--{DIGEST[:-1]}")}, "is not a sound SHA256E key"),
    "key in capitals": ({"new.txt": link(f"SHA256E-s18--{DIGEST.upper()}")}, "is not a sound SHA256E key"),
    "key with a padded size": ({"new.txt": link(f"SHA256E-s018--{DIGEST}")}, "is not a key of the backends"),
    "key with an extension it must not have": (
        {"new.txt": link(f"SHA256-s18--{DIGEST}.txt")},
        "not a sound SHA256 key",
    ),
    "wrong size": (
        {"new.txt": link(KEY._replace(size=17))},
        f"new.txt: its key {KEY._replace(size=17)} says that it has 17 bytes; content of that digest has 18",
    ),
    "unknown key": (
        {"new.txt": link(KEY._replace(digest="0" * 64))},
        f"new.txt: the archive does not have its content, {KEY._replace(digest='0' * 64)}; send that first: `git annex",
    ),
    "unknown MD5": (
        {"new.txt": link(AnnexKey("MD5", 18, "0" * 32, ".txt"))},
        "new.txt: the archive does not have its content, MD5E-s18--0000",
    ),
    "content of somebody else's": (
        {"new.txt": link(SECRET_KEY)},
        f"new.txt: the archive does not have its content, {SECRET_KEY}",
    ),
    "pointer to what is unknown": ({"new.txt": pointer(SECRET_KEY)}, "new.txt: the archive does not have its content"),
    "pointer that is none": ({"new.txt": b"/annex/objects/\n"}, "new.txt: it begins like a pointer of git-annex"),
    "pointer with more": ({"new.txt": pointer(KEY) + b"and more\n"}, "new.txt: it begins like a pointer of git-annex"),
    "pointer to a folder": ({"new.txt": b"/annex/objects/../../config\n"}, "new.txt: it begins like a pointer"),
    # --- Files
    "file too big for git": (
        {"new.txt": b"x" * 2001},
        "new.txt: it has 2001 bytes, and git is for files of at most 2000",
    ),
}


@pytest.mark.parametrize(("entries", "fault"), TREES.values(), ids=TREES)
def test_hostile_tree_is_refused_by_name(place: Place, pusher: Pusher, main: str, entries: Tree, fault: str) -> None:
    commit = pusher.commit({**GOOD, **entries}, main)
    assert fault in refused(place, pusher.request((main, commit, MAIN)))


# --- More than one entry at fault -------------------------------------------------------------------------------------


def test_every_fault_is_named_up_to_a_limit_and_the_others_counted(place: Place, pusher: Pusher, main: str) -> None:
    commit = pusher.commit({**GOOD, **{f"{number:02}.txt": "" for number in range(26)}}, main)
    said = refused(place, pusher.request((main, commit, MAIN)))
    assert [f"{number:02}.txt: it is a link whose target is empty" in said for number in (0, 19, 20)] == [
        True,
        True,
        False,
    ]
    assert "... and 6 more." in said
    assert "Refused; nothing was changed." in said


def test_push_of_more_files_than_allowed_is_refused(place: Place, pusher: Pusher, main: str, settings: Any) -> None:
    settings.GIT_PUSH_MAX_FILES = 100
    commit = pusher.commit({**GOOD, "new": {f"{number}.txt": b"x" for number in range(101)}}, main)
    assert "More than 100 files are changed" in refused(place, pusher.request((main, commit, MAIN)))


def test_bomb_of_nested_folders_is_refused_before_it_unfolds(
    place: Place, pusher: Pusher, main: str, settings: Any
) -> None:
    settings.GIT_PUSH_MAX_FILES = 10_000
    tree = pusher.tree({str(number): b"x" for number in range(10)})
    for _ in range(12):
        tree = pusher.raw_tree([(str(number).encode(), FOLDER, tree) for number in range(10)])
    commit = pusher.commit(tree, main)
    assert "files are changed; push them in several steps" in refused(place, pusher.request((main, commit, MAIN)))


def test_folders_as_deep_as_can_be_are_refused(place: Place, pusher: Pusher, main: str) -> None:
    tree = pusher.tree({"a": b"x"})
    for _ in range(600):
        tree = pusher.raw_tree([(b"a", FOLDER, tree)])
    commit = pusher.commit(tree, main)
    assert "Path improperly formatted: it is longer than 512 characters" in refused(
        place, pusher.request((main, commit, MAIN))
    )


def test_same_name_twice_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    blob = pusher.blob(b"x")
    tree = pusher.raw_tree([(b"a", FILE, blob), (b"a", EXECUTABLE, blob)])
    assert "duplicateEntries" in refused(place, pusher.request((main, pusher.commit(tree, main), MAIN)))


def test_names_out_of_order_are_refused(place: Place, pusher: Pusher, main: str) -> None:
    blob = pusher.blob(b"x")
    tree = pusher.raw_tree([(b"b", FILE, blob), (b"a", FILE, blob)])
    assert "treeNotSorted" in refused(place, pusher.request((main, pusher.commit(tree, main), MAIN)))


def test_folder_that_is_a_file_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    tree = pusher.raw_tree([(b"a", FOLDER, pusher.blob(b"x"))])
    assert "not a tree" in refused(place, pusher.request((main, pusher.commit(tree, main), MAIN)))


@pytest.mark.parametrize("name", ["..", ".git", "sub\\.git"])
def test_names_of_git_in_an_older_commit_are_refused(place: Place, pusher: Pusher, main: str, name: str) -> None:
    older = pusher.commit({**GOOD, name: {"config": b"x"}}, main)
    said = refused(place, pusher.request((main, pusher.commit(GOOD, older), MAIN)))
    assert f"{name}: some systems take a name in it for another" in said


def test_folder_of_git_that_is_empty_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    said = refused(place, pusher.request((main, pusher.commit({**GOOD, "sub-2": {".git": {}}}, main), MAIN)))
    assert "sub-2/.git: some systems take a name in it for another" in said


# --- Refs -------------------------------------------------------------------------------------------------------------


def test_tag_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    said = refused(place, pusher.request((NONE, main, "refs/tags/0.251121.1200")))
    assert "refs/tags/0.251121.1200: tags are the published versions of the dataset" in said


def test_other_branch_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    said = refused(place, pusher.request((NONE, main, "refs/heads/master")))
    assert "refs/heads/master: of branches, only main can be pushed, as in `git push origin HEAD:main`." in said


def test_branch_below_main_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    assert "refs/heads/main/x: of branches, only main" in refused(
        place, pusher.request((NONE, main, "refs/heads/main/x"))
    )


def test_deletion_of_main_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    assert "refs/heads/main: it cannot be deleted." in refused(place, pusher.request((main, NONE, MAIN)))


def test_push_that_leaves_out_what_was_there_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    forced = pusher.commit({"other.txt": b"x"})
    said = refused(place, pusher.request((main, forced, MAIN)))
    assert "refs/heads/main: it leaves out what the archive has in it: fetch first, merge, and push again." in said


def test_push_on_top_of_an_older_main_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    newer = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    assert place.push(pusher.request((main, newer, MAIN))).is_accepted
    other = pusher.commit({**GOOD, "c.txt": b"x"}, main)
    assert "fetch first" in refused(place, pusher.request((main, other, MAIN)))


def test_branch_of_git_annex_that_leaves_out_ours_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    ours = pusher.commit({"uuid.log": b"x"})
    place.push(pusher.request((NONE, ours, "refs/heads/git-annex")))
    run_git(place.folder, "fetch", "--quiet", str(pusher.folder), ours)
    run_git(place.folder, "update-ref", "refs/heads/git-annex", ours)
    theirs = pusher.commit({"uuid.log": b"y"})
    said = refused(place, pusher.request((ours, theirs, "refs/heads/git-annex")))
    assert "refs/heads/git-annex: it leaves out what the archive has in it" in said


def test_tree_in_the_place_of_a_commit_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    said = refused(place, pusher.request((main, pusher.tree(GOOD), MAIN)))
    assert "refs/heads/main: it is to be a commit, not a tree." in said


def test_good_main_is_refused_beside_what_is_not(place: Place, pusher: Pusher, main: str) -> None:
    commit = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    said = refused(place, pusher.request((main, commit, MAIN), (NONE, commit, "refs/tags/v1")))
    assert "refs/tags/v1: tags are the published versions" in said


def test_two_commits_for_one_branch_are_refused(place: Place, pusher: Pusher, main: str) -> None:
    one, other = (pusher.commit({**GOOD, "b.txt": content}, main) for content in (b"x", b"y"))
    said = refused(place, pusher.request((main, one, MAIN), (NONE, other, "refs/heads/synced/main")))
    assert "they are to be the same commit" in said
