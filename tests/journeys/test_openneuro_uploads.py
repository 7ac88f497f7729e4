"""An upload as OpenNeuro's command line makes it: prepared, sent in chunks of unknown length, cut off, finished.

ARCHIVE_LONG_TESTS=1 sends 2,000 files instead of 200.
"""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

import httpx
import pytest

from archive.uploads.fingerprints import Naming, fingerprint
from tests.journeys.rest import Json
from tests.journeys.running import RunningArchive, wait_for
from tests.journeys.test_repositories import FOLLOW_SECONDS

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

CREATE = "mutation { createDataset(affirmedDefaced: true) { id } }"
PREPARE = "mutation($id: ID!, $name: ID!) { prepareUpload(datasetId: $id, uploadId: $name) { token endpoint } }"
FINISH = "mutation($name: ID!) { finishUpload(uploadId: $name) }"
FILES_OF = "query($id: ID!) { dataset(id: $id) { draft { files(recursive: true) { filename size urls } } } }"
COUNT = 2000 if os.environ.get("ARCHIVE_LONG_TESTS") else 200
HISTORY = "query($id: ID!) { dataset(id: $id) { history { message } } }"
DESCRIPTION = b'{"Name": "Small", "BIDSVersion": "1.11.0", "Authors": ["Jane Doe"]}'
FIRST = {"dataset_description.json": DESCRIPTION, "CHANGES": b"", "sub-01/anat/sub-01_T1w.nii.gz": b"image" * 500_000}
MORE = {"README": b"Read me", ".bidsignore": b"*.log\n", "sub-02/anat/sub-02_T1w.nii.gz": b"other"}


@dataclass
class Uploader:
    """The program, with an account."""

    url: str
    token: str
    dataset: str = ""

    def ask(self, query: str, **variables: str) -> Json:
        body = {"query": query, "variables": variables}
        headers = {"Authorization": f"Bearer {self.token}"}
        answer: Json = httpx.post(f"{self.url}/crn/graphql", json=body, headers=headers, timeout=60).json()
        return answer

    def prepare(self, files: dict[str, bytes]) -> "Prepared":
        named = [(path, len(content)) for path, content in files.items()]
        name = fingerprint(Naming(self.dataset), named)
        told = self.ask(PREPARE, id=self.dataset, name=name)["data"]["prepareUpload"]
        return Prepared(self, name, told["token"], f"/uploads/{told['endpoint']}/{self.dataset}/{name}/")

    def draft(self) -> dict[str, bytes]:
        """The files of the draft, by path, as they are downloaded."""
        listed = self.ask(FILES_OF, id=self.dataset)["data"]["dataset"]["draft"]["files"]
        headers = {"Authorization": f"Bearer {self.token}"}
        found = {
            file["filename"]: httpx.get(file["urls"][-1], headers=headers, follow_redirects=True) for file in listed
        }
        return {path: answer.raise_for_status().content for path, answer in found.items()}


@dataclass
class Prepared:
    """An upload that is prepared."""

    uploader: Uploader
    name: str
    token: str
    address: str

    def send(self, path: str, content: bytes) -> Json:
        address = f"{self.uploader.url}{self.address}{path.replace('/', ':')}"
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.post(address, content=pieces(content), headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        told: Json = answer.json()
        return told

    def send_all(self, files: dict[str, bytes]) -> None:
        """Send files, eight at a time."""
        with httpx.Client(headers={"Authorization": f"Bearer {self.token}"}, timeout=60) as client:

            def send(path: str) -> int:
                address = f"{self.uploader.url}{self.address}{path.replace('/', ':')}"
                return client.post(address, content=files[path]).status_code

            with ThreadPoolExecutor(8) as threads:
                assert {*threads.map(send, files)} == {200}

    def cut(self, path: str, content: bytes) -> None:
        """Send some of a file, and go away."""
        host, port = self.uploader.url.removeprefix("http://").split(":")
        head = f"POST {self.address}{path.replace('/', ':')} HTTP/1.1\r\nHost: {host}\r\n"
        head += f"Authorization: Bearer {self.token}\r\nContent-Length: {2 * len(content)}\r\n\r\n"
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(head.encode() + content)

    def finish(self) -> Json:
        return self.uploader.ask(FINISH, name=self.name)


def pieces(content: bytes) -> Iterator[bytes]:
    return (content[start : start + 65_536] for start in range(0, len(content), 65_536))


@pytest.fixture
def uploader(running_archive: RunningArchive) -> Uploader:
    uploader = Uploader(running_archive.url, running_archive.token)
    uploader.dataset = uploader.ask(CREATE)["data"]["createDataset"]["id"]
    return uploader


def test_files_that_are_uploaded_are_in_the_draft_at_once_and_more_are_added(uploader: Uploader) -> None:
    for files in (FIRST, MORE):
        upload = uploader.prepare(files)
        for path, content in files.items():
            assert upload.send(path, content)["size"] == len(content)
        assert upload.finish()["data"] == {"finishUpload": True}
    draft = uploader.draft()
    assert {path: draft.get(path) for path in FIRST | MORE} == FIRST | MORE


def test_upload_that_is_cut_off_goes_on_and_is_refused_before_it_is_whole(uploader: Uploader) -> None:
    upload = uploader.prepare(FIRST)
    *others, last = FIRST
    for path in others:
        upload.send(path, FIRST[path])
    upload.cut(last, FIRST[last])
    refused = upload.finish()["errors"][0]["message"]
    assert "missing" in refused
    again = uploader.prepare(FIRST)
    again.send(last, FIRST[last])
    assert again.finish()["data"] == {"finishUpload": True}
    draft = uploader.draft()
    assert {path: draft.get(path) for path in FIRST} == FIRST


def test_file_larger_than_what_is_spooled_comes_in_as_an_upload_and_by_its_key(uploader: Uploader) -> None:
    image = bytes(40 * 2**20)
    scan = {"sub-01/anat/sub-01_T1w.nii": image}
    upload = uploader.prepare(scan)
    assert upload.send(*next(iter(scan.items())))["size"] == len(image)
    assert upload.finish()["data"] == {"finishUpload": True}
    assert uploader.draft() == scan
    other = b"x" + image
    key = f"SHA256E-s{len(other)}--{sha256(other).hexdigest()}.nii"
    headers = {"Authorization": f"Bearer {uploader.token}"}
    address = f"{uploader.url}/git/0/{uploader.dataset}/annex/{key}"
    assert httpx.post(address, content=other, headers=headers, timeout=120).status_code == 200
    assert httpx.head(address, headers=headers).headers["Content-Length"] == str(len(other))


def test_upload_of_many_files_that_is_cut_off_twice_goes_on_and_is_one_commit(uploader: Uploader) -> None:
    files = {f"sub-{number:04}/beh/sub-{number:04}_beh.json": b"%d" % number for number in range(COUNT)}
    paths = [*files]
    # Whoever goes on begins some files before those that are missing: what the archive holds it takes again.
    for begin, end in ((0, COUNT // 3), (COUNT // 4, COUNT // 2)):
        upload = uploader.prepare(files)
        upload.send_all({path: files[path] for path in paths[begin:end]})
        upload.cut(paths[end], files[paths[end]])
        assert "these" in upload.finish()["errors"][0]["message"]
    upload = uploader.prepare(files)
    upload.send_all({path: files[path] for path in paths[COUNT // 2 - 10 : -1]})
    assert f"these {COUNT - 1} are not all" in upload.finish()["errors"][0]["message"]
    assert uploader.draft() == {}
    upload.send_all({paths[-1]: files[paths[-1]]})
    assert [upload.finish()["data"] for _ in range(2)] == 2 * [{"finishUpload": True}]
    listed = uploader.ask(FILES_OF, id=uploader.dataset)["data"]["dataset"]["draft"]["files"]
    assert {each["filename"]: each["size"] for each in listed} == {path: len(each) for path, each in files.items()}

    def commits() -> list[str]:
        found = uploader.ask(HISTORY, id=uploader.dataset)["data"]["dataset"]["history"]
        if not any(str(COUNT) in each["message"] for each in found):
            raise LookupError(found)
        return [each["message"] for each in found]

    # The first is the one that every repository begins with.
    assert len(wait_for(commits, FOLLOW_SECONDS)) == 2


def test_file_of_another_size_than_was_announced_is_missing_by_its_name(uploader: Uploader) -> None:
    upload = uploader.prepare({"README": b"Read me", "large.bin": bytes(40 * 2**20)})
    upload.send("README", b"Read me")
    upload.cut("large.bin", bytes(35 * 2**20))

    def refused() -> str:
        said: str = upload.finish()["errors"][0]["message"]
        if "large.bin" not in said:
            raise LookupError(said)
        return said

    assert wait_for(refused, FOLLOW_SECONDS) == "1 of the 2 files of this upload are missing: large.bin"
