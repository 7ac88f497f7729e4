"""The heaviest documents of real clients cost as many queries for a hundred datasets, or versions, as for one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.bids_validation.models import BidsTree, BidsVerdict
from archive.blobs.services import keep_contents
from archive.datasets.models import Dataset, Version
from tests.dandiapi.graphql.asking import Asker
from tests.dandiapi.graphql.documents import Heavy, heaviest
from tests.dandiapi.graphql.test_datasets import id_of, person
from tests.factories import make_asset, make_dataset, owner_of
from tests.worker import MadeOnce

pytestmark = pytest.mark.django_db

# More would be a query for each of something.
MOST_QUERIES = 30
DATASETS = 100
VERSIONS = 25
ISSUE = {"code": "A", "severity": "warning", "location": "/README"}
LISTS = [heavy for heavy in heaviest() if heavy.is_list]
SINGLE = [heavy for heavy in heaviest() if not heavy.is_list]


def make_datasets(_worker: object) -> list[Dataset]:
    """A hundred datasets of one owner, with a version and a verdict each; the first has many versions."""
    first = make_dataset()
    owner = person(first)
    datasets = [first, *(make_dataset(owner) for _ in range(DATASETS - 1))]
    texts = {"dataset_description.json": b'{"Name": "Faces", "Authors": ["Jane Doe"]}', "README": b"About"}
    blobs = dict(
        zip(texts, keep_contents(actor=owner_of(first), dataset=first, contents=[*texts.values()]), strict=True)
    )
    for number, dataset in enumerate(datasets):
        for path, blob in blobs.items():
            make_asset(dataset, path, blob=blob)
        verdict = BidsVerdict.objects.create(tree=f"{number:064}", state="done", warnings=1, issues=[ISSUE], summary={})
        draft = dataset.versions.get()
        for ordinal in range(1, VERSIONS if dataset == first else 2):
            add_version(draft, ordinal, verdict)
        BidsTree.objects.create(version=draft, files_changed=draft.files_changed, verdict=verdict)
    return datasets


def add_version(draft: Version, ordinal: int, verdict: BidsVerdict) -> None:
    version = Version.objects.create(
        dataset=draft.dataset,
        version=f"0.260101.{ordinal:04}",
        label=f"{ordinal}.0.0",
        rules=Version.Rules.BIDS,
        at=draft.files_changed,
        metadata=draft.metadata,
        status=Version.Status.VALID,
    )
    BidsTree.objects.create(version=version, files_changed=version.files_changed, verdict=verdict)


@pytest.fixture(scope="module", autouse=True)
def datasets(made_once: MadeOnce[list[Dataset]]) -> list[Dataset]:
    return made_once(make_datasets)


def cost(asker: Asker, text: str, **variables: Any) -> int:
    """How many queries a document costs that has been asked before. Fails if it is answered with an error."""
    asker.ask(text, **variables)
    with CaptureQueriesContext(connection) as captured:
        asker.ask(text, **variables)
    return len(captured)


@pytest.mark.parametrize("is_owner", [False, True])
@pytest.mark.parametrize("place", range(len(LISTS)), ids=[heavy.name for heavy in LISTS])
def test_list_costs_as_many_queries_whatever_its_length(datasets: list[Dataset], place: int, is_owner: bool) -> None:
    asker = Asker.of(person(datasets[0])) if is_owner else Asker()
    texts = {first: [heavy for heavy in heaviest(first) if heavy.is_list][place].text for first in (1, 25, 100)}
    for first, text in texts.items():
        assert len(asker.ask(text)["datasets"]["edges"]) == first
    costs = {first: cost(asker, text) for first, text in texts.items()}
    assert len(set(costs.values())) == 1, costs
    assert costs[1] <= MOST_QUERIES


@pytest.mark.parametrize("heavy", SINGLE, ids=lambda heavy: heavy.name)
def test_dataset_costs_as_many_queries_however_many_versions_it_has(datasets: list[Dataset], heavy: Heavy) -> None:
    asker = Asker.of(person(datasets[0]))

    def cost_of(dataset: Dataset) -> int:
        ids = {"id": id_of(dataset), "datasetId": id_of(dataset), "tag": "1.0.0", "userId": str(person(dataset).uuid)}
        return cost(asker, heavy.text, **ids)

    assert cost_of(datasets[0]) == cost_of(datasets[1]) <= MOST_QUERIES
