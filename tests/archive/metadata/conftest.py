"""Metadata as the dandi client and the metadata form submit it, and the facts to compute the rest from.

Made once, so that Hypothesis may use it in every example; no test changes it.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from archive.metadata.documents import AssetFacts, VersionFacts, blob_digest, default_dandiset_metadata

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture(scope="session")
def submitted_version() -> dict[str, Any]:
    return {
        **default_dandiset_metadata(first_name="Jane", last_name="Doe", email="jane@example.org"),
        "description": "What a mouse saw.",
        "license": ["spdx:CC-BY-4.0"],
        "keywords": ["vision"],
        "lab": {"room": 7},
    }


@pytest.fixture(scope="session")
def version_facts(submitted_version: dict[str, Any]) -> VersionFacts:
    return VersionFacts(
        number=123,
        version="draft",
        name="Mouse vision.",
        submitted=submitted_version,
        created=datetime(2025, 1, 1, tzinfo=UTC),
        access="OPEN",
        manifest_urls=["http://127.0.0.1:8000/api/dandisets/000123/versions/draft/assets/"],
        now=NOW,
    )


@pytest.fixture(scope="session")
def submitted_asset() -> dict[str, Any]:
    """As the dandi client makes it of an NWB file of one cell."""
    return {
        "schemaKey": "Asset",
        "schemaVersion": "0.8.0",
        "encodingFormat": "application/x-nwb",
        "dateModified": "2026-01-02T03:04:05.000006+00:00",
        "blobDateModified": "2026-01-01T10:00:00-05:00",
        "approach": [{"schemaKey": "ApproachType", "name": "electrophysiological approach"}],
        "measurementTechnique": [
            {"schemaKey": "MeasurementTechniqueType", "name": "spike sorting technique"},
            {"schemaKey": "MeasurementTechniqueType", "name": "surgical technique"},
        ],
        "variableMeasured": [
            {"schemaKey": "PropertyValue", "value": "Units"},
            {"schemaKey": "PropertyValue", "value": "ElectrodeGroup"},
        ],
        "wasAttributedTo": [
            {
                "schemaKey": "Participant",
                "identifier": "001",
                "age": {
                    "schemaKey": "PropertyValue",
                    "value": "P70D",
                    "unitText": "ISO-8601 duration",
                    "valueReference": {"schemaKey": "PropertyValue", "value": "dandi:BirthReference"},
                },
                "sex": {
                    "schemaKey": "SexType",
                    "identifier": "http://purl.obolibrary.org/obo/PATO_0000384",
                    "name": "Male",
                },
                "species": {
                    "schemaKey": "SpeciesType",
                    "identifier": "http://purl.obolibrary.org/obo/NCBITaxon_10090",
                    "name": "Mus musculus - House mouse",
                },
                "genotype": "wt/wt",
            }
        ],
        "wasDerivedFrom": [
            {
                "schemaKey": "BioSample",
                "identifier": "cell_01",
                "sampleType": {"schemaKey": "SampleType", "name": "cell"},
                "wasDerivedFrom": [
                    {
                        "schemaKey": "BioSample",
                        "identifier": "slice_01",
                        "sampleType": {"schemaKey": "SampleType", "name": "slice"},
                    }
                ],
            }
        ],
        "wasGeneratedBy": [
            {
                "schemaKey": "Session",
                "identifier": "session-1",
                "name": "session-1",
                "startDate": "2026-01-01T10:00:00-05:00",
            },
            {
                "schemaKey": "Activity",
                "id": "urn:uuid:0b1f0b1e-3b3b-4b3b-8b3b-0b1f0b1e3b3c",
                "name": "Metadata generation",
                "startDate": "2026-01-02T03:04:05+00:00",
                "endDate": "2026-01-02T03:04:06+00:00",
                "wasAssociatedWith": [
                    {
                        "schemaKey": "Software",
                        "identifier": "RRID:SCR_019009",
                        "name": "DANDI Command Line Interface",
                        "url": "https://github.com/dandi/dandi-cli",
                        "version": "0.74.0",
                    }
                ],
            },
        ],
    }


@pytest.fixture(scope="session")
def asset_facts(submitted_asset: dict[str, Any]) -> AssetFacts:
    return AssetFacts(
        asset_id=UUID("0b1f0b1e-3b3b-4b3b-8b3b-0b1f0b1e3b3b"),
        path="sub-001/sub-001_ecephys.nwb",
        submitted=submitted_asset,
        size=12345,
        digest=blob_digest(etag=f"{'d' * 32}-1", sha256="a" * 64),
        url="https://bucket.s3.us-east-1.amazonaws.com/blobs/abc/def/abcdef",
        access="OPEN",
    )
