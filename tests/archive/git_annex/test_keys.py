"""The keys of git-annex, held against what git-annex itself makes of the same files and keys."""

import subprocess
from hashlib import md5, sha256
from pathlib import Path

import pytest

from archive.errors import InvalidError
from archive.git_annex.keys import AnnexKey, annex_key, parse_annex_key

GIT_ANNEX = Path("tests/clients/.venv/bin/git-annex").resolve()
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
MD5 = "098f6bcd4621d373cade4e832627b4f6"
NAMES = (
    "a",
    "sub-1/a.nwb",
    "a.nii.gz",
    "a.ome.tiff",
    "a.very.long.extension",
    "a.tar.extension.gz",
    ".bidsignore",
    ".b.gz",
    "a.",
    "a..gz",
    "a.b.c.d",
    "a.Ünd",
    "a.x-y.gz",
    "a.h5_",
    "v1.2/a.12345",
)


def git_annex(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        [GIT_ANNEX, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_those_that_git_annex_gives(name: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"test")
    by_sha256 = annex_key(path=name, size=4, sha256=sha256(b"test").hexdigest())
    by_md5 = annex_key(path=name, size=4, md5=md5(b"test", usedforsecurity=False).hexdigest())
    assert git_annex(tmp_path, "calckey", "--backend=SHA256E", name) == str(by_sha256)
    assert git_annex(tmp_path, "calckey", "--backend=MD5E", name) == str(by_md5)


@pytest.mark.parametrize("number", range(20))
def test_folders_are_those_that_git_annex_looks_in(number: int, tmp_path: Path) -> None:
    key = AnnexKey("SHA256", number, DIGEST, ".nwb")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    wanted = git_annex(tmp_path, "examinekey", str(key), "--format=${hashdirlower} ${hashdirmixed}")
    assert f"{key.lower_folders}/ {key.mixed_folders}/" == wanted


@pytest.mark.parametrize(
    "text",
    [
        f"SHA256E-s4--{DIGEST}.nii.gz",
        f"SHA256E-s4--{DIGEST}",
        f"SHA256-s4--{DIGEST}",
        f"MD5E-s0--{MD5}.h5_",
        f"MD5-s4--{MD5}",
    ],
)
def test_key_is_read_as_it_was_written(text: str) -> None:
    assert str(parse_annex_key(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        f"SHA256E-s4--{MD5}.nwb",
        f"SHA256E--{DIGEST}",
        f"SHA256-s4--{DIGEST}.nwb",
        f"SHA256E-s04--{DIGEST}",
        f"SHA256E-s-4--{DIGEST}",
        f"SHA256E-s4-m12--{DIGEST}",
        f"SHA256E-s4-S10-C1--{DIGEST}",
        f"SHA256E-s4--{DIGEST.upper()}",
        f"SHA256E-s4--{DIGEST}/../x",
        f"SHA256E-s4--{DIGEST}.a.b.c.d.e",
        f"SHA256E-s4--{DIGEST}.nwb\n",
        f"SHA256E-s4--{DIGEST}.n\0b",
        f"SHA256E-s99999999999999999999--{DIGEST}",
        "WORM-s3-m1--a",
        "URL--http://example.org/a",
        f"SHA1E-s4--{DIGEST[:40]}",
    ],
)
def test_key_is_refused_by_name_when_it_is_not_sound(text: str) -> None:
    with pytest.raises(InvalidError):
        parse_annex_key(text)
