"""What the service says about itself (docs/dialects/dandi.md#service)."""

import pytest
from django.test import Client, override_settings

from archive.datasets.models import Dataset
from archive.metadata.queries import json_schema, schema_info
from tests.dandiapi.rest.api import Api
from tests.factories import (
    make_asset,
    make_embargoed_dataset,
    make_published_version,
    make_unapproved_user,
    make_user,
    make_valid_dataset,
)
from tests.worker import Worker


def test_info_has_exactly_the_fields_of_the_dialect(anonymous: Api) -> None:
    info = anonymous.get("info/").json()
    assert set(info) == {
        "schema_version",
        "schema_url",
        "allowed_schema_versions",
        "version",
        "services",
        "instance_config",
        "cli-minimal-version",
        "cli-requires-python",
        "cli-bad-versions",
    }
    assert set(info["instance_config"]) == {
        "instance_name",
        "instance_identifier",
        "instance_url",
        "doi_prefix",
        "licenses",
    }


@override_settings(ARCHIVE_URL="https://archive.example.org")
def test_info_names_addresses_as_clients_expect_them(anonymous: Api) -> None:
    info = anonymous.get("info/").json()
    assert info["services"]["api"] == {"url": "https://archive.example.org/api"}
    assert info["services"]["webui"] == {"url": "https://archive.example.org"}
    assert info["schema_url"] == "https://archive.example.org/api/schemas/?model=Dandiset"


def test_info_says_what_the_command_line_client_checks(anonymous: Api) -> None:
    info = anonymous.get("info/").json()
    assert info["cli-minimal-version"] == "0.74.0"
    assert info["cli-requires-python"] == ">=3.10"
    assert info["cli-bad-versions"] == []
    assert info["schema_version"] == schema_info().current
    assert info["schema_version"] in info["allowed_schema_versions"]


@override_settings(ARCHIVE_DOI_PREFIX=None, ARCHIVE_INSTANCE_IDENTIFIER=None)
def test_info_keeps_what_the_instance_does_not_have(anonymous: Api) -> None:
    instance = anonymous.get("info/").json()["instance_config"]
    assert (instance["doi_prefix"], instance["instance_identifier"]) == (None, None)


def test_info_is_the_same_when_a_format_is_asked_for(anonymous: Api) -> None:
    assert anonymous.get("info/?format=json").json() == anonymous.get("info/").json()


@pytest.mark.parametrize("address", ["/server-info", "/server-info/", "/api/"])
def test_info_is_the_same_at_the_roots_of_web_host_and_api(anonymous: Api, address: str) -> None:
    assert Client().get(address).json() == anonymous.get("info/").json()


def test_stats_are_zero_when_there_is_nothing(anonymous: Api) -> None:
    assert anonymous.get("stats/").json() == {
        "dandiset_count": 0,
        "published_dandiset_count": 0,
        "user_count": 0,
        "size": 0,
    }


def test_stats_count_what_is_open(anonymous: Api, dataset: Dataset, worker: Worker) -> None:
    owner = make_user()
    make_unapproved_user()
    make_asset(dataset, "a.nwb")
    make_published_version(worker, make_valid_dataset(worker, owner, paths=("a.nwb", "b.nwb")))
    make_asset(make_embargoed_dataset(owner), "secret.nwb")
    assert anonymous.get("stats/").json() == {
        "dandiset_count": 2,
        "published_dandiset_count": 1,
        "user_count": 2,
        "size": 3,
    }


def test_available_schemas_are_the_four_models(anonymous: Api) -> None:
    assert anonymous.get("schemas/available/").json() == ["Dandiset", "Asset", "PublishedDandiset", "PublishedAsset"]


@pytest.mark.parametrize("model", ["Dandiset", "Asset", "PublishedDandiset", "PublishedAsset"])
def test_schema_is_that_of_the_model(anonymous: Api, model: str) -> None:
    schema = anonymous.get("schemas/", {"model": model}).json()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema == json_schema(model)


@pytest.mark.parametrize("query", ["", "?model=", "?model=Nothing", "?model=../Dandiset", "?other=Dandiset"])
def test_schema_is_refused_when_there_is_no_such_model(anonymous: Api, query: str) -> None:
    response = anonymous.get(f"schemas/{query}")
    assert (response.status_code, list(response.json())) == (400, ["model"])
