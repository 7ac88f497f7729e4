"""Every call of the web app's screens, in its spelling, from another origin, in a real browser (dandi-web 2)."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from tests.dandiapi.rest import shapes
from tests.journeys.rest import VALID_METADATA, add_file, wait_for_version, wait_until_valid
from tests.journeys.running import RunningArchive
from tests.journeys.web_app_tab import Answer, Tab

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
CONTENT = b"What a mouse saw."
DOOMED = b"What nobody shall see."
LIST = "dandisets/?page=1&page_size=8&ordering=-modified"
ERROR = {"field", "message"}
USER = {"username", "name", "admin", "status"}
OWNER = {"username", "name", "email"}
INFO = {
    *("instance_config", "schema_version", "schema_url", "allowed_schema_versions", "version", "services"),
    *("cli-minimal-version", "cli-requires-python", "cli-bad-versions"),
}

# What each screen reads, whoever looks: path, status, and the keys of the answer, of its results, or of its entries.
READ_BY_ALL = [
    ("info/", 200, INFO),
    ("schemas/?model=Dandiset", 200, None),
    ("stats/", 200, {"dandiset_count", "published_dandiset_count", "user_count", "size"}),
    (f"{LIST}&draft=true&empty=false&embargoed=false", 200, shapes.PAGE),
    (f"{LIST}&draft=true&empty=true&embargoed=false&search=mouse", 200, shapes.PAGE),
    ("dandisets/?page=1&page_size=1&ordering=-modified&draft=true", 200, shapes.PAGE),
    ("dandisets/{id}/versions/", 200, shapes.PAGE),
    ("dandisets/{id}/versions/?page_size=1&order=-created", 200, shapes.PAGE),
    ("dandisets/{id}/versions/draft/info/", 200, shapes.VERSION_INFO),
    ("dandisets/{id}/versions/{version}/info/", 200, shapes.VERSION_INFO),
    ("dandisets/{id}/users/", 200, OWNER),
    ("dandisets/{id}/versions/draft/assets/?zarr=true&page_size=1", 200, shapes.PAGE),
    ("dandisets/{id}/versions/draft/assets/paths/?path_prefix=&page=1&page_size=15", 200, shapes.PAGE),
    ("dandisets/{id}/versions/draft/assets/paths/?path_prefix=sub-01&page=1&page_size=15", 200, shapes.PAGE),
    ("dandisets/{id}/versions/draft/assets/paths/?path_prefix=sub-01%2F&page=1&page_size=15", 200, shapes.PAGE),
    ("dandisets/{id}/versions/draft/assets/{asset}", 200, None),
    ("dandisets/search?page_size=8&page=1", 200, shapes.PAGE),
    ("dandisets/search?file_type=text%2F&page_size=8&page=1", 200, shapes.PAGE),
    ("search/species?species=", 200, None),
    (f"{LIST}&search=created_after:yesterday-ish", 400, {"search"}),
    ("dandisets/999999/versions/", 404, {"detail"}),
    ("dandisets/999999/versions/?page_size=1&order=-created", 404, {"detail"}),
    ("dandisets/{id}/versions/0.111111.1111/info/", 404, {"detail"}),
    ("dandisets/{id}/versions/draft/assets/paths/?path_prefix=none&page=1&page_size=15", 404, {"detail"}),
]
# What is for those who are signed in, and what others are told.
READ_BY_SOME = [
    ("users/me/", USER, 401),
    ("users/search/?username=Hopper", USER, 401),
    (f"{LIST}&user=me&draft=true&empty=true&embargoed=false", shapes.PAGE, 200),
    (f"{LIST}&starred=true&draft=true&empty=false&embargoed=false", shapes.PAGE, 401),
]
# What the app asks for before it asks.
SLASHLESS = [
    "dandisets/search?page_size=8&page=1",
    "search/species?species=",
    "search/genotypes?genotype=x",
    "assets/{asset}/download?content_disposition=inline",
    "dandisets/{id}/versions/draft/assets/{asset}",
]


@pytest.fixture(scope="module")
def tab(browser: Browser, web_app: str, running_archive: RunningArchive) -> Iterator[Tab]:
    """The web app, with somebody new signed in."""
    with browser.new_context() as context:
        tab = Tab(context, web_app, running_archive)
        tab.shows("nobody")
        tab.log_in()
        tab.sign_up(f"{uuid.uuid4().hex}@example.org", "correct horse battery", "Grace", "Hopper")
        tab.shows(re.compile(" APPROVED$"))
        yield tab


@pytest.fixture(scope="module")
def program(tab: Tab, running_archive: RunningArchive) -> Iterator[httpx.Client]:
    """A program of the same person's, with the key that the app showed them."""
    assert tab.call("GET", "auth/token/").status == 404
    key = tab.call("POST", "auth/token/").data
    assert tab.call("GET", "auth/token/").data == key
    headers = {"Authorization": f"token {key}"}
    with httpx.Client(base_url=running_archive.api_url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def created(tab: Tab) -> str:
    """A dandiset that the app's form has made, valid and with a file in a folder."""
    version = tab.call("GET", "schemas/?model=Dandiset").data["properties"]["schemaVersion"]["default"]
    metadata = {"name": "Mouse vision", "schemaVersion": version, "description": "D", "license": ["spdx:CC0-1.0"]}
    answer = tab.call("POST", "dandisets/", {"name": "Mouse vision", "metadata": metadata})
    assert (answer.status, set(answer.data)) == (200, shapes.DATASET_DETAIL)
    identifier: str = answer.data["identifier"]
    return identifier


@pytest.fixture(scope="module")
def place(tab: Tab, program: httpx.Client) -> dict[str, str]:
    """The names of a published dandiset and its parts."""
    identifier = created(tab)
    add_file(program, identifier, "sub-01/seen.txt", CONTENT)
    edit(tab, identifier, **VALID_METADATA)
    wait_until_valid(program, identifier)
    answer = tab.call("POST", f"dandisets/{identifier}/versions/draft/publish/", {"release_notes": "First."})
    assert (answer.status, answer.text) == (202, "")
    version = wait_for_version(program, identifier)
    (asset,) = tab.call("GET", f"dandisets/{identifier}/versions/draft/assets/").data["results"]
    return {"id": identifier, "version": version, "asset": asset["asset_id"]}


def edit(tab: Tab, identifier: str, **changes: Any) -> Answer:
    """What the metadata editor sends: all that it was given, edited."""
    info = tab.call("GET", f"dandisets/{identifier}/versions/draft/info/").data
    lists = {name: [] for name in ("about", "ethicsApproval", "relatedResource", "wasGeneratedBy")}
    metadata = {**lists, **info["metadata"], **changes}
    return tab.call("PUT", f"dandisets/{identifier}/versions/draft/", {"name": info["name"], "metadata": metadata})


def has_shape(answer: Answer, keys: set[str] | None) -> bool:
    """Whether the answer, or each entry of one that is a list, has these keys."""
    entries = answer.data if isinstance(answer.data, list) else [answer.data]
    return bool(entries) and (keys is None or all(set(entry) == keys for entry in entries))


@pytest.mark.parametrize(("path", "status", "keys"), READ_BY_ALL)
def test_everybody_reads(tab: Tab, place: dict[str, str], path: str, status: int, keys: set[str] | None) -> None:
    answers = [tab.call("GET", path.format(**place), anonymously=anonymously) for anonymously in (False, True)]
    assert [(answer.status, has_shape(answer, keys)) for answer in answers] == [(status, True)] * 2


@pytest.mark.parametrize(("path", "keys", "refusal"), READ_BY_SOME)
def test_somebody_reads(tab: Tab, path: str, keys: set[str], refusal: int) -> None:
    answer = tab.call("GET", path)
    assert (answer.status, has_shape(answer, keys)) == (200, True)
    assert tab.call("GET", path, anonymously=True).status == refusal


def test_lists_have_what_the_rows_show(tab: Tab, place: dict[str, str]) -> None:
    rows = tab.call("GET", f"{LIST}&user=me&draft=true&empty=true&embargoed=false").data["results"]
    assert {frozenset(row) for row in rows} == {frozenset(shapes.DATASET_DETAIL)}
    assert {frozenset(row["draft_version"]) for row in rows} == {frozenset(shapes.VERSION_ROW)}
    paths = tab.call("GET", "dandisets/{id}/versions/draft/assets/paths/?path_prefix=&page=1".format(**place)).data
    assert [(row["path"], row["asset"], set(row)) for row in paths["results"]] == [("sub-01", None, shapes.PATH)]
    files = "dandisets/{id}/versions/draft/assets/paths/?path_prefix=sub-01%2F&page=1".format(**place)
    assert [set(row["asset"]) for row in tab.call("GET", files).data["results"]] == [{"asset_id", "url"}]


def test_published_version_is_the_newest(tab: Tab, place: dict[str, str]) -> None:
    (newest,) = tab.call("GET", "dandisets/{id}/versions/?page_size=1&order=-created".format(**place)).data["results"]
    assert (newest["version"], newest["release_notes"]) == (place["version"], "First.")
    draft = tab.call("GET", "dandisets/{id}/versions/draft/info/".format(**place)).data
    assert (draft["status"], draft["metadata"]["version"]) == ("Published", "draft")


def test_schema_is_where_info_says(tab: Tab, running_archive: RunningArchive) -> None:
    address = tab.call("GET", "info/").data["schema_url"]
    assert address == f"{running_archive.api_url}/schemas/?model=Dandiset"
    schema = tab.call("GET", "schemas/?model=Dandiset", anonymously=True).data
    assert schema["$defs"]["LicenseType"]["enum"]
    assert {"maxLength", "type"} <= set(schema["properties"]["name"])


def test_star_is_given_and_taken(tab: Tab, place: dict[str, str]) -> None:
    path = f"dandisets/{place['id']}/star/"
    assert [tab.call(method, path).data for method in ("POST", "DELETE")] == [{"count": 1}, {"count": 0}]


def test_owners_are_set_from_mixed_shapes(tab: Tab) -> None:
    identifier = created(tab)
    (owner,) = tab.call("GET", f"dandisets/{identifier}/users/").data
    found = tab.call("GET", f"users/search/?username={owner['username'][:20]}").data
    answer = tab.call("PUT", f"dandisets/{identifier}/users/", [owner, *found])
    assert (answer.status, answer.data) == (200, [owner])
    refused = tab.call("PUT", f"dandisets/{identifier}/users/", [])
    assert (refused.status, refused.data) == (400, ["Cannot remove all draft owners"])


def test_embargoed_dandiset_is_made_and_released(tab: Tab) -> None:
    version = tab.call("GET", "schemas/?model=Dandiset").data["properties"]["schemaVersion"]["default"]
    metadata = {"name": "Secret", "schemaVersion": version, "description": "D"}
    made = tab.call("POST", "dandisets/?embargo=true", {"name": "Secret", "metadata": metadata})
    assert (made.status, set(made.data), made.data["embargo_status"]) == (200, shapes.DATASET_DETAIL, "EMBARGOED")
    dandiset = f"dandisets/{made.data['identifier']}/"
    assert tab.call("GET", f"{dandiset}versions/", anonymously=True).status == 401
    uploads = tab.call("GET", f"{dandiset}uploads/?page=1")
    assert (uploads.status, uploads.data["count"], uploads.data["next"]) == (200, 0, None)
    assert tab.call("DELETE", f"{dandiset}uploads/").status == 204
    released = tab.call("POST", f"{dandiset}unembargo/")
    assert (released.status, released.text) == (200, "")
    assert tab.call("GET", f"{dandiset}versions/", anonymously=True).status == 200


def test_editor_saves_what_is_not_valid_and_says_why(tab: Tab) -> None:
    identifier = created(tab)
    answer = edit(tab, identifier, contributor=[], license=[])
    assert (answer.status, answer.data["version"], answer.data["dandiset"]["identifier"]) == (200, "draft", identifier)


def test_others_learn_that_they_may_not(tab: Tab, place: dict[str, str]) -> None:
    calls = [("POST", "dandisets/"), ("PUT", "dandisets/{id}/versions/draft/"), ("POST", "dandisets/{id}/star/")]
    answers = [tab.call(method, path.format(**place), {}, anonymously=True) for method, path in calls]
    assert [answer.status for answer in answers] == [401, 401, 401]


def test_file_is_opened_and_deleted(tab: Tab, program: httpx.Client) -> None:
    identifier = created(tab)
    add_file(program, identifier, "sub-01/doomed.txt", DOOMED)
    draft = f"dandisets/{identifier}/versions/draft/assets/"
    (asset,) = tab.call("GET", draft).data["results"]
    with tab.page.context.expect_page() as opened:
        tab.page.evaluate(
            "path => void window.open(settings.apiRoot + path)",
            f"assets/{asset['asset_id']}/download?content_disposition=inline",
        )
    assert opened.value.inner_text("body") == DOOMED.decode()
    opened.value.close()
    assert tab.call("DELETE", f"{draft}{asset['asset_id']}/").status == 204
    assert tab.call("GET", f"{draft}paths/?path_prefix=&page=1&page_size=15").data["results"] == []


def test_new_key_ends_the_old_one(tab: Tab, running_archive: RunningArchive, program: httpx.Client) -> None:
    old = tab.call("POST", "auth/token/").data
    new = tab.call("POST", "auth/token/").data
    statuses = [
        httpx.get(
            f"{running_archive.api_url}/users/me/", headers={"Authorization": f"token {key}"}, trust_env=False
        ).status_code
        for key in (old, new)
    ]
    assert statuses == [401, 200]
    program.headers["Authorization"] = f"token {new}"


@pytest.mark.parametrize("path", [*SLASHLESS, *(path for path, *_ in READ_BY_ALL)])
def test_preflight_is_answered_at_every_spelling(
    running_archive: RunningArchive, web_app: str, place: dict[str, str], path: str
) -> None:
    asking = {
        "Origin": web_app,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,baggage,sentry-trace",
    }
    answer = httpx.options(f"{running_archive.api_url}/{path.format(**place)}", headers=asking, trust_env=False)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == web_app
    assert answer.headers["Access-Control-Max-Age"] == "86400"
    assert {"authorization", "baggage", "content-type", "sentry-trace"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert "access-control-allow-credentials" not in answer.headers
