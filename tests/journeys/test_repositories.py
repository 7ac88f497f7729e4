"""The real git, git-annex and DataLad: what `dandi` uploads they clone and get; what they push, `dandi` downloads."""

import json
import shutil
from pathlib import Path

import httpx
import pytest

from tests.journeys.client import DandiClient
from tests.journeys.git_client import GitClient
from tests.journeys.rest import VALID_METADATA, Json, add_file, create_dandiset, rest_client, success
from tests.journeys.running import RunningArchive, wait_for
from tests.journeys.test_dandi_client import MIB, digests, draft_url, upload, write_files

FIRST = "sub-a/sub-a_ses-1.nwb"
SECOND = "sub-a/sub-a_ses-2.nwb"
README = "README.md"
FOLLOW_SECONDS = 60
# Without history, but with the branch that says where content is.
SHALLOW = ("--depth=1", "--no-single-branch")
SECRET = "sub-a/secret.bin"
SECRET_CONTENT = bytes(range(256)) * 8192

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture
def owner(running_archive: RunningArchive, tmp_path: Path) -> GitClient:
    """The programs of the datasets' owner."""
    return GitClient(running_archive.url, running_archive.token, tmp_path / "owner")


@pytest.fixture
def stranger(running_archive: RunningArchive, stranger_token: str, tmp_path: Path) -> GitClient:
    """The programs of somebody who is signed in and owns nothing."""
    return GitClient(running_archive.url, stranger_token, tmp_path / "stranger")


@pytest.fixture
def anybody(running_archive: RunningArchive, tmp_path: Path) -> GitClient:
    """The programs of somebody without a token."""
    return GitClient(running_archive.url, "", tmp_path / "anybody")


@pytest.fixture(scope="module")
def uploaded(running_archive: RunningArchive, lasting_dandi: DandiClient) -> Json:
    """A dataset uploaded by `dandi`, published, and then changed: its identifier, its version, the files of both."""
    dandi = lasting_dandi
    dandiset: str = dandi.script("create_dandiset", "To be cloned")
    dandi.run("download", "--download", "dandiset.yaml", draft_url(dandi, dandiset))
    folder = dandi.folder / dandiset
    write_files(dandi, folder, [(FIRST, 1, MIB)])
    upload(dandi, folder)
    with rest_client(running_archive) as api:
        add_file(api, dandiset, README, b"# To be cloned\n")
    version: str = dandi.script("publish", dandiset, json.dumps(VALID_METADATA))
    write_files(dandi, folder, [(SECOND, 2, MIB)])
    upload(dandi, folder)
    wait_until_followed(running_archive, dandiset)
    return {"dandiset": dandiset, "version": version, "folder": folder}


def repository_of(archive: RunningArchive, dandiset: str) -> Json:
    """What the API says of a repository."""
    with rest_client(archive) as api:
        found: Json = success(api.get(f"/dandisets/{dandiset}/repository/")).json()
    return found


def wait_until_followed(archive: RunningArchive, dandiset: str) -> Json:
    """What the API says of a repository as soon as all that has happened is in it."""

    def followed() -> Json:
        found = repository_of(archive, dandiset)
        if not found["is_current"]:
            raise LookupError(f"The repository has not followed: {found}")
        return found

    return wait_for(followed, FOLLOW_SECONDS)


def recordings(folder: Path) -> dict[str, str]:
    """The recordings in a folder, by their paths, each with its SHA-256."""
    return {path: digest for path, digest in digests(folder).items() if path.startswith("sub-")}


# --- Cloning ----------------------------------------------------------------------------------------------------------


def test_clone_has_the_files_of_draft_and_version(
    running_archive: RunningArchive, anybody: GitClient, uploaded: Json
) -> None:
    clone = anybody.clone(uploaded["dandiset"], "full")
    assert anybody.files(clone) == {FIRST, SECOND, README}
    assert anybody.files(clone, uploaded["version"]) == {FIRST, README}
    assert (clone / README).read_text() == "# To be cloned\n"
    assert anybody.git("cat-file", "-t", uploaded["version"], within=clone) == "commit\n"
    anybody.git("fsck", "--strict", "--full", within=clone)
    told = repository_of(running_archive, uploaded["dandiset"])
    assert told["clone_url"] == anybody.repository_url(uploaded["dandiset"])
    assert told["commit"] == anybody.git("rev-parse", "HEAD", within=clone).strip()


@pytest.mark.parametrize(
    "options", [SHALLOW, ("--filter=blob:none",), ("--no-tags",)], ids=["shallow", "without blobs", "without tags"]
)
def test_clone_of_a_part_has_the_same_files_and_gets_content(
    anybody: GitClient, uploaded: Json, options: tuple[str, ...]
) -> None:
    clone = anybody.clone(uploaded["dandiset"], "part", *options)
    assert anybody.files(clone) == {FIRST, SECOND, README}
    assert (clone / README).read_text() == "# To be cloned\n"
    anybody.git("annex", "get", ".", within=clone)
    assert recordings(clone) == recordings(uploaded["folder"])


@pytest.mark.parametrize("options", [(), SHALLOW], ids=["whole", "shallow"])
def test_clone_of_a_version_by_its_name_gets_content(
    anybody: GitClient, uploaded: Json, options: tuple[str, ...]
) -> None:
    clone = anybody.clone(uploaded["dandiset"], "version", "--branch", uploaded["version"], *options)
    assert anybody.files(clone) == {FIRST, README}
    anybody.git("annex", "get", FIRST, within=clone)
    assert recordings(clone)[FIRST] == recordings(uploaded["folder"])[FIRST]


def test_shallow_clone_without_the_branch_of_git_annex_gets_content_once_it_has_fetched_that(
    anybody: GitClient, uploaded: Json
) -> None:
    clone = anybody.clone(uploaded["dandiset"], "bare", "--depth=1")
    anybody.git("annex", "init", within=clone)
    assert "not available" in anybody.attempt("git", "annex", "get", FIRST, within=clone).stdout
    anybody.git("remote", "set-branches", "--add", "origin", "git-annex", within=clone)
    anybody.git("fetch", "--depth=1", within=clone)
    anybody.git("annex", "get", FIRST, within=clone)
    assert recordings(clone)[FIRST] == recordings(uploaded["folder"])[FIRST]


def test_shallow_clone_by_datalad_gets_content(anybody: GitClient, uploaded: Json) -> None:
    anybody.run("datalad", "clone", anybody.repository_url(uploaded["dandiset"]), "dataset", *SHALLOW)
    clone = anybody.folder / "dataset"
    assert anybody.git("rev-list", "--count", "HEAD", within=clone) == "1\n"
    anybody.run("datalad", "get", FIRST, within=clone)
    assert recordings(clone)[FIRST] == recordings(uploaded["folder"])[FIRST]


def test_annex_gets_and_checks_everything(anybody: GitClient, uploaded: Json) -> None:
    clone = anybody.clone(uploaded["dandiset"], "annexed")
    anybody.git("annex", "init", within=clone)
    assert "(2 copies)" in anybody.git("annex", "whereis", FIRST, within=clone)
    anybody.git("annex", "fsck", "--fast", "--from", "web", within=clone)
    anybody.git("annex", "fsck", "--fast", "--from", "origin", within=clone)

    anybody.git("annex", "get", "--from", "origin", FIRST, within=clone)
    anybody.git("annex", "get", ".", within=clone)

    assert recordings(clone) == recordings(uploaded["folder"])
    anybody.git("annex", "fsck", within=clone)
    assert anybody.git("status", "--porcelain", within=clone) == ""


def test_datalad_clones_gets_and_finds_nothing_to_save(anybody: GitClient, uploaded: Json) -> None:
    anybody.run("datalad", "clone", anybody.repository_url(uploaded["dandiset"]), "dataset")
    clone = anybody.folder / "dataset"
    assert "nothing to save" in anybody.run("datalad", "status", within=clone)
    anybody.run("datalad", "get", ".", within=clone)
    assert recordings(clone) == recordings(uploaded["folder"])
    assert "nothing to save" in anybody.run("datalad", "status", "--annex", "all", within=clone)


def test_clone_is_the_same_after_the_cache_was_lost(
    running_archive: RunningArchive, anybody: GitClient, uploaded: Json
) -> None:
    before = anybody.git("ls-remote", anybody.repository_url(uploaded["dandiset"]))
    with running_archive.without_web():
        shutil.rmtree(running_archive.home.folder / "repositories")

    assert anybody.git("ls-remote", anybody.repository_url(uploaded["dandiset"])) == before
    clone = anybody.clone(uploaded["dandiset"], "again")
    assert anybody.files(clone) == {FIRST, SECOND, README}
    anybody.git("fsck", "--strict", "--full", within=clone)


def test_published_version_is_cloned_and_got_from_the_store_alone(
    running_archive: RunningArchive, anybody: GitClient, uploaded: Json
) -> None:
    address = repository_of(running_archive, uploaded["dandiset"])["serverless_clone_url"]
    with running_archive.without_web():
        anybody.git("clone", "--branch", uploaded["version"], f"annex::{address}", "serverless")
        clone = anybody.folder / "serverless"
        assert anybody.files(clone) == {FIRST, README}
        anybody.git("annex", "get", ".", within=clone)
        anybody.git("annex", "fsck", within=clone)


# --- Pushing ----------------------------------------------------------------------------------------------------------


def test_what_is_pushed_is_downloaded_by_dandi(
    running_archive: RunningArchive, owner: GitClient, dandi: DandiClient, api: httpx.Client
) -> None:
    dandiset = create_dandiset(api, "Pushed")
    clone = owner.clone(dandiset, "pushed")
    write_files(dandi, clone, [(FIRST, 7, MIB)])
    (clone / README).write_text("# Pushed\n")
    owner.git("annex", "init", within=clone)
    owner.git("annex", "add", FIRST, within=clone)
    owner.git("add", README, within=clone)
    owner.git("commit", "-q", "-m", "Everything", within=clone)
    owner.git("annex", "copy", "--to", "origin", within=clone)
    owner.git("push", "origin", "main", within=clone)

    commit = owner.git("rev-parse", "HEAD", within=clone).strip()
    assert wait_until_followed(running_archive, dandiset)["commit"] == commit
    dandi.run("download", draft_url(dandi, dandiset))
    assert recordings(dandi.folder / dandiset)[FIRST] == recordings(clone)[FIRST]
    assert (dandi.folder / dandiset / README).read_text() == "# Pushed\n"
    owner.git("annex", "drop", within=clone)
    owner.git("annex", "get", within=clone)
    owner.git("annex", "fsck", within=clone)


def test_datalad_pushes_a_dataset_of_its_own_making(
    running_archive: RunningArchive, owner: GitClient, dandi: DandiClient, api: httpx.Client
) -> None:
    dandiset = create_dandiset(api, "Made with DataLad")
    owner.run("datalad", "create", "made")
    made = owner.folder / "made"
    write_files(dandi, made, [(FIRST, 8, MIB)])
    owner.run("datalad", "save", "-m", "A recording", within=made)
    owner.git("remote", "add", "origin", owner.repository_url(dandiset), within=made)
    owner.run("datalad", "push", "--to", "origin", within=made)

    wait_until_followed(running_archive, dandiset)
    dandi.run("download", draft_url(dandi, dandiset))
    assert recordings(dandi.folder / dandiset)[FIRST] == recordings(made)[FIRST]


def test_push_of_others_is_refused(stranger: GitClient, anybody: GitClient, uploaded: Json) -> None:
    for client in (stranger, anybody):
        clone = client.clone(uploaded["dandiset"], "mine")
        (clone / README).write_text("# Mine now\n")
        client.git("commit", "-q", "-a", "-m", "Take it", within=clone)
        before = client.git("ls-remote", "origin", within=clone)
        assert client.attempt("git", "push", "origin", "main", within=clone).returncode != 0
        assert client.git("ls-remote", "origin", within=clone) == before


# --- Embargo ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secret(running_archive: RunningArchive) -> str:
    """An embargoed dataset of one file."""
    with rest_client(running_archive) as api:
        metadata = VALID_METADATA | {"name": "Secret", "schemaVersion": api.get("/info/").json()["schema_version"]}
        body = {"name": "Secret", "metadata": metadata}
        dandiset: str = success(api.post("/dandisets/", params={"embargo": "true"}, json=body)).json()["identifier"]
        add_file(api, dandiset, SECRET, SECRET_CONTENT)
    wait_until_followed(running_archive, dandiset)
    return dandiset


def test_embargoed_dataset_is_for_its_owner_alone(
    owner: GitClient, stranger: GitClient, anybody: GitClient, secret: str
) -> None:
    clone = owner.clone(secret, "secret")
    owner.git("annex", "init", within=clone)
    owner.git("annex", "get", ".", within=clone)
    assert (clone / SECRET).read_bytes() == SECRET_CONTENT

    missing = "999999"
    for client in (stranger, anybody):
        refused, absent = (
            client.attempt("git", "ls-remote", client.repository_url(each)) for each in (secret, missing)
        )
        assert refused.returncode == absent.returncode != 0
        assert refused.stderr.replace(secret, missing) == absent.stderr


def test_token_in_the_address_is_none_to_git_annex_until_it_is_kept_as_a_password(
    running_archive: RunningArchive, owner: GitClient, anybody: GitClient, secret: str
) -> None:
    address = owner.repository_url(secret)
    anybody.git("clone", address.replace("//", f"//you:{running_archive.token}@"), "clone")
    clone = anybody.folder / "clone"
    assert anybody.attempt("git", "annex", "get", SECRET, within=clone).returncode != 0
    assert anybody.git("config", "remote.origin.annex-ignore", within=clone) == "true\n"

    (owner.folder / ".git-credentials").rename(anybody.folder / ".git-credentials")
    anybody.git("config", "--global", "credential.helper", "store")
    anybody.git("remote", "set-url", "origin", address, within=clone)
    anybody.git("config", "--unset", "remote.origin.annex-ignore", within=clone)
    anybody.git("annex", "get", SECRET, within=clone)
    assert (clone / SECRET).read_bytes() == SECRET_CONTENT
    assert running_archive.token not in (clone / ".git" / "config").read_text()
