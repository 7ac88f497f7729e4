"""The real `@openneuro/cli` logs in, uploads a BIDS dataset, adds to it, lists and downloads it, as others do then."""

import gzip
import hashlib
import json
import os
import struct
from pathlib import Path

import httpx
import pytest

from tests.journeys.client import DandiClient
from tests.journeys.git_client import GitClient
from tests.journeys.openneuro_cli import OpenNeuroCli
from tests.journeys.rest import DIRECTLY, Json
from tests.journeys.running import RunningArchive, wait_for
from tests.journeys.test_repositories import FOLLOW_SECONDS

DESCRIPTION = {"Name": "Tiny", "BIDSVersion": "1.8.0", "Authors": ["Jane Doe", "Richard Roe"]}
README = "A dataset of one subject, made to be uploaded by a command line that validates it before. " * 4
# The last two have no bytes. Its old validator takes such files for errors, unless it is told to look away.
SMALL = {
    "dataset_description.json": json.dumps(DESCRIPTION).encode(),
    "README": README.encode(),
    ".bidsignore": b"CHANGES\n*.ds\n*.txt\n",
    "sub-01/anat/sub-01_T1w.json": b'{"RepetitionTime": 2}',
    "CHANGES": b"",
    "sub-01/meg/sub-01_task-rest_meg.ds/hz.ds": b"",
}
SCAN = "sub-01/anat/sub-01_T1w.nii.gz"
CREATE = 'mutation($id: ID!) { createSnapshot(datasetId: $id, tag: "1.0.0") { id hexsha } }'
OPEN = "mutation($id: ID!) { publishDataset(datasetId: $id) }"

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


def scan() -> bytes:
    """An image of noise with the header that NIfTI has (https://nifti.nimh.nih.gov/nifti-1/)."""
    header = bytearray(352)
    for form, place, values in (
        ("<i", 0, [348]),
        ("<8h", 40, [3, 16, 16, 16, 1, 1, 1, 1]),
        ("<2h", 70, [2, 8]),
        ("<8f", 76, [1, 1, 1, 1, 1, 0, 0, 0]),
        ("<f", 108, [352]),
        ("<2h", 252, [1, 1]),
    ):
        struct.pack_into(form, header, place, *values)
    header[123], header[344:348] = 10, b"n+1\0"
    return gzip.compress(bytes(header) + os.urandom(16**3))


def write(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def contents_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def openneuro(running_archive: RunningArchive, tmp_path: Path) -> OpenNeuroCli:
    client = OpenNeuroCli(running_archive, tmp_path / "home")
    client.log_in()
    return client


def ask(archive: RunningArchive, query: str, **variables: str) -> Json:
    body = {"query": query, "variables": variables}
    headers = {"Authorization": f"Bearer {archive.token}"}
    answer: Json = httpx.post(f"{archive.url}/crn/graphql", json=body, headers=headers, **DIRECTLY).json()
    assert "errors" not in answer, answer
    data: Json = answer["data"]
    return data


def test_bids_dataset_is_uploaded_added_to_listed_and_downloaded(
    openneuro: OpenNeuroCli, running_archive: RunningArchive, dandi: DandiClient, api: httpx.Client, tmp_path: Path
) -> None:
    folder, files = tmp_path / "bids", SMALL | {SCAN: scan()}
    write(folder, files)
    dataset = openneuro.upload(folder)
    openneuro.run("download", "--draft", dataset, str(tmp_path / "first"))
    assert contents_of(tmp_path / "first") == files

    more = {"README": (README + "More.").encode(), "sub-01/notes.txt": b"She was late."}
    write(folder, more)
    openneuro.upload(folder, dataset)
    openneuro.run("download", "--draft", dataset, str(tmp_path / "draft"))
    assert contents_of(tmp_path / "draft") == files | more

    ask(running_archive, CREATE, id=dataset)
    openneuro.run("download", "-s", "1.0.0", dataset, str(tmp_path / "snapshot"))
    snapshot = contents_of(tmp_path / "snapshot")
    described = json.loads(snapshot["dataset_description.json"])
    assert described | {"DatasetDOI": ""} == DESCRIPTION | {"DatasetDOI": "", "License": "CC0"}
    assert snapshot == files | more | {"dataset_description.json": snapshot["dataset_description.json"]}
    listed = openneuro.run("ls", "-s", "1.0.0", dataset)
    assert all(f"{path} {len(content)}" in listed for path, content in snapshot.items())

    # The same dataset, by other doors.
    assert ask(running_archive, OPEN, id=dataset) == {"publishDataset": True}
    number = dataset.removeprefix("ds")
    # One after the other: its HTTP library now and then loses a connection that threads share.
    dandi.run("download", "--jobs", "1:1", f"{running_archive.api_url}/dandisets/{number}/versions/draft/")
    downloaded = contents_of(dandi.folder / number)
    assert downloaded.items() >= snapshot.items()
    assets = api.get(f"/dandisets/{number}/versions/draft/assets/?page_size=100").json()["results"]
    assert {each["path"]: each["size"] for each in assets} == {path: len(each) for path, each in snapshot.items()}

    def named() -> None:
        page = httpx.get(f"{running_archive.url}/datasets/{dataset}", follow_redirects=True, **DIRECTLY).text
        if "<h1>Tiny</h1>" not in page:
            raise LookupError(page)

    # Once it has been quiet for a while, it is called what its description says.
    wait_for(named, FOLLOW_SECONDS)


def test_its_helper_and_its_remote_serve_git_annex_and_datalad(
    openneuro: OpenNeuroCli, running_archive: RunningArchive
) -> None:
    made = ask(running_archive, "mutation { createDataset(affirmedDefaced: true) { id } }")
    url = f"{running_archive.url}/git/0/{made['createDataset']['id']}"
    git, content = openneuro.git, os.urandom(300_000)
    git.git("clone", url, "sender")
    sender = git.folder / "sender"
    configuration = ("type=external", "externaltype=openneuro", "encryption=none", "autoenable=true", f"url={url}")
    git.git("annex", "initremote", "openneuro", *configuration, within=sender)
    (sender / "scan.nii").write_bytes(content)
    git.git("annex", "add", "scan.nii", within=sender)
    git.git("commit", "-m", "Add a scan", within=sender)
    refused = git.attempt("git", "push", "origin", "HEAD:main", within=sender)
    assert "the archive does not have its content" in refused.stderr
    git.git("annex", "copy", "--to", "openneuro", "scan.nii", within=sender)
    git.git("push", "origin", "HEAD:main", within=sender)
    digest = hashlib.sha256(content).hexdigest()
    git.git("annex", "drop", "scan.nii", "--numcopies=1", within=sender)
    persist(git, sender, "git", "annex", "get", "scan.nii", "--from", "openneuro")
    assert hashlib.sha256((sender / "scan.nii").read_bytes()).hexdigest() == digest

    def told() -> None:
        git.git("fetch", within=sender)
        git.git("annex", "merge", within=sender)
        answer = git.attempt("git", "push", "origin", "git-annex", within=sender)
        if answer.returncode:
            raise LookupError(answer.stderr)

    # The archive writes into `git-annex` too, a few seconds after the push of `main`.
    wait_for(told, FOLLOW_SECONDS)
    git.run("datalad", "clone", url, "reader")
    reader = git.folder / "reader"
    persist(git, reader, "datalad", "get", "scan.nii")
    assert (reader / "scan.nii").read_bytes() == content


def persist(git: GitClient, clone: Path, *command: str) -> None:
    """Get content by the remote, again if it is not whole: it says that it has a file while it still writes that."""

    def got() -> None:
        answer = git.attempt(*command, within=clone)
        if answer.returncode:
            raise LookupError(answer.stdout + answer.stderr)

    wait_for(got, FOLLOW_SECONDS)
