"""Uploads of OpenNeuro's dialect: who may send what, how it is answered, and that it ends in the draft."""

from typing import Any

import pytest
from django.test import Client

from archive.accounts.models import Grant, Token, User
from archive.accounts.services import create_token
from archive.assets.models import Asset
from archive.datasets.models import Dataset
from archive.uploads.fingerprints import Naming, fingerprint
from tests.dandiapi.graphql.asking import Asker
from tests.factories import make_dataset, make_editor, make_embargoed_dataset, make_user, make_viewer, owner_of

pytestmark = pytest.mark.django_db

PREPARE = """mutation($id: ID!, $name: ID!) {
    prepareUpload(datasetId: $id, uploadId: $name) { id datasetId token endpoint complete }
}"""
FINISH = "mutation($name: ID!) { finishUpload(uploadId: $name) }"
PENDING = "query($id: ID!) { dataset(id: $id) { draft { uploads { id complete estimatedSize } } } }"
FILES = {"CHANGES": b"", "README": b"Read me", "sub-01/anat/sub-01_T1w.nii.gz": b"image"}


def id_of(dataset: Dataset) -> str:
    return f"ds{dataset.number:06}"


def name_of(dataset: Dataset, files: dict[str, bytes]) -> str:
    return fingerprint(Naming(id_of(dataset)), [(path, len(content)) for path, content in files.items()])


def owner_user(dataset: Dataset) -> User:
    user = owner_of(dataset).user
    assert user
    return user


class Uploading:
    """Somebody who uploads to a dataset."""

    def __init__(self, dataset: Dataset, user: User, files: dict[str, bytes] = FILES) -> None:
        self.ids = {"id": id_of(dataset)}
        self.name = name_of(dataset, files)
        self.asker = Asker.of(user)
        self.prepared = self.asker.ask(PREPARE, **self.ids, name=self.name)["prepareUpload"]

    def send(self, path: str, content: bytes, *, token: str | None = None, dataset: str = "", **given: Any) -> Any:
        secret = self.prepared["token"] if token is None else token
        address = f"/uploads/0/{dataset or self.ids['id']}/{self.name}/{path.replace('/', ':')}"
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        options = {"content_type": "application/octet-stream"} | given
        return Client(enforce_csrf_checks=True).post(address, content, headers=headers, **options)


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


@pytest.fixture
def uploading(dataset: Dataset) -> Uploading:
    return Uploading(dataset, owner_user(dataset))


def paths(dataset: Dataset) -> set[str]:
    return set(Asset.objects.filter(dataset=dataset).live().values_list("path", flat=True))


def test_upload_ends_in_the_draft(dataset: Dataset, uploading: Uploading) -> None:
    assert uploading.prepared | {"token": ""} == {
        "id": uploading.name,
        "datasetId": id_of(dataset),
        "token": "",
        "endpoint": 0,
        "complete": False,
    }
    for path, content in FILES.items():
        response = uploading.send(path, content)
        assert (response.status_code, response.json()) == (200, {"path": path, "size": len(content)})
        assert response["Access-Control-Allow-Origin"] == "*"
    assert uploading.asker.ask(PENDING, **uploading.ids)["dataset"]["draft"]["uploads"] == [
        {"id": uploading.name, "complete": False, "estimatedSize": 12}
    ]
    for _ in range(2):
        assert uploading.asker.ask(FINISH, name=uploading.name) == {"finishUpload": True}
    assert paths(dataset) == {*FILES}
    assert uploading.asker.ask(PENDING, **uploading.ids)["dataset"]["draft"]["uploads"] == []


def test_upload_that_is_not_whole_is_refused_unless_a_browser_has_named_it(uploading: Uploading) -> None:
    uploading.send("README", FILES["README"])
    assert "these 1 are not all" in uploading.asker.refusal(FINISH, name=uploading.name)
    uploading.asker.client.defaults["HTTP_ORIGIN"] = "https://example.org"
    assert uploading.asker.ask(FINISH, name=uploading.name) == {"finishUpload": True}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_body_of_any_type_is_taken_as_it_is(uploading: Uploading, kind: str) -> None:
    response = uploading.send("README", b"a=b", content_type=kind)
    assert (response.status_code, response.json()) == (200, {"path": "README", "size": 3})


def test_dotfile_is_skipped_but_for_one(uploading: Uploading) -> None:
    assert uploading.send(".git/config", b"x").json() == {"skipped": True}
    assert uploading.send(".bidsignore", b"x").json() == {"path": ".bidsignore", "size": 1}


def test_colons_may_be_encoded(uploading: Uploading) -> None:
    assert uploading.send("a%3Ab.txt", b"x").json()["path"] == "a/b.txt"


@pytest.mark.parametrize("path", ["../README", "sub-01/../../README", "sub-01//README", "/README"])
def test_path_that_climbs_out_is_refused_with_a_reason(uploading: Uploading, path: str) -> None:
    response = uploading.send(path, b"x")
    assert response.status_code == 400
    assert "ath" in response.json()["error"]


def test_preflight_is_answered(client: Client) -> None:
    response = client.options(
        "/uploads/0/ds000001/a/b", headers={"Access-Control-Request-Headers": "authorization,content-type"}
    )
    assert (response.status_code, response["Access-Control-Allow-Headers"]) == (204, "authorization,content-type")
    assert client.get("/uploads/0/ds000001/a/b").status_code == 405


def test_editor_uploads_and_others_do_not(dataset: Dataset) -> None:
    editor = make_editor(dataset)
    assert Uploading(dataset, editor).send("README", b"x").status_code == 200
    for user in (make_user(), make_viewer(dataset)):
        refused = Asker.of(user).refusal(PREPARE, id=id_of(dataset), name="a")
        assert refused == "You do not have access to modify this dataset."
    assert Asker().refusal(PREPARE, id=id_of(dataset), name="a") == "You must be logged in to do this."


def secret_of(user: User) -> str:
    return create_token(user=user, name="program")[1]


def test_file_is_taken_by_the_right_token_alone(dataset: Dataset, uploading: Uploading) -> None:
    other = make_embargoed_dataset(owner_user(dataset))
    repository = uploading.asker.ask(
        "mutation($id: ID!) { prepareRepoAccess(datasetId: $id) { token } }", id=id_of(other)
    )["prepareRepoAccess"]["token"]
    statuses = {
        "nobody": uploading.send("a", b"x", token=""),
        "unknown": uploading.send("a", b"x", token="nothing"),
        "stranger": uploading.send("a", b"x", token=secret_of(make_user())),
        "reader": uploading.send("a", b"x", token=secret_of(make_viewer(dataset))),
        "of another dataset": uploading.send("a", b"x", token=Uploading(other, owner_user(dataset)).prepared["token"]),
        "to another dataset": uploading.send("a", b"x", dataset=id_of(other)),
        "repository of another": uploading.send("a", b"x", token=repository),
        "not there": uploading.send("a", b"x", dataset="ds999999"),
        "another who may": uploading.send("a", b"x", token=secret_of(make_editor(dataset))),
    }
    assert {name: response.status_code for name, response in statuses.items()} == {
        "nobody": 401,
        "unknown": 401,
        "stranger": 403,
        "reader": 403,
        "of another dataset": 403,
        "to another dataset": 403,
        "repository of another": 403,
        "not there": 403,
        "another who may": 404,
    }


def test_token_that_is_revoked_or_whose_user_lost_their_role_sends_nothing(
    dataset: Dataset, uploading: Uploading
) -> None:
    user = owner_user(dataset)
    Grant.objects.filter(user=user, dataset=dataset).update(role=Grant.Role.VIEWER)
    assert uploading.send("a", b"x").status_code == 403
    for token in Token.objects.filter(user=user, purpose=Token.Purpose.UPLOAD):
        token.revoked = token.created
        token.save()
    assert uploading.send("a", b"x").status_code == 401


def test_upload_token_finishes_nothing(dataset: Dataset, uploading: Uploading) -> None:
    uploading.send("README", b"x")
    asker = Asker(uploading.prepared["token"])
    assert asker.refusal(FINISH, name=uploading.name) == "This token is for something else."
    assert paths(dataset) == set()
