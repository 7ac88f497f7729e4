"""The summary of many assets from what they contribute (docs/dialects/dandi.md#assets-summary)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from dandischema.metadata import _add_asset_to_stats, aggregate_assets_summary
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.metadata import summary
from archive.metadata.documents import AssetFacts, asset_metadata
from archive.metadata.summary import Contributed, asset_contribution, assets_summary

LISTS = ("approach", "dataStandard", "measurementTechnique", "species", "variableMeasured")

identifiers = st.sampled_from(["RRID:SCR_1", "http://example.org/é", "https://example.org"])
names = st.sampled_from(["a", "b", "c_1", "d.e", "ü"])
stems = st.builds("_".join, st.lists(st.builds("{}-{}".format, st.sampled_from(["sub", "sample", "ses"]), names)))


def types(key: str) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({"schemaKey": st.just(key), "name": names}, optional={"identifier": identifiers})


participants = st.fixed_dictionaries(
    {"schemaKey": st.sampled_from(["Participant", "Other"]), "identifier": names},
    optional={"species": types("SpeciesType")},
)
samples: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: st.fixed_dictionaries(
        {
            "schemaKey": st.sampled_from(["BioSample", "Other"]),
            "identifier": names,
            "sampleType": st.fixed_dictionaries({"name": st.sampled_from(["cell", "slice", "tissuesample"])}),
        },
        optional={"wasDerivedFrom": st.lists(samples, max_size=2)},
    )
)
assets = st.fixed_dictionaries(
    {
        "schemaVersion": st.sampled_from(["0.6.10", "0.8.0"]),
        "contentSize": st.integers(0, 100),
        "encodingFormat": st.sampled_from(["application/x-nwb", "application/json", "application/x-zarr"]),
        "path": st.one_of(
            st.builds("{}.nwb".format, stems),
            st.builds("sub-x/{}.ome.zarr".format, stems),
            st.just("dataset_description.json"),
        ),
    },
    optional={
        "approach": st.lists(types("ApproachType"), max_size=2),
        "measurementTechnique": st.none() | st.lists(types("MeasurementTechniqueType"), max_size=2),
        "variableMeasured": st.lists(
            st.fixed_dictionaries({"schemaKey": st.just("PropertyValue"), "value": names}), max_size=3
        ),
        "wasAttributedTo": st.lists(participants, max_size=1),
        "wasDerivedFrom": st.lists(samples, max_size=2),
    },
)


def in_order(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The summary with its lists sorted: the library leaves them in the order in which it saw the assets."""
    return {key: sorted(value, key=json.dumps) if key in LISTS else value for key, value in summary.items()}


def contributed(documents: list[dict[str, Any]]) -> dict[str, Contributed]:
    """What the database says that these assets contribute, which keeps each different value once."""
    different: dict[str, dict[str, Any]] = {}
    for document in documents:
        for key, values in asset_contribution(document).items():
            different.setdefault(key, {}).update({json.dumps(value, sort_keys=True): value for value in values})
    return {key: Contributed(len(values), list(values.values())) for key, values in different.items()}


def numbered(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With empty assets among them: more subjects than files are a fault to the library."""
    filler = {"schemaVersion": "0.8.0", "contentSize": 0, "encodingFormat": "text/plain", "path": "README"}
    return [*documents, *([filler] * len(documents))]


@given(st.lists(assets, max_size=6).map(numbered))
@settings(max_examples=150, deadline=None)
def test_summary_is_that_which_the_library_makes(documents: list[dict[str, Any]]) -> None:
    made = assets_summary(
        contributed(documents),
        number_of_files=len(documents),
        number_of_bytes=sum(document["contentSize"] for document in documents),
    )
    assert in_order(made) == in_order(aggregate_assets_summary(documents))


@pytest.mark.parametrize(
    "path",
    [
        "sub-1/sub-1_ses-2_run-3.nwb",
        "sub-1_sub-2_sample-a_sample-b.x.nwb",
        "sub-_sub-2_subject-3.nwb",
        "sub-1_ses-2.ome.zarr",
        "sub-1.a_sub-2.ome.zarr",
        "sub-1_ses-2.ome.zarr/",
        "sub-1_ses-2/.",
        "sub-1_dataset_description.json",
        "a/dataset_description.json",
        "a_b.ome.zarr",
        ".ome.zarr",
        ".sub-1_a",
        "sub-1_ses-2",
        "sub-1_ses-2.",
        "",
    ],
)
def test_path_contributes_what_the_library_reads_in_it(path: str) -> None:
    document = {"schemaVersion": "0.8.0", "contentSize": 1, "encodingFormat": "text/plain", "path": path}
    read: dict[str, Any] = {}
    _add_asset_to_stats(document, read)
    contribution = asset_contribution(document)
    for part in ("subjects", "tissuesample"):
        assert contribution.get(part, []) == sorted(read[part])
    standards = [standard["name"] for standard in contribution.get("dataStandard", [])]
    assert standards == [standard["name"] for standard in read["dataStandard"]]


def test_little_is_kept_of_what_assets_contribute() -> None:
    for kept in (summary._contribution, summary._listed):
        kept.cache_clear()
    for number in range(2000):
        asset_contribution({"path": f"sub-{number}.nwb", "approach": [{"name": str(number)}]})
    assert summary._contribution.cache_info().currsize == summary._listed.cache_info().currsize == 1000
    found = summary._contribution.cache_info()
    asset_contribution({"path": "sub-1.nwb", "approach": [{"name": "a" * summary.MAX_KEPT}]})
    assert summary._contribution.cache_info() == found


@given(st.lists(assets, max_size=4), st.randoms())
@settings(max_examples=50, deadline=None)
def test_summary_does_not_depend_on_the_order_of_assets(documents: list[dict[str, Any]], random: Any) -> None:
    shuffled = random.sample(documents, len(documents))
    one = assets_summary(contributed(documents), number_of_files=9, number_of_bytes=9)
    other = assets_summary(contributed(shuffled), number_of_files=9, number_of_bytes=9)
    assert json.dumps(one) == json.dumps(other)


def test_contribution_is_small_and_says_only_what_counts(asset_facts: AssetFacts) -> None:
    assert asset_contribution(asset_metadata(asset_facts)) == {
        "approach": [{"schemaKey": "ApproachType", "name": "electrophysiological approach"}],
        "cell": ["cell-01"],
        "dataStandard": [
            {
                "schemaKey": "StandardsType",
                "identifier": "RRID:SCR_015242",
                "name": "Neurodata Without Borders (NWB)",
            }
        ],
        "measurementTechnique": [
            {"schemaKey": "MeasurementTechniqueType", "name": "spike sorting technique"},
            {"schemaKey": "MeasurementTechniqueType", "name": "surgical technique"},
        ],
        "slice": ["slice-01"],
        "species": [
            {
                "schemaKey": "SpeciesType",
                "identifier": "http://purl.obolibrary.org/obo/NCBITaxon_10090",
                "name": "Mus musculus - House mouse",
            }
        ],
        "subjects": ["001"],
        "variableMeasured": ["ElectrodeGroup", "Units"],
    }


def test_contributions_that_differ_in_nothing_that_counts_are_equal(asset_facts: AssetFacts) -> None:
    metadata = asset_metadata(asset_facts)
    other = {**metadata, "contentSize": 1, "approach": metadata["approach"] * 2, "wasGeneratedBy": []}
    assert json.dumps(asset_contribution(other)) == json.dumps(asset_contribution(metadata))


def test_summary_of_no_assets_counts_nothing() -> None:
    assert assets_summary({}, number_of_files=0, number_of_bytes=0) == {
        "schemaKey": "AssetsSummary",
        "numberOfBytes": 0,
        "numberOfFiles": 0,
    }


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"path": 5, "encodingFormat": []},
        {"approach": 10**5000},
        {"approach": 1, "variableMeasured": [{}], "wasAttributedTo": ["x"]},
    ],
)
def test_metadata_that_cannot_be_read_contributes_nothing(document: dict[str, Any]) -> None:
    assert asset_contribution(document) == {}


def test_part_that_cannot_be_read_does_not_hide_the_others(asset_facts: AssetFacts) -> None:
    metadata = asset_metadata(asset_facts)
    odd = {"schemaKey": "BioSample", "identifier": "1", "sampleType": {"schemaKey": "SampleType", "name": "organoid"}}
    contribution = asset_contribution(metadata)
    rest = {key: value for key, value in contribution.items() if key not in {"cell", "slice"}}
    assert asset_contribution({**metadata, "wasDerivedFrom": [odd]}) == rest


@given(
    st.dictionaries(
        st.sampled_from(["path", *LISTS, "wasAttributedTo", "wasDerivedFrom"]),
        st.recursive(
            st.none() | st.integers() | st.text("ab_", max_size=3),
            lambda children: (
                st.lists(children, max_size=3) | st.dictionaries(names | st.just("schemaKey"), children, max_size=3)
            ),
        ),
    )
)
@settings(max_examples=100, deadline=None)
def test_contribution_of_anything_can_be_stored(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(asset_contribution(document))) == asset_contribution(document)
