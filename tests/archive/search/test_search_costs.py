"""What a search costs, and that it finds the same for it."""

import pytest
from django.db import connection

from archive.accounts.policy import ANONYMOUS
from archive.datasets.queries import DatasetFilter
from archive.datasets.services import update_draft
from archive.errors import InvalidError
from archive.search.models import Document, Facts
from archive.search.queries import search_datasets
from tests.factories import make_asset, make_dataset, owner_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def found(search: str) -> list[int]:
    return [dataset.number for dataset in search_datasets(ANONYMOUS, DatasetFilter(), search)]


@pytest.mark.parametrize(
    "phrase", ["- " * 500 + ".", ". " + "- " * 500, "- " * 250 + ". " + "- " * 250, "-" * 1000 + "."]
)
def test_search_takes_time_in_proportion_to_the_text_when_all_of_it_looks_nearly_like_the_phrase(phrase: str) -> None:
    length = 1_000_000
    for text in ("-" * length, "- " * (length // 2)):
        Document.objects.filter(dataset=make_dataset()).update(text=text)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '1s'")
    assert found(f'"{phrase}"') == []


@pytest.mark.parametrize("phrase", ["a.c", "***=a", "(?i)A", "a|b", "100%", "a_c", "\\d", "[a]", "^a", "***:x"])
def test_search_takes_no_sign_for_more_than_itself(phrase: str) -> None:
    dataset, other = make_dataset(), make_dataset()
    texts = {dataset: f"before {phrase} behind", other: "before abc 100 b 1 aa x behind"}
    for each, text in texts.items():
        update_draft(actor=owner_of(each), dataset=each, name="Moths", metadata={"description": text})
    assert found(f'"before {phrase} behind"') == [dataset.number]


def test_search_has_no_more_phrases_than_are_looked_for_quickly() -> None:
    words = [f"{number}-a" for number in range(31)]
    assert found(" ".join(words[:30])) == []
    with pytest.raises(InvalidError, match="at most 30 phrases"):
        found(" ".join(words))


def test_species_to_choose_from_are_few_of_a_file_that_names_many(worker: Worker) -> None:
    people = [{"species": {"name": f"s{number}"}, "genotype": f"g{number}"} for number in range(1000)]
    make_asset(make_dataset(), wasAttributedTo=people)
    worker.run()
    [facts] = Facts.objects.all()
    assert (len(facts.species), len(facts.genotypes)) == (50, 50)
