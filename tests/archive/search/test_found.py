"""What is found among datasets and files of which all has been looked at: they are made once."""

from typing import NamedTuple

import pytest

from archive.accounts.policy import ANONYMOUS
from archive.datasets.models import Dataset
from archive.datasets.queries import DatasetFilter
from archive.search.queries import FileFilter, count_files, search_datasets, search_datasets_by_files
from tests.archive.search.described import MOUSE, RAT, SPIKES, add_file, animal, describe, finish, technique
from tests.factories import make_dataset
from tests.worker import MadeOnce, Worker

pytestmark = pytest.mark.django_db

NAMES = ("Sørensen of Łódź, Þingvellir", "Sorensen of Lodz, Thingvellir")


class Made(NamedTuple):
    """Datasets that can be told apart by what is said of them; there is one with files, and one without anything."""

    hippocampus: Dataset
    named: dict[str, Dataset]


def make_datasets(worker: Worker) -> Made:
    hippocampus = describe(
        make_dataset(),
        name="Hippocampus  of\nnaïve C57BL/6J mice",
        description=r"100% snake_case, back\slash, quo'ted",
    )
    named = {name: describe(make_dataset(), description=name) for name in NAMES}
    files = make_dataset()
    add_file(files, "a.nwb", wasAttributedTo=[animal(genotype="Cre")], measurementTechnique=[technique()])
    add_file(files, "b.nwb", size=10, wasAttributedTo=[animal(genotype="wild")])
    add_file(files, "c.png", size=100, encodingFormat="image/png", wasAttributedTo=[animal(RAT)])
    make_dataset()
    finish(worker)
    return Made(hippocampus, named)


@pytest.fixture(scope="module", autouse=True)
def made(made_once: MadeOnce[Made]) -> Made:
    return made_once(make_datasets)


def found(search: str) -> list[Dataset]:
    return list(search_datasets(ANONYMOUS, DatasetFilter(), search))


@pytest.mark.parametrize(
    "search",
    [
        "hippocampus",
        "HIPPO",
        "campus",
        "naive",
        "Naïve",
        "hippocampus naive",
        '"hippocampus of naive"',
        '"campus of na"',
        "c57bl/6j",
        '"name": "hippo"'.replace('"', " "),
        "100%",
        "snake_case",
        r"back\slash",
        "quo'ted",
    ],
)
def test_search_finds_words_and_phrases_as_parts_of_the_metadata(made: Made, search: str) -> None:
    assert found(search) == [made.hippocampus]


@pytest.mark.parametrize("stored", NAMES)
@pytest.mark.parametrize("asked", ["sørensen", "SORENSEN", "łódź", "lodz", '"of lodz"', "þing", "thing"])
def test_search_folds_letters_on_both_sides(made: Made, stored: str, asked: str) -> None:
    assert made.named[stored] in found(asked)
    assert {*found(asked)} == {*made.named.values()}


@pytest.mark.parametrize(
    ("wanted", "counts"),
    [
        (FileFilter(file_type=("image/",)), {"file_type": 1}),
        (FileFilter(file_type=("image/", "application/x-nwb")), {"file_type": 3}),
        (FileFilter(species=(MOUSE,)), {"species": 2}),
        (FileFilter(genotype=("Cre", "wild")), {"genotype": 2}),
        (FileFilter(measurement_technique=(SPIKES,)), {"measurement_technique": 1}),
        (FileFilter(size_min=10), {"file_size": 2}),
        (FileFilter(size_max=10), {"file_size": 2}),
        (FileFilter(size_min=11, size_max=99), None),
        (FileFilter(species=(RAT,), file_type=("application/x-nwb",)), None),
        (FileFilter(species=(MOUSE,), size_min=10), {"species": 2, "file_size": 2}),
        (FileFilter(species=(MOUSE,), size_min=100), None),
        (FileFilter(species=("mouse",)), None),
    ],
)
def test_files_are_filtered_and_counted(wanted: FileFilter, counts: dict[str, int] | None) -> None:
    found = list(search_datasets_by_files(ANONYMOUS, DatasetFilter(), "", wanted))
    assert [count_files([one], wanted)[one.number] for one in found] == [counts][: len(found)]
    assert len(found) == (counts is not None)
