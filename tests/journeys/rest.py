"""Steps through the REST API that several journeys take."""

import base64
import hashlib
import ssl
import time
from mimetypes import guess_type
from typing import Any

import httpx

from archive.digests import etag_of_parts
from tests.journeys.running import RunningArchive

Json = dict[str, Any]

# Nothing here speaks TLS, and to read all certificates that this machine trusts takes longer than a request.
DIRECTLY: Json = {"timeout": 60, "trust_env": False, "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}

VALID_METADATA: Json = {
    "schemaKey": "Dandiset",
    "description": "Random numbers, for a journey.",
    "keywords": ["journey"],
    "license": ["spdx:CC-BY-4.0"],
    "contributor": [
        {
            "schemaKey": "Person",
            "name": "Sample, Person",
            "email": "sample@example.org",
            "roleName": ["dcite:ContactPerson", "dcite:Author"],
            "includeInCitation": True,
        }
    ],
}


def rest_client(archive: RunningArchive, token: str = "") -> httpx.Client:
    """The REST API of an archive, called by whose token it is, or its first account. It trusts no proxy here."""
    headers = {"Authorization": f"token {token or archive.token}"}
    return httpx.Client(base_url=archive.api_url, headers=headers, **DIRECTLY)


def create_dandiset(api: httpx.Client, name: str) -> str:
    """Creates a dandiset; returns its identifier."""
    schema_version = success(api.get("/info/")).json()["schema_version"]
    metadata = VALID_METADATA | {"name": name, "schemaVersion": schema_version}
    created = success(api.post("/dandisets/", json={"name": name, "metadata": metadata}))
    identifier: str = created.json()["identifier"]
    return identifier


def start_upload(api: httpx.Client, dandiset: str, content: bytes) -> httpx.Response:
    """Asks where to put the bytes."""
    return api.post(
        "/uploads/initialize/",
        json={
            "contentSize": len(content),
            "digest": {"algorithm": "dandi:dandi-etag", "value": etag(content)},
            "dandiset": dandiset,
        },
    )


def finish_upload(api: httpx.Client, upload: Json, content: bytes) -> str:
    """Puts the bytes, of one part, and has them verified; returns the blob's identifier."""
    (part,) = upload["parts"]
    put = success(httpx.put(part["upload_url"], content=content, **DIRECTLY))
    sent = {"part_number": 1, "size": len(content), "etag": put.headers["ETag"].strip('"')}
    completion = success(api.post(f"/uploads/{upload['upload_id']}/complete/", json={"parts": [sent]})).json()
    success(httpx.post(completion["complete_url"], content=completion["body"], **DIRECTLY))
    blob_id: str = success(api.post(f"/uploads/{upload['upload_id']}/validate/")).json()["blob_id"]
    return blob_id


def register(api: httpx.Client, dandiset: str, path: str, content: bytes, blob_id: str) -> httpx.Response:
    """Registers an uploaded blob as an asset."""
    metadata = {
        "schemaKey": "Asset",
        "schemaVersion": api.get("/info/").json()["schema_version"],
        "path": path,
        "encodingFormat": guess_type(path)[0] or "text/plain",
        "contentSize": len(content),
        "digest": {"dandi:dandi-etag": etag(content)},
    }
    return api.post(f"/dandisets/{dandiset}/versions/draft/assets/", json={"metadata": metadata, "blob_id": blob_id})


def add_file(api: httpx.Client, dandiset: str, path: str, content: bytes) -> None:
    """Uploads and registers a small file."""
    upload = success(start_upload(api, dandiset, content)).json()
    success(register(api, dandiset, path, content, finish_upload(api, upload, content)))


def wait_until_valid(api: httpx.Client, dandiset: str, seconds: float = 60) -> None:
    """Waits until a draft has been found valid.

    Raises TimeoutError with what is wrong when that takes too long.
    """
    deadline = time.monotonic() + seconds
    while True:
        info = success(api.get(f"/dandisets/{dandiset}/versions/draft/info/")).json()
        if info["status"] == "Valid" and not info["asset_validation_errors"]:
            return
        if time.monotonic() > deadline:
            errors = info["version_validation_errors"] + info["asset_validation_errors"]
            raise TimeoutError(f"{dandiset} is {info['status']}: {errors}")
        time.sleep(0.25)


def wait_for_version(api: httpx.Client, dandiset: str, seconds: float = 60) -> str:
    """The name of the version that a dandiset is being published as, as soon as it is there.

    Raises TimeoutError when that takes too long.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        row = success(api.get(f"/dandisets/{dandiset}/")).json()["most_recent_published_version"]
        if row:
            version: str = row["version"]
            return version
        time.sleep(0.25)
    raise TimeoutError(f"{dandiset} was not published.")


def success(response: httpx.Response) -> httpx.Response:
    """The response, if it is one of success.

    Raises AssertionError otherwise.
    """
    assert response.is_success, (
        f"{response.request.method} {response.url}: {response.status_code} {response.text[:500]}"
    )
    return response


def etag(content: bytes) -> str:
    """The dandi-etag of bytes that fit into one part."""
    return etag_of_parts([hashlib.md5(content, usedforsecurity=False).hexdigest()])


def md5(content: bytes) -> str:
    """The MD5 of bytes as a header Content-MD5 has it."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
