"""Callers by standing, and what they call about."""

from typing import Any

import pytest

from archive.accounts.models import Token
from archive.assets.models import Asset
from archive.datasets.models import Dataset
from tests.dandiapi.rest.api import Api
from tests.dandiapi.rest.world import embargo
from tests.factories import make_admin, make_asset, make_dataset, make_unapproved_user, make_user


@pytest.fixture
def anonymous(db: None) -> Api:
    return Api()


@pytest.fixture
def unapproved(db: None) -> Api:
    return Api(make_unapproved_user())


@pytest.fixture
def stranger(db: None) -> Api:
    return Api(make_user())


@pytest.fixture
def owner(db: None) -> Api:
    return Api(make_user())


@pytest.fixture
def admin(db: None) -> Api:
    return Api(make_admin())


@pytest.fixture
def reader(owner: Api) -> Api:
    """The owner, by a token that may only read."""
    return Api(owner.user, scope=Token.Scope.READ)


@pytest.fixture
def dataset(owner: Api) -> Dataset:
    """The owner's open dataset."""
    return make_dataset(owner.user)


@pytest.fixture
def draft(dataset: Dataset) -> str:
    """The address of that dataset's draft."""
    return f"dandisets/{dataset.identifier}/versions/draft/"


@pytest.fixture
def embargoed(dataset: Dataset) -> None:
    """That dataset is embargoed."""
    embargo(dataset)


@pytest.fixture
def asset(dataset: Dataset) -> Asset:
    """An asset in that draft."""
    return make_asset(dataset, "sub-1/a.nwb")


@pytest.fixture
def asset_body(asset: Asset) -> dict[str, Any]:
    """What would make the same asset once more."""
    return {"blob_id": str(asset.blob_id), "metadata": {**asset.metadata, "path": asset.path}}
