"""What is answered while a service is away: clients honour Retry-After (docs/dialects/dandi.md#headers)."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.test import Client, override_settings
from pytest_django import DjangoCaptureOnCommitCallbacks

from archive.assets.models import Asset
from archive.blobs.models import Blob, Upload
from archive.datasets.models import Dataset
from archive.timeline.models import Job
from archive.timeline.queries import position
from dandiapi.celery import app
from tests.dandiapi.rest.api import Api
from tests.dandiapi.rest.world import arrived_upload
from tests.factories import valid_asset_metadata

AWAY = "A service this needs is away just now; please try again."


@pytest.fixture(scope="module")
def closed_port() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


# --- The object store -------------------------------------------------------------------------------------------------


@pytest.fixture
def no_store(closed_port: int) -> Iterator[None]:
    default = settings.STORAGES["default"]
    options = {**default["OPTIONS"], "endpoint_url": f"http://127.0.0.1:{closed_port}"}
    with override_settings(STORAGES={**settings.STORAGES, "default": {**default, "OPTIONS": options}}):
        yield


def test_upload_is_put_off_while_the_store_is_away(owner: Api, dataset: Dataset, no_store: None) -> None:
    digest = {"algorithm": "dandi:dandi-etag", "value": f"{'0' * 32}-1"}
    body = {"contentSize": 1, "digest": digest, "dandiset": dataset.identifier}
    response = owner.post("uploads/initialize/", body)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response.json() == "The object store cannot be reached just now; please try again."
    assert not Upload.objects.exists()


def test_validation_is_put_off_while_the_store_is_away(
    owner: Api, dataset: Dataset, request: pytest.FixtureRequest
) -> None:
    upload = arrived_upload(dataset, owner.user)
    request.getfixturevalue("no_store")
    response = owner.post(f"uploads/{upload.pk}/validate/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert (Upload.objects.count(), Blob.objects.count()) == (1, 0)


def test_everything_else_works_while_the_store_is_away(
    owner: Api, draft: str, asset: Asset, asset_body: dict[str, Any], no_store: None
) -> None:
    asset_body["metadata"]["path"] = "another.nwb"
    assert owner.post(f"{draft}assets/", asset_body).status_code == 200
    assert owner.get(f"assets/{asset.asset_id}/info/").status_code == 200
    assert owner.get(f"assets/{asset.asset_id}/download/").status_code == 302
    assert owner.get(f"{draft}assets/paths/").status_code == 200


# --- Broker and cache -------------------------------------------------------------------------------------------------


@pytest.fixture
def no_broker(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither nudges nor cached values come or go."""
    address = f"redis://127.0.0.1:{closed_port}/0"
    # A pool remembers where it connects to.
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    broker = {name: app.conf[name] for name in ("broker_url", "broker_read_url", "broker_write_url")}
    app.conf.update(dict.fromkeys(broker, address))
    with override_settings(CACHES={"default": {**settings.CACHES["default"], "LOCATION": address}}):
        yield
    app.conf.update(broker)


def test_changes_are_made_while_the_broker_is_away(
    owner: Api,
    dataset: Dataset,
    no_broker: None,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    body = {"name": "New", "metadata": {"schemaVersion": "0.6.10"}}
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        response = owner.put(f"dandisets/{dataset.identifier}/versions/draft/", body)
    assert (response.status_code, bool(callbacks)) == (200, True)


@pytest.mark.usefixtures("late_checksums")
def test_jobs_are_kept_while_the_broker_is_away(
    owner: Api,
    dataset: Dataset,
    no_broker: None,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    upload = arrived_upload(dataset, owner.user)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        response = owner.post(f"uploads/{upload.pk}/validate/")
    assert (response.status_code, bool(callbacks)) == (200, True)
    assert Job.objects.filter(subject=str(upload.pk), state="queued").exists()


def test_everything_is_read_while_the_broker_is_away(anonymous: Api, draft: str, asset: Asset, no_broker: None) -> None:
    assert anonymous.get(f"{draft}assets/?page=11&page_size=100").status_code == 200
    assert anonymous.get(f"{draft}info/").status_code == 200
    assert anonymous.get("dandisets/").status_code == 200


# --- The database -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=[OperationalError, InterfaceError])
def no_database(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Instead of every query."""

    def refuse(*_: Any) -> None:
        raise request.param("the connection is closed")

    return refuse


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("GET", "dandisets/", None),
        ("GET", "dandisets/000001/", None),
        ("GET", "users/me/", None),
        ("POST", "dandisets/", {"name": "x", "metadata": {}}),
        ("PUT", "dandisets/000001/versions/draft/", {"name": "x", "metadata": {}}),
    ],
)
def test_request_is_put_off_while_the_database_is_away(
    owner: Api, no_database: Callable[..., None], method: str, address: str, body: Any
) -> None:
    with connection.execute_wrapper(no_database):
        response = owner.send(method, address, body)
    assert (response.status_code, response.json(), response["Retry-After"]) == (503, AWAY, "5")


def test_request_of_a_session_is_put_off_while_the_database_is_away(
    owner: Api, no_database: Callable[..., None]
) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(owner.user, backend="django.contrib.auth.backends.ModelBackend")
    with connection.execute_wrapper(no_database):
        response = client.get("/api/users/me/", headers={"Origin": "https://elsewhere.example.net"})
    assert (response.status_code, response.json(), response["Retry-After"]) == (503, AWAY, "5")
    assert response["Access-Control-Allow-Origin"] == "https://elsewhere.example.net"


def test_what_needs_no_database_is_answered_while_it_is_away(anonymous: Api, no_database: Callable[..., None]) -> None:
    with connection.execute_wrapper(no_database):
        answers = [anonymous.get(address).status_code for address in ("info/", "schemas/?model=Asset", "users/me/")]
    assert answers == [200, 200, 401]


def test_change_is_whole_or_not_at_all_when_the_database_goes_away_within_it(
    owner: Api, dataset: Dataset, asset_body: dict[str, Any], no_database: Callable[..., None]
) -> None:
    before = position(dataset.number)
    body = {"blob_id": asset_body["blob_id"], "metadata": valid_asset_metadata("new/b.nwb")}

    def refuse_folders(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        return (no_database if 'INSERT INTO "archive_folder"' in sql else execute)(sql, *arguments)

    with connection.execute_wrapper(refuse_folders):
        response = owner.post(f"dandisets/{dataset.identifier}/versions/draft/assets/", body)
    assert response.status_code == 503
    assert position(dataset.number) == before
