"""Schemathesis asks every route of the OpenAPI document what the document allows, and much that it does not.

No answer may be a fault of the server, or one that is not documented. `ARCHIVE_LONG_TESTS=1` searches for 15 minutes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded.home import PROJECT
from tests.journeys.rest import (
    VALID_METADATA,
    add_file,
    create_dandiset,
    etag,
    md5,
    rest_client,
    start_upload,
    success,
    wait_for_version,
    wait_until_valid,
)
from tests.journeys.running import RunningArchive, free_port

# For each of the callers.
SECONDS = 300 if os.environ.get("ARCHIVE_LONG_TESTS") else 4
pytestmark = [pytest.mark.journey, pytest.mark.timeout(SECONDS + 240)]

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# It would end the very key that the requests come with.
EXCLUDED = "/api/auth/token/"
CONTENT = b"Something to ask about."

Known = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def own_archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    """An archive whose data nobody else needs."""
    archive = RunningArchive(tmp_path_factory.mktemp("openapi") / "home", free_port())
    archive.start()
    yield archive
    archive.interrupt()


@pytest.fixture(scope="module")
def tokens(own_archive: RunningArchive) -> dict[str, str]:
    """What each caller shows."""
    owner = own_archive.manage("manage.py", "create_token", "owner@example.org").strip()
    return {"anonymous": "", "owner": owner, "administrator": own_archive.token}


@pytest.fixture
def known(own_archive: RunningArchive, tokens: dict[str, str], tmp_path: Path) -> Path:
    """A file that tells what is in three datasets of the owner's."""
    file = tmp_path / "known.json"
    with rest_client(own_archive, tokens["owner"]) as api:
        draft = filled(api, create_dandiset(api, "Draft"))
        file.write_text(json.dumps([draft, published_dataset(api), embargoed_dataset(api)]))
    return file


@pytest.mark.parametrize("caller", ["anonymous", "owner", "administrator"])
def test_every_answer_is_as_the_document_says_and_none_is_a_fault(
    own_archive: RunningArchive, tokens: dict[str, str], known: Path, tmp_path: Path, caller: str
) -> None:
    search = subprocess.run(
        schemathesis(own_archive, tokens[caller]),
        cwd=tmp_path,
        env={**os.environ, "OPENAPI_KNOWN": str(known), "SCHEMATHESIS_HOOKS": "tests.journeys.openapi_hooks"}
        | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert search.returncode == 0, search.stdout


def schemathesis(archive: RunningArchive, token: str) -> list[str]:
    """The command that searches for so many seconds."""
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run"]
    options = [
        "--checks",
        CHECKS,
        "--max-time",
        str(SECONDS),
        "--phases",
        "coverage,fuzzing",
        "--exclude-path",
        EXCLUDED,
    ]
    quiet = ["--no-color", "--warnings", "off", "--generation-database", "none", "--continue-on-failure"]
    authorization = ["--header", f"Authorization: token {token}"] if token else []
    return [*command, f"{archive.api_url}/schema/", *options, *quiet, *authorization]


def published_dataset(api: httpx.Client) -> Known:
    """What there is to ask about one with a version."""
    dandiset = create_dandiset(api, "Published")
    known = filled(api, dandiset)
    publishing = success(api.post(f"/dandisets/{dandiset}/versions/draft/publish/"))
    known["names"]["version"] = known["names"]["version_id"] = ["draft", wait_for_version(api, dandiset)]
    known["names"]["job_id"] = [publishing.headers["Location"].split("/")[3]]
    return known


def embargoed_dataset(api: httpx.Client) -> Known:
    """What there is to ask about one that is not for everybody."""
    body = {"name": "Embargoed", "metadata": VALID_METADATA}
    return filled(api, success(api.post("/dandisets/?embargo=true", json=body)).json()["identifier"])


def filled(api: httpx.Client, dandiset: str) -> Known:
    """What there is to ask about a dataset, after putting a file into it, a Zarr archive, and an upload."""
    content = os.urandom(16)
    draft = f"/dandisets/{dandiset}/versions/draft"
    add_file(api, dandiset, "sub-1/a.txt", content)
    wait_until_valid(api, dandiset)
    (asset,) = success(api.get(f"{draft}/assets/")).json()["results"]
    metadata = success(api.get(f"{draft}/assets/{asset['asset_id']}/")).json()
    upload = success(start_upload(api, dandiset, os.urandom(16))).json()
    link = success(api.post(f"/dandisets/{dandiset}/reviewer-links/", json={"label": "Reviewer 1"})).json()
    names = {
        "identifier": [dandiset],
        "dandiset": [dandiset],
        "dandiset_id": [dandiset],
        "version": ["draft"],
        "version_id": ["draft"],
        "other": ["draft"],
        "asset_id": [asset["asset_id"]],
        "blob_id": [asset["blob"]],
        "zarr_id": [zarr_with_a_file(api, dandiset)],
        "upload_id": [upload["upload_id"]],
        "link_id": [link["id"]],
        "path": ["sub-1/a.txt", "sub-1", "0/0", ".zattrs", "../a"],
        "path_prefix": ["sub-1", "sub-1/a.txt"],
        "prefix": ["0", "0/0", ".zattrs"],
        "base64md5": [md5(CONTENT)],
        "metadata": [VALID_METADATA | {"name": "Other"}, metadata | {"path": "sub-1/b.txt"}, {"path": "c", "a": [1]}],
        "value": [etag(content)],
        "algorithm": ["dandi:dandi-etag", "dandi:sha2-256"],
        "username": ["owner@example.org"],
        "model": ["Dandiset", "PublishedAsset"],
        "search": ["Published", 'species:mouse -file_size:>1 "a b"', "owner:me"],
    }
    new_asset = {"metadata": metadata | {"path": "sub-2/b.txt"}, "blob_id": asset["blob"]}
    named = {"name": "Another name", "metadata": VALID_METADATA}
    part = {"part_number": 1, "size": 16, "etag": "0" * 32}
    digest = {"algorithm": "dandi:dandi-etag", "value": etag(CONTENT)}
    version = "/api/dandisets/{identifier}/versions/{version}"
    bodies = {
        "POST /api/dandisets/": named,
        f"PUT {version}/": named,
        f"POST {version}/assets/": new_asset,
        f"PUT {version}/assets/{{asset_id}}/": new_asset,
        f"POST {version}/publish/": {"release_notes": "Notes"},
        "POST /api/blobs/digest/": {"algorithm": "dandi:dandi-etag", "value": etag(content)},
        "POST /api/uploads/initialize/": {"contentSize": len(CONTENT), "digest": digest, "dandiset": dandiset},
        "POST /api/uploads/{upload_id}/complete/": {"parts": [part]},
        "POST /api/zarr/": {"name": "b.zarr", "dandiset": dandiset},
        "POST /api/zarr/{zarr_id}/files/": [{"path": "0/0", "base64md5": md5(CONTENT)}],
        "DELETE /api/zarr/{zarr_id}/files/": [{"path": ".zattrs"}],
    }
    return {"names": names, "bodies": bodies}


def zarr_with_a_file(api: httpx.Client, dandiset: str) -> str:
    """A Zarr archive with a file that has arrived, and one that has not."""
    zarr_id: str = success(api.post("/zarr/", json={"name": "a.zarr", "dandiset": dandiset})).json()["zarr_id"]
    files = [{"path": path, "base64md5": md5(CONTENT)} for path in (".zattrs", "0/0")]
    first, _ = success(api.post(f"/zarr/{zarr_id}/files/", json=files)).json()
    success(httpx.put(first, content=CONTENT, headers={"Content-MD5": md5(CONTENT)}, trust_env=False))
    return zarr_id
