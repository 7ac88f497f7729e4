"""The public REST API, as far as uploading and publishing a small dataset needs it."""

import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from archive.digests import etag_of_file
from embedded.processes import EmbeddedError

from .sample import Metadata, SampleDataset, SampleFile

PUBLISHING_SECONDS = 120
POLL_SECONDS = 0.5


class Archive:
    """An archive, seen by one of its users."""

    def __init__(self, api_url: str, token: str) -> None:
        # Proxies are not asked: the archive is on this machine.
        self._api = httpx.Client(
            base_url=api_url, headers={"Authorization": f"token {token}"}, timeout=60, trust_env=False
        )
        self._store = httpx.Client(timeout=60, trust_env=False)
        self.schema_version: str = self.call("GET", "/info/")["schema_version"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._api.close()
        self._store.close()

    def call(self, verb: str, path: str, **arguments: Any) -> Any:
        """Make a request; return the JSON of the answer, None when it is empty.

        Raises EmbeddedError when it is refused.
        """
        response = _success(self._api.request(verb, path, **arguments))
        return response.json() if response.content else None

    def find_or_create(self, sample: SampleDataset) -> "Draft":
        """Return the draft of the user's dataset of that name, which is made if there is none."""
        own = self.call("GET", "/dandisets/", params={"user": "me", "page_size": 1000})["results"]
        found = [dandiset for dandiset in own if dandiset["draft_version"]["name"] == sample.name]
        if found:
            return Draft(self, found[0]["identifier"])
        metadata = sample.metadata | {"name": sample.name, "schemaVersion": self.schema_version}
        created = self.call("POST", "/dandisets/", json={"name": sample.name, "metadata": metadata})
        return Draft(self, created["identifier"])

    def upload(self, dandiset: str, content: Path) -> str:
        """Upload the bytes of a file for a dandiset, unless they are there already; return the blob's id."""
        started = self._api.post(
            "/uploads/initialize/",
            json={
                "contentSize": content.stat().st_size,
                "digest": {"algorithm": "dandi:dandi-etag", "value": etag(content)},
                "dandiset": dandiset,
            },
        )
        if started.status_code == httpx.codes.CONFLICT:
            return started.headers["Location"]
        upload = _success(started).json()
        self._send_parts(upload, content)
        blob_id: str = self.call("POST", f"/uploads/{upload['upload_id']}/validate/")["blob_id"]
        return blob_id

    def _send_parts(self, upload: dict[str, Any], content: Path) -> None:
        with content.open("rb") as file:
            parts = [self._send_part(part, file.read(part["size"])) for part in upload["parts"]]
        completion = self.call("POST", f"/uploads/{upload['upload_id']}/complete/", json={"parts": parts})
        _success(self._store.post(completion["complete_url"], content=completion["body"]))

    def _send_part(self, part: dict[str, Any], data: bytes) -> dict[str, Any]:
        sent = _success(self._store.put(part["upload_url"], content=data))
        return {"part_number": part["part_number"], "size": part["size"], "etag": sent.headers["ETag"].strip('"')}


class Draft:
    """The draft of one dandiset."""

    def __init__(self, archive: Archive, identifier: str) -> None:
        self._archive = archive
        self._identifier = identifier
        self._url = f"/dandisets/{identifier}/versions/draft"

    def paths(self) -> set[str]:
        """Return the paths of the draft's assets."""
        page = self._archive.call("GET", f"{self._url}/assets/", params={"page_size": 1000})
        return {asset["path"] for asset in page["results"]}

    def add(self, file: SampleFile, content: Path) -> None:
        """Upload a file and register it as an asset."""
        blob_id = self._archive.upload(self._identifier, content)
        metadata = _asset_metadata(file, content) | {"schemaVersion": self._archive.schema_version}
        self._archive.call("POST", f"{self._url}/assets/", json={"metadata": metadata, "blob_id": blob_id})

    def publish(self) -> None:
        """Publish the draft as soon as it is valid, and wait for the version; do nothing when there is one."""
        deadline = time.monotonic() + PUBLISHING_SECONDS
        while not self._is_published():
            info = self._archive.call("GET", f"{self._url}/info/")
            if time.monotonic() > deadline:
                raise EmbeddedError(_complaint(self._identifier, info))
            if info["status"] == "Valid" and not info["asset_validation_errors"]:
                self._archive.call("POST", f"{self._url}/publish/")
            time.sleep(POLL_SECONDS)

    def _is_published(self) -> bool:
        dandiset = self._archive.call("GET", f"/dandisets/{self._identifier}/")
        return dandiset["most_recent_published_version"] is not None


def etag(content: Path) -> str:
    """Return the dandi-etag of a file."""
    with content.open("rb") as file:
        return etag_of_file(file, content.stat().st_size)


def _asset_metadata(file: SampleFile, content: Path) -> Metadata:
    return file.metadata | {
        "schemaKey": "Asset",
        "path": file.path,
        "encodingFormat": file.encoding,
        "contentSize": content.stat().st_size,
        "digest": {"dandi:dandi-etag": etag(content)},
    }


def _success(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        request = response.request
        raise EmbeddedError(
            f"The sample data could not be added: {request.method} {request.url.copy_with(query=None)} "
            f"was answered {response.status_code} {response.text[:300]}"
        )
    return response


def _complaint(identifier: str, info: dict[str, Any]) -> str:
    errors = info["version_validation_errors"] + info["asset_validation_errors"]
    reasons = "; ".join(error["message"] for error in errors) or "no reason is given"
    return f"The sample dandiset {identifier} was not published in time; it is {info['status']}: {reasons}."
