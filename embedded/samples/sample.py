"""The parts of a sample dataset."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Metadata = dict[str, Any]


@dataclass(frozen=True)
class SampleFile:
    """A file: where it belongs in its dataset, how it is made, and what its metadata say."""

    path: str
    encoding: str
    write: Callable[[Path], None]
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True)
class SampleDataset:
    """A dataset, found again by its name."""

    name: str
    metadata: Metadata
    files: list[SampleFile]
    published: bool


def dandiset_metadata(description: str, keywords: list[str]) -> Metadata:
    """Return metadata complete enough to be published."""
    return {
        "schemaKey": "Dandiset",
        "description": description,
        "keywords": keywords,
        "license": ["spdx:CC0-1.0"],
        "contributor": [
            {
                "schemaKey": "Person",
                "name": "Sample, Person",
                "email": "sample@example.org",
                "roleName": ["dcite:ContactPerson", "dcite:Author"],
                "includeInCitation": True,
            },
        ],
    }


def participant(identifier: str, species: Metadata, sex: Metadata, age: str) -> Metadata:
    """Return the subject of a file; `age` since birth is an ISO 8601 duration."""
    return {
        "schemaKey": "Participant",
        "identifier": identifier,
        "species": species,
        "sex": sex,
        "age": {
            "schemaKey": "PropertyValue",
            "value": age,
            "unitText": "ISO-8601 duration",
            "valueReference": {"schemaKey": "PropertyValue", "value": "dandi:BirthReference"},
        },
    }


def species(taxon: int, name: str) -> Metadata:
    """Return a species by its number in the NCBI taxonomy."""
    return {
        "schemaKey": "SpeciesType",
        "identifier": f"http://purl.obolibrary.org/obo/NCBITaxon_{taxon}",
        "name": name,
    }


FEMALE: Metadata = {
    "schemaKey": "SexType",
    "identifier": "http://purl.obolibrary.org/obo/PATO_0000383",
    "name": "Female",
}
MALE: Metadata = {
    "schemaKey": "SexType",
    "identifier": "http://purl.obolibrary.org/obo/PATO_0000384",
    "name": "Male",
}
