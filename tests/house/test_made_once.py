"""Rows that are made once for all tests of a module: nothing that a test does to them reaches another."""

import pytest

from archive.datasets.models import Dataset
from tests.factories import make_dataset
from tests.house.sources import modules, named
from tests.worker import MadeOnce

pytestmark = pytest.mark.django_db
made: list[int] = []


@pytest.fixture(scope="module", autouse=True)
def number(made_once: MadeOnce[int]) -> int:
    made.append(made_once(lambda worker: make_dataset(name="Bats").number))
    return made[-1]


@pytest.mark.parametrize("time", ["first", "second"])
def test_rows_are_as_they_were_made_when_another_test_has_changed_them(number: int, time: str) -> None:
    [dataset] = Dataset.objects.all()
    assert (dataset.number, dataset.versions.get().name) == (number, "Bats")
    dataset.versions.update(name="Owls")
    make_dataset()


@pytest.mark.parametrize("time", ["first", "second"])
def test_rows_are_there_again_when_another_test_has_deleted_them(number: int, time: str) -> None:
    assert Dataset.objects.filter(pk=number).delete()[0] > 0


@pytest.mark.parametrize("time", ["first", "second"])
def test_rows_are_made_once(time: str) -> None:
    assert len(made) == 1


def test_rows_are_made_where_no_test_has_transactions_of_its_own() -> None:
    sources = {
        named(file): file.read_text() for file in modules("tests") if file.stem not in {"conftest", "test_made_once"}
    }
    shared = [name for name, source in sources.items() if "made_once" in source]
    assert [name for name in shared if "transaction=True" in sources[name]] == []
    assert shared
