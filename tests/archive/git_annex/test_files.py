"""What stands for content in the annex: links, held against those that git-annex makes, and pointers."""

import os
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import InvalidError
from archive.git_annex.files import EXECUTABLE, FILE, LINK, key_of, link_target, linked_key, pointer_key
from archive.git_annex.keys import AnnexKey, annex_key

GIT_ANNEX = Path("tests/clients/.venv/bin/git-annex").resolve()
DIGEST = sha256(b"test").hexdigest()
KEY = AnnexKey("SHA256", 4, DIGEST, ".nwb")
PLACE = f".git/annex/objects/{KEY.mixed_folders}/{KEY}/{KEY}"

names = st.text("ab.", min_size=1, max_size=3)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
keys = st.builds(
    annex_key, path=st.sampled_from(["a", "a.nwb", "a.nii.gz"]), size=st.integers(0, 2**50), sha256=digests
)


def test_link_is_the_one_that_git_annex_makes(tmp_path: Path) -> None:
    path = "sub-1/ses-1/a.nwb"
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"test")
    subprocess.run([GIT_ANNEX, "init", "-q"], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([GIT_ANNEX, "add", "--backend=SHA256E", path], cwd=tmp_path, check=True, capture_output=True)
    assert os.readlink(file) == link_target(path, annex_key(path=path, size=4, sha256=DIGEST))  # noqa: PTH115


def test_link_climbs_out_of_its_folders() -> None:
    assert link_target("a", KEY) == PLACE
    assert link_target("sub-1/ses-1/a", KEY) == f"../../{PLACE}"


@given(folders=st.lists(names, max_size=4), key=keys)
def test_link_is_read_as_it_was_made(folders: list[str], key: AnnexKey) -> None:
    path = "/".join([*folders, "a"])
    assert linked_key(path, link_target(path, key).encode()) == key


@given(target=st.binary(max_size=300))
def test_link_is_refused_whatever_it_holds_that_git_annex_did_not_make(target: bytes) -> None:
    with pytest.raises(InvalidError):
        linked_key("a", target)


def test_link_by_the_hash_for_poor_file_systems_is_read() -> None:
    assert linked_key("a", f".git/annex/objects/{KEY.lower_folders}/{KEY}/{KEY}".encode()) == KEY


@pytest.mark.parametrize(
    ("path", "target", "fault"),
    [
        ("a", "", "empty or too long"),
        ("a", "a" * 4097, "empty or too long"),
        ("a", "/etc/passwd", "absolute path, /etc/passwd"),
        ("a", f"../{PLACE}", "leads out of the repository"),
        ("x/a", PLACE, "was not made for this path"),
        ("a", "b", "a link to b; of links, only those"),
        ("a", PLACE.replace(KEY.mixed_folders, "aa/bb"), "git-annex would not make"),
        ("a", f"{PLACE}/../x", "'x' is not a key"),
    ],
)
def test_link_is_refused_when_git_annex_would_not_make_it(path: str, target: str, fault: str) -> None:
    with pytest.raises(InvalidError, match=fault):
        linked_key(path, target.encode())


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n/annex/more\n"])
def test_pointer_is_read(end: str) -> None:
    assert pointer_key(f"/annex/objects/{KEY}{end}".encode()) == KEY


@pytest.mark.parametrize(
    "content", [b"/annex/objects/", b"/annex/objects/a/b\n", f"/annex/objects/{KEY}\nx\n".encode()]
)
def test_pointer_is_refused_when_it_is_not_sound(content: bytes) -> None:
    with pytest.raises(InvalidError):
        pointer_key(content)


@pytest.mark.parametrize("mode", [FILE, EXECUTABLE])
def test_file_stands_for_content_when_it_is_a_pointer(mode: str) -> None:
    assert key_of("a.nwb", mode, f"/annex/objects/{KEY}\n".encode()) == KEY
    assert key_of("a.nwb", mode, b"Mice.\n") is None


def test_link_stands_for_content() -> None:
    assert key_of("x/a.nwb", LINK, f"../{PLACE}".encode()) == KEY
