"""Files in OpenNeuro's dialect: listings, and downloads by path and by key."""

import hashlib
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.accounts.services import create_token
from archive.blobs.models import Blob
from archive.datasets.models import Dataset
from dandiapi.graphql import context
from tests.archive.catalogue.test_files import FILES, make_filled
from tests.dandiapi.graphql.asking import Asker
from tests.dandiapi.graphql.test_datasets import id_of, person
from tests.factories import make_asset, make_blob_row, make_dataset, make_embargoed_dataset, make_user, owner_of

pytestmark = pytest.mark.django_db

LIST = """query($id: ID!, $tree: String, $all: Boolean) { dataset(id: $id) { draft {
  files(tree: $tree, recursive: $all) { id filename size directory annexed urls sha256 key } } } }"""


def listed(asker: Asker, dataset: Dataset, **wanted: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asker.ask(LIST, id=id_of(dataset), **wanted)["dataset"]["draft"]["files"]
    return found


def test_listing_is_walked_folder_by_folder_by_their_ids() -> None:
    dataset = make_filled(make_dataset())
    root = listed(Asker(), dataset)
    assert [(each["filename"], each["directory"]) for each in root] == [
        ("dataset_description.json", False),
        ("README", False),
        ("a", False),
        ("sub-1", True),
    ]
    below = listed(Asker(), dataset, tree=root[-1]["id"])
    assert [each["filename"] for each in below] == ["b.json", "anat"]
    [scan] = listed(Asker(), dataset, tree=below[-1]["id"])
    assert (scan["filename"], scan["annexed"], scan["size"]) == ("a.nii.gz", True, 1)
    assert (root[-1]["size"], root[-1]["urls"], below[0]["annexed"]) == (0, [], False)


def test_listing_of_all_has_paths_sizes_and_digests() -> None:
    dataset = make_filled(make_dataset())
    files = listed(Asker(), dataset, all=True)
    assert {each["filename"]: each["sha256"] for each in files} == {
        path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()
    }
    assert all(each["id"] == each["key"] for each in files)


def test_listing_of_all_below_a_folder_has_paths_from_there() -> None:
    dataset = make_filled(make_dataset())
    folder = listed(Asker(), dataset)[-1]["id"]
    assert [each["filename"] for each in listed(Asker(), dataset, tree=folder, all=True)] == [
        "anat/a.nii.gz",
        "b.json",
    ]


def test_draft_is_a_snapshot_by_its_commit_as_clients_that_walk_folders_ask_for_it() -> None:
    dataset = make_filled(make_dataset())
    latest = Asker().ask("query($id: ID!) { dataset(id: $id) { latestSnapshot { tag size } } }", id=id_of(dataset))
    tag = latest["dataset"]["latestSnapshot"]["tag"]
    asked = "query($id: ID!, $tag: String!) { snapshot(datasetId: $id, tag: $tag) { tag files { filename } } }"
    told = Asker().ask(asked, id=id_of(dataset), tag=tag)["snapshot"]
    assert (told["tag"], len(told["files"])) == (tag, 4)


def test_size_is_that_of_all_files() -> None:
    dataset = make_filled(make_dataset())
    told = Asker().ask("query($id: ID!) { dataset(id: $id) { draft { size } } }", id=id_of(dataset))
    assert told["dataset"]["draft"]["size"] == sum(len(content) for content in FILES.values())


OLD = """query($id: ID!) { dataset(id: $id) { draft {
  all: files(prefix: null) { key objectpath urls } root: files(prefix: "") { key } downloadFiles { filename } } } }"""


def test_documents_of_years_ago_are_answered() -> None:
    told = Asker().ask(OLD, id=id_of(make_filled(make_dataset())))["dataset"]["draft"]
    assert [len(told[name]) for name in ("all", "root", "downloadFiles")] == [len(FILES), 4, len(FILES)]
    assert all([each["objectpath"]] == each["urls"] for each in told["all"])


def test_request_lists_only_so_many_files_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "MAX_TOLD", 2 * len(FILES) - 1)
    dataset = make_filled(make_dataset())
    assert len(listed(Asker(), dataset, all=True)) == len(FILES)
    twice = "query($id: ID!) { dataset(id: $id) { draft { downloadFiles { id } files(recursive: true) { id } } } }"
    assert "ask for one folder after the other" in Asker().refusal(twice, id=id_of(dataset))


def test_listing_by_the_commit_is_the_draft_and_by_nothing_known_an_error() -> None:
    dataset = make_filled(make_dataset())
    assert listed(Asker(), dataset, tree="HEAD") == listed(Asker(), dataset)
    assert Asker().refusal(LIST, id=id_of(dataset), tree="9.9.9") == "Not Found"
    assert Asker().refusal(LIST, id=id_of(dataset), tree="folder-c3ViLTI") == "Not Found"


def test_urls_are_the_stores_own_once_it_gives_the_file_to_everybody() -> None:
    dataset = make_filled(make_dataset())
    Blob.objects.update(is_open=False)
    [ours] = listed(Asker(), dataset)[1]["urls"]
    assert f"/crn/datasets/{id_of(dataset)}/objects/SHA256E-s7--" in ours
    assert ours.endswith("?filename=README")
    Blob.objects.update(is_open=True)
    [theirs] = listed(Asker(), dataset)[1]["urls"]
    assert "/blobs/" in theirs
    assert "?" not in theirs


def test_urls_of_hidden_files_are_never_the_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_filled(make_embargoed_dataset())
    Blob.objects.update(is_open=True)
    files = listed(Asker.of(person(dataset)), dataset, all=True)
    assert all("/crn/datasets/" in url for each in files for url in each["urls"])


def test_listing_costs_the_same_queries_however_many_files_there_are() -> None:
    dataset = make_dataset()

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            listed(Asker(), dataset, all=True)
        return len(captured)

    make_asset(dataset, "first", blob=make_blob_row(person(dataset)))
    cost()
    before = cost()
    for number in range(20):
        make_asset(dataset, f"sub-{number}/a", blob=make_blob_row(person(dataset)))
    assert cost() == before


# --- Downloads --------------------------------------------------------------------------------------------------------


def path_of(url: str) -> str:
    return url[url.index("/crn/") :]


def bearer(dataset: Dataset) -> dict[str, str]:
    return {"Authorization": f"Bearer {create_token(user=person(dataset), name='program')[1]}"}


def test_file_is_downloaded_by_key_and_by_path_and_head_tells_its_length(client: Client) -> None:
    dataset = make_filled(make_embargoed_dataset())
    headers = bearer(dataset)
    files = listed(Asker.of(person(dataset)), dataset, all=True)
    addresses = {each["filename"]: path_of(each["urls"][0]) for each in files}
    for path, content in FILES.items():
        by_path = f"/crn/datasets/{id_of(dataset)}/files/{path.replace('/', ':')}"
        for address in (addresses[path], by_path, by_path.replace("/crn/", "/api/")):
            told = client.head(address, headers=headers)
            assert (told.status_code, told["Content-Length"]) == (200, str(len(content)))
            assert "ETag" not in told
            found = client.get(address, headers=headers)
            assert found.status_code == 302
            assert httpx.get(found["Location"]).content == content


def test_download_is_resumed_at_the_store(client: Client) -> None:
    dataset = make_filled(make_dataset())
    address = f"/crn/datasets/{id_of(dataset)}/files/README"
    part = httpx.get(client.get(address)["Location"], headers={"Range": "bytes=5-"})
    assert (part.status_code, part.content) == (206, b"me")


@pytest.mark.parametrize("rest", ["files/README", "snapshots/draft/files/README", "objects/SHA256E-s7--0.md"])
def test_hidden_dataset_is_refused_like_one_that_is_not_there(client: Client, rest: str) -> None:
    dataset = make_filled(make_embargoed_dataset())
    for name in (id_of(dataset), "ds999999"):
        for headers in ({}, bearer(make_dataset())):
            response = client.get(f"/crn/datasets/{name}/{rest}", headers=headers)
            assert response.status_code == 403
            assert response.json() == {"error": "You do not have access to read this dataset."}


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ("files/nothing", 404),
        ("files/sub-1", 404),
        ("files/..:..:etc:passwd", 404),
        ("snapshots/9.9.9/files/README", 404),
        (f"objects/SHA256E-s7--{'0' * 64}", 404),
        ("objects/URL--a", 400),
        ("objects/pending-1", 400),
    ],
)
def test_what_is_not_there_is_told_in_json(client: Client, rest: str, status: int) -> None:
    dataset = make_filled(make_dataset())
    response = client.get(f"/crn/datasets/{id_of(dataset)}/{rest}")
    assert (response.status_code, [*response.json()]) == (status, ["error"])


def test_key_of_another_dataset_is_not_found(client: Client) -> None:
    user = make_user()
    dataset, other = make_filled(make_embargoed_dataset(user)), make_dataset()
    key = listed(Asker.of(user), dataset)[1]["key"]
    assert client.get(f"/crn/datasets/{id_of(other)}/objects/{key}", headers=bearer(other)).status_code == 404
    assert owner_of(other)
