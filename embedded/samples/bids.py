"""A small BIDS dataset: two people, one anatomical and one functional image each, of a few voxels."""

import gzip
import json
import math
import random
import struct
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .sample import FEMALE, MALE, Metadata, SampleDataset, SampleFile, dandiset_metadata, participant, species

NAME = "Sample: resting-state images of two people (BIDS)"
DESCRIPTION = (
    "Generated anatomical and functional images of two people who never lived, a few voxels each, as a BIDS dataset. "
    "It is here so that a new archive has something to show."
)
REPETITION_SECONDS = 2.0
NIFTI_INT16 = 4
NIFTI_MILLIMETRES_AND_SECONDS = 2 | 8
NIFTI_SCANNER_COORDINATES = 1


@dataclass(frozen=True)
class Person:
    """A person who never lived."""

    label: str
    sex: str
    age: int

    def metadata(self) -> Metadata:
        """Return the person as the metadata of their files name them."""
        return participant(
            self.label,
            species(9606, "Homo sapiens - Human"),
            FEMALE if self.sex == "F" else MALE,
            f"P{self.age}Y",
        )

    def path(self, folder: str, name: str) -> str:
        """Return the path of one of the person's files."""
        return f"sub-{self.label}/{folder}/sub-{self.label}_{name}"


PEOPLE = [Person("01", "F", 31), Person("02", "M", 28)]


def dataset() -> SampleDataset:
    """Return the dataset; its files are made when they are written."""
    return SampleDataset(
        name=NAME,
        metadata=dandiset_metadata(DESCRIPTION, ["sample data", "BIDS", "MRI", "human", "resting state"]),
        files=[*_root_files(), *(file for person in PEOPLE for file in _person_files(person))],
        published=False,
    )


def _root_files() -> list[SampleFile]:
    rows = ["participant_id\tspecies\tage\tsex"]
    rows += [f"sub-{person.label}\thomo sapiens\t{person.age}\t{person.sex}" for person in PEOPLE]
    return [
        _json_file(
            "dataset_description.json",
            {
                "Name": NAME,
                "BIDSVersion": "1.10.0",
                "DatasetType": "raw",
                "License": "CC0",
                "Authors": ["Person Sample", "Other Sample"],
                "HowToAcknowledge": "There is no need to.",
                "GeneratedBy": [{"Name": "embedded.samples", "Description": "Generated, not recorded"}],
            },
        ),
        _text_file("README.md", "text/markdown", f"# {NAME}\n\n{DESCRIPTION}\n"),
        _text_file("participants.tsv", "text/tab-separated-values", "\n".join(rows) + "\n"),
        _json_file(
            "participants.json",
            {
                "species": {"Description": "Species of the participant"},
                "age": {"Description": "Age of the participant", "Units": "year"},
                "sex": {"Description": "Sex of the participant", "Levels": {"F": "female", "M": "male"}},
            },
        ),
        _json_file(
            "task-rest_bold.json",
            {
                "TaskName": "rest",
                "Instructions": "Lie still with your eyes open.",
                "RepetitionTime": REPETITION_SECONDS,
                "Manufacturer": "None",
                "MagneticFieldStrength": 3,
            },
        ),
    ]


def _person_files(person: Person) -> list[SampleFile]:
    return [
        _image(person, "anat", "T1w", (16, 16, 16)),
        _json_file(person.path("anat", "T1w.json"), {"Manufacturer": "None", "MagneticFieldStrength": 3}),
        _image(person, "func", "task-rest_bold", (8, 8, 8, 10)),
    ]


def _text_file(path: str, encoding: str, text: str) -> SampleFile:
    def write(target: Path) -> None:
        target.write_text(text)

    return SampleFile(path, encoding, write)


def _json_file(path: str, content: dict[str, Any]) -> SampleFile:
    return _text_file(path, "application/json", json.dumps(content, indent=2) + "\n")


def _image(person: Person, folder: str, name: str, shape: tuple[int, ...]) -> SampleFile:
    return SampleFile(
        path=person.path(folder, f"{name}.nii.gz"),
        encoding="application/gzip",
        write=partial(_write_image, shape, f"{person.label} {name}"),
        metadata={
            "wasAttributedTo": [person.metadata()],
            "approach": [{"schemaKey": "ApproachType", "name": "magnetic resonance imaging"}],
        },
    )


def _write_image(shape: tuple[int, ...], seed: str, target: Path) -> None:
    source = random.Random(seed)
    voxels = [source.randrange(1000) for _ in range(math.prod(shape))]
    image = _nifti_header(shape) + bytes(4) + struct.pack(f"<{len(voxels)}h", *voxels)
    # Without a time in it the file is the same each time, and its digest too.
    target.write_bytes(gzip.compress(image, mtime=0))


def _nifti_header(shape: tuple[int, ...]) -> bytes:
    """Return the 348 bytes that NIfTI-1 begins with; see https://nifti.nimh.nih.gov/nifti-1."""
    header = bytearray(348)
    spacing = [2.0, 2.0, 2.0, REPETITION_SECONDS]
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, len(shape), *shape, *[1] * (7 - len(shape)))
    struct.pack_into("<2h", header, 70, NIFTI_INT16, 16)
    struct.pack_into("<8f", header, 76, 1.0, *spacing, *[0.0] * 3)
    struct.pack_into("<f", header, 108, 352.0)
    struct.pack_into("<f", header, 112, 1.0)
    struct.pack_into("<b", header, 123, NIFTI_MILLIMETRES_AND_SECONDS)
    struct.pack_into("<80s", header, 148, b"generated, not recorded")
    struct.pack_into("<2h", header, 252, 0, NIFTI_SCANNER_COORDINATES)
    for axis in range(3):
        row = [0.0, 0.0, 0.0, 0.0]
        row[axis] = spacing[axis]
        struct.pack_into("<4f", header, 280 + 16 * axis, *row)
    struct.pack_into("<4s", header, 344, b"n+1\0")
    return bytes(header)
