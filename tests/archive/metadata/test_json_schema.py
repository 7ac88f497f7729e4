"""The schema as JSON Schema (docs/dialects/dandi.md#service)."""

import pytest
from jsonschema import Draft202012Validator

from archive.errors import InvalidError
from archive.metadata.queries import SCHEMA_NAMES, json_schema, schema_info


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_schema_is_of_the_2020_dialect(name: str) -> None:
    schema = json_schema(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_schema_has_the_patterns_of_this_instance() -> None:
    assert json_schema("Dandiset")["properties"]["identifier"]["pattern"] == r"^DANDI:\d{6}$"
    assert r"10\.80507" in json_schema("PublishedDandiset")["properties"]["doi"]["pattern"]


@pytest.mark.parametrize("name", ["", "Person", "BaseModel", "__class__"])
def test_schema_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidError) as caught:
        json_schema(name)
    assert caught.value.field == "model"


def test_current_version_is_the_newest_allowed() -> None:
    info = schema_info()
    assert info.current == info.allowed[-1]
    assert {"0.4.4", "0.5.2", "0.6.10", "0.7.0"} < set(info.allowed)
