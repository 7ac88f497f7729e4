"""The admin's lists: what they cost when there are many rows."""

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from archive.datasets.models import Dataset
from tests.dandiapi.test_admin import MODELS, make_rows, named, page, signed_in
from tests.factories import make_admin, make_asset, make_dataset, make_token
from tests.worker import MadeOnce, Worker


def make_many_rows(worker: Worker) -> None:
    """Make many rows in the tables that grow."""
    dataset = Dataset.objects.get(pk=make_rows(worker))
    for number in range(10):
        make_asset(dataset, f"{number}/x.nwb")
        make_token(dataset.grants.get().user)
        make_dataset()


@pytest.fixture(scope="module", autouse=True)
def _many_rows(made_once: MadeOnce[None]) -> None:
    made_once(make_many_rows)


@pytest.fixture
def administrator(db: None) -> Client:
    return signed_in(make_admin())


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_list_asks_few_queries_however_many_rows_there_are(
    administrator: Client, model: type[Model], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(6):
        administrator.get(page(model, "changelist"))
