"""The DOIs of versions at OpenNeuro's addresses."""

from typing import Any

import pytest
from django.test import Client

from archive.accounts.models import User
from archive.accounts.services import create_token
from archive.datasets.models import Version
from tests.dandiapi.graphql.test_datasets import id_of
from tests.factories import make_editor, make_embargoed_dataset, make_published_version, make_user, make_valid_dataset
from tests.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(worker: Worker) -> Version:
    return make_published_version(worker, make_valid_dataset(worker))


def ask(verb: str, address: str, user: User | None = None) -> Any:
    headers = {"Authorization": f"Bearer {create_token(user=user, name='program')[1]}"} if user else {}
    return Client(enforce_csrf_checks=True).generic(verb, address, headers=headers)


def test_doi_of_a_version_is_told_to_everybody(version: Version) -> None:
    for base in ("crn", "api"):
        told = ask("GET", f"/{base}/doi/{id_of(version.dataset)}/{version.tag}").json()
        assert told == {"doi": version.doi, "state": version.doi_state}


def test_doi_is_registered_for_who_makes_versions(version: Version) -> None:
    address = f"/crn/doi/{id_of(version.dataset)}/{version.tag}"
    assert ask("POST", address).status_code == 401
    refused = ask("POST", address, make_user())
    assert (refused.status_code, refused.json()["error"]) == (403, "You do not have access to modify this dataset.")
    assert ask("POST", address, make_editor(version.dataset)).json() == {"doi": version.doi}


def test_version_without_a_doi_says_why(version: Version) -> None:
    Version.objects.filter(pk=version.pk).update(doi=None)
    refused = ask("POST", f"/crn/doi/{id_of(version.dataset)}/{version.tag}", make_editor(version.dataset))
    assert refused.status_code == 400
    assert "It has no DOI" in refused.json()["error"]


def test_doi_of_what_is_hidden_or_is_not_there_is_that_of_nothing() -> None:
    hidden = make_embargoed_dataset()
    for address in (f"/crn/doi/{id_of(hidden)}/draft", "/crn/doi/ds999999/1.0.0", f"/crn/doi/{id_of(hidden)}/9.9.9"):
        assert ask("GET", address).status_code == 404
