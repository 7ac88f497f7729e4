"""GraphQL over HTTP: statuses, codes, headers, and what is refused before anything is resolved."""

import json
import time
from base64 import b64encode
from typing import Any

import pytest
from django.test import Client

from dandiapi.graphql import context
from dandiapi.graphql.limits import MAX_BODY
from tests.dandiapi.graphql.asking import ADDRESS, Asker
from tests.factories import make_dataset

pytestmark = pytest.mark.django_db

JSON = "application/json"
SMALL = "{ datasets { pageInfo { count } } }"
EMPTY = {"datasets": {"pageInfo": {"count": 0}}}


def code(response: Any) -> tuple[int, str]:
    """The status of an answer, and the code of its first error."""
    return response.status_code, response.json()["errors"][0]["extensions"]["code"]


def post(client: Client, body: Any, content_type: str = JSON, **headers: str) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(ADDRESS, text, content_type=content_type, headers=headers)


@pytest.mark.parametrize("address", ["/crn/graphql", "/graphql", "/api/graphql", "/crn/graphql/"])
def test_document_is_answered_at_every_address(client: Client, address: str) -> None:
    response = client.post(address, {"query": SMALL}, content_type=JSON)
    assert (response.status_code, response.json()["data"]) == (200, EMPTY)


def test_answer_tells_the_version_and_is_kept_nowhere(client: Client) -> None:
    response = post(client, {"query": SMALL})
    assert response.json()["extensions"]["openneuro"]["version"].count(".") == 2
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Type"] == "application/json; charset=utf-8"


def test_answer_has_the_type_that_new_clients_ask_for(client: Client) -> None:
    response = post(client, {"query": SMALL}, Accept="application/graphql-response+json")
    assert response["Content-Type"] == "application/graphql-response+json; charset=utf-8"


def test_error_of_a_resolver_is_told_with_its_place_beside_the_data(client: Client) -> None:
    response = post(client, {"query": '{ dataset(id: "ds000001") { id } }'})
    body = response.json()
    assert (response.status_code, body["data"]) == (200, {"dataset": None})
    [error] = body["errors"]
    assert error["message"] == "You do not have access to read this dataset."
    assert (error["path"], error["extensions"]["code"]) == (["dataset"], "INTERNAL_SERVER_ERROR")
    assert error["locations"] == [{"line": 1, "column": 3}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"query": "{ datasets {"}, (400, "GRAPHQL_PARSE_FAILED")),
        ({"query": "{ nothing }"}, (400, "GRAPHQL_VALIDATION_FAILED")),
        ({"query": "query($id: ID!) { dataset(id: $id) { id } }"}, (400, "BAD_USER_INPUT")),
        ({"query": "query a { __typename } query b { __typename }"}, (400, "OPERATION_RESOLUTION_FAILURE")),
        ({"query": "query a { __typename }", "operationName": "b"}, (400, "OPERATION_RESOLUTION_FAILURE")),
        ([{"query": SMALL}], (400, "BAD_REQUEST")),
        ({}, (400, "BAD_REQUEST")),
        ({"query": 1}, (400, "BAD_REQUEST")),
        ({"query": SMALL, "variables": []}, (400, "BAD_REQUEST")),
        ("text", (400, "BAD_REQUEST")),
        ({"extensions": {"persistedQuery": {"version": 1}}}, (200, "PERSISTED_QUERY_NOT_FOUND")),
    ],
)
def test_request_that_cannot_be_is_refused_with_a_code(client: Client, body: Any, expected: tuple[int, str]) -> None:
    response = post(client, body)
    assert code(response) == expected
    assert "data" not in response.json()


def test_batch_is_refused_in_the_words_of_the_dialect(client: Client) -> None:
    assert post(client, [{"query": SMALL}]).json()["errors"][0]["message"] == "Operation batching disabled."


def test_variables_that_are_not_declared_are_ignored(client: Client) -> None:
    assert post(client, {"query": SMALL, "variables": {"other": 1}}).json()["data"] == EMPTY


def test_null_for_an_argument_with_a_default_is_the_default() -> None:
    asked = Asker().ask("query($n: Int) { datasets(first: $n, orderBy: null) { pageInfo { count } } }", n=None)
    assert asked == EMPTY


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_post_that_another_page_could_forge_is_refused(client: Client, content_type: str) -> None:
    assert code(post(client, b'{"query": "{ __typename }"}', content_type)) == (400, "BAD_REQUEST")


def test_get_is_answered_if_no_page_could_have_forged_it(client: Client) -> None:
    assert code(client.get(ADDRESS, {"query": SMALL})) == (400, "BAD_REQUEST")
    for header in ("Apollo-Require-Preflight", "X-Apollo-Operation-Name"):
        assert client.get(ADDRESS, {"query": SMALL}, headers={header: "yes"}).json()["data"] == EMPTY


def test_get_changes_nothing(client: Client) -> None:
    asked = {"query": 'mutation { cacheClear(datasetId: "ds000001") }'}
    response = client.get(ADDRESS, asked, headers={"Apollo-Require-Preflight": "yes"})
    assert response.status_code == 405


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert getattr(client, method)(ADDRESS).status_code == 405


def test_preflight_of_any_origin_is_answered_with_the_headers_it_asks_for(client: Client) -> None:
    asked = {"Origin": "http://other.example", "Access-Control-Request-Headers": "authorization,x-own"}
    response = client.options(ADDRESS, headers=asked)
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (204, "*")
    assert response["Access-Control-Allow-Headers"] == "authorization,x-own"


def test_answers_may_be_read_by_pages_of_any_origin_but_not_with_cookies(client: Client) -> None:
    response = post(client, {"query": SMALL}, Origin="http://other.example")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response


def test_person_who_looks_here_gets_a_page_that_answers_queries(client: Client) -> None:
    page = client.get(ADDRESS, {"query": SMALL}, headers={"Accept": "text/html"}).content.decode()
    assert "&quot;count&quot;: 0" in page
    assert "latestSnapshot: Snapshot!" in page


def test_bad_token_makes_nobody_of_the_asker() -> None:
    assert Asker("eyJhIjoxfQ.eyJhIjoxfQ.x").ask(SMALL) == EMPTY


def nested(depth: int) -> str:
    return "{ dataset(id: 1) " + "{ draft { dataset " * depth + "{ id }" + " } }" * depth + " }"


CIRCLE = "query { ...a } fragment a on Query { ...b } fragment b on Query { ...a }"
BOMB = (
    "query { ...f0 }"
    + "".join(f" fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(30))
    + " fragment f30 on Query { __typename }"
)
INTROSPECTION = "{ __schema { types " + "{ fields { type " * 4 + "{ name }" + " } }" * 4 + " } }"

HOSTILE = {
    "depth": (nested(25), "at most 12 fields deep"),
    "aliases": ("{ " + " ".join(f"a{n}: __typename" for n in range(1000)) + " }", "at most 30 aliases"),
    "fields": ("{ " + "__typename " * 2000 + "}", "at most 600 fields"),
    "text": ("{ __typename }" + " " * 70_000, "at most 65536 characters"),
    "tokens": ("{ " + "a(b: [" + "1 " * 20_000 + "]) }", "Document contains more than"),
    "circle": (CIRCLE, "Cannot spread fragment"),
    "fragments": (BOMB, "at most 600 fragments"),
    "introspection": (INTROSPECTION, "at most 3 times"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_document_that_asks_for_too_much_is_refused_at_once_with_the_limit(client: Client, name: str) -> None:
    text, said = HOSTILE[name]
    post(client, {"query": SMALL})
    begun = time.process_time()
    response = post(client, {"query": text})
    assert response.status_code == 400
    assert said in response.json()["errors"][0]["message"]
    assert time.process_time() - begun < 0.25


def test_body_that_is_too_large_is_refused_unread(client: Client) -> None:
    assert post(client, b" " * (MAX_BODY + 1)).status_code == 413


def test_what_nobody_foresaw_is_not_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("dandiapi.graphql.queries.page_of_datasets", fail)
    assert "secret" not in post(client, {"query": SMALL}).content.decode()


def test_what_is_not_built_yet_says_so() -> None:
    error = Asker().error('mutation { followDataset(datasetId: "ds000001") { following } }')
    assert error["message"] == "followDataset is not available in this archive yet."
    assert error["extensions"]["code"] == "NOT_IMPLEMENTED"


def test_preflight_of_a_browser_may_be_about_any_header_and_method(client: Client) -> None:
    asked = {"Origin": "http://other.example", "Access-Control-Request-Method": "POST"}
    response = client.options("/api/graphql", headers={**asked, "Access-Control-Request-Headers": "x-own"})
    assert (response.status_code, response["Access-Control-Allow-Headers"]) == (204, "x-own")


@pytest.mark.parametrize(
    "text", ["{a" * 1600, "{a" * 1600 + "}" * 1600, "{dataset(id: " + "[" * 2000 + "]" * 2000 + "){id}}"]
)
def test_text_that_is_deeper_than_python_goes_is_refused(text: str) -> None:
    response = Asker().post(text)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] in {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"}


def test_answer_that_grows_with_each_level_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "MAX_TOLD", 3 * context.SNAPSHOT)
    dataset = make_dataset()
    below = "id"
    for _ in range(4):
        below = f"latestSnapshot {{ dataset {{ {below} }} }}"
    text = f'{{ dataset(id: "ds{dataset.number:06}") {{ {below} }} }}'
    assert Asker().refusal(text) == "The answer would be too long: ask for less at once."


@pytest.mark.parametrize("offset", [9223372036854775808, 2**64 - 1, 10**30])
def test_cursor_beyond_every_list_is_its_end(offset: int) -> None:
    after = b64encode(f'{{"offset": {offset}}}'.encode()).decode()
    answer = Asker().ask("query($after: String) { datasets(after: $after) { edges { id } } }", after=after)
    assert answer["datasets"]["edges"] == []
