"""DOIs: the version is published whatever DataCite does; the DOI follows, and the state says so."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from dandischema.datacite import validate_datacite
from django.utils import timezone

from archive.datasets.models import Dataset, Version
from archive.datasets.queries import versions_for_doi
from archive.datasets.services import delete_version, queue_doi_registration
from archive.datasets.work import DOI_DELETION_JOB, DOI_JOB
from archive.errors import BusyError
from archive.identifiers import datacite as datacite_client
from archive.identifiers.names import concept_doi_name
from archive.publishing.services import publish
from archive.timeline.models import Job
from tests.datacite import PASSWORD, USER, DataCite, running_datacite
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_published_version,
    make_valid_dataset,
    owner_of,
)
from tests.worker import MadeOnce, Worker

pytestmark = pytest.mark.django_db
TIMEOUT = 0.3


@pytest.fixture
def datacite(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataCite]:
    monkeypatch.setattr(datacite_client, "TIMEOUT", httpx.Timeout(TIMEOUT))
    with running_datacite(silence=2 * TIMEOUT) as running:
        settings.DATACITE_URL, settings.DATACITE_USER, settings.DATACITE_PASSWORD = running.url, USER, PASSWORD
        yield running


@pytest.fixture(scope="module", autouse=True)
def number(made_once: MadeOnce[int]) -> int:
    return made_once(lambda worker: make_valid_dataset(worker).number)


@pytest.fixture
def dataset(number: int) -> Dataset:
    return Dataset.objects.get(pk=number)


def _publish(worker: Worker, dataset: Dataset) -> Version:
    """The newest version, published now as far as DataCite lets it."""
    job = publish(actor=owner_of(dataset), dataset=dataset)
    worker.run()
    return dataset.versions.get(pk=job.subject)


def _next_attempt(worker: Worker) -> None:
    """What happens when it is time to try again."""
    Job.objects.filter(ended=None).update(next_attempt=timezone.now() - timedelta(seconds=1))
    worker.run()


def _state(version: Version) -> tuple[str, str]:
    version.refresh_from_db()
    return version.doi_state, version.doi_reason


# --- Registering ------------------------------------------------------------------------------------------------------


def test_doi_is_registered_as_a_draft(worker: Worker, dataset: Dataset, datacite: DataCite) -> None:
    version = _publish(worker, dataset)
    assert _state(version) == ("registered", "")
    assert version.doi
    attributes = datacite.dois[version.doi.lower()]
    assert attributes["state"] == "draft"
    assert attributes["url"] == version.metadata["url"]
    assert datacite.asked == ["POST"]


def test_doi_is_findable_where_the_settings_say_so(
    worker: Worker, dataset: Dataset, datacite: DataCite, settings: Any
) -> None:
    settings.DATACITE_PUBLISH = True
    _publish(worker, dataset)
    assert [doi["state"] for doi in datacite.dois.values()] == ["findable"]


def test_doi_says_what_datacite_wants_to_know(worker: Worker, dataset: Dataset, datacite: DataCite) -> None:
    _publish(worker, dataset)
    [attributes] = datacite.dois.values()
    validate_datacite({"data": {"attributes": {key: attributes[key] for key in attributes if key != "state"}}})
    assert attributes["titles"] == [{"title": "Mouse vision"}]


@pytest.mark.parametrize("missing", ["DATACITE_URL", "DATACITE_USER", "DATACITE_PASSWORD", "ARCHIVE_DOI_PREFIX"])
def test_doi_is_given_and_not_registered_where_a_setting_is_missing(
    worker: Worker, dataset: Dataset, datacite: DataCite, settings: Any, missing: str
) -> None:
    version = _publish(worker, dataset)
    Version.objects.filter(pk=version.pk).update(doi_state=Version.DoiState.NONE)
    datacite.dois.clear()
    setattr(settings, missing, "")
    assert queue_doi_registration(version=version) is False
    worker.run()
    assert (_state(version), datacite.dois) == (("none", ""), {})
    assert version.doi


def test_doi_that_is_there_already_is_brought_up_to_date(worker: Worker, dataset: Dataset, datacite: DataCite) -> None:
    version = _publish(worker, dataset)
    datacite.dois[str(version.doi).lower()]["titles"] = [{"title": "Old"}]
    assert queue_doi_registration(version=version)
    worker.run()
    assert datacite.dois[str(version.doi).lower()]["titles"] == [{"title": "Mouse vision"}]
    assert datacite.asked == ["POST", "POST", "PUT"]


# --- Faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [500, 503, 429, 401, 403, "silence"])
def test_version_is_published_while_datacite_fails_and_the_doi_follows(
    worker: Worker, dataset: Dataset, datacite: DataCite, fault: int | str
) -> None:
    datacite.fault = fault
    version = _publish(worker, dataset)
    assert version.status == Version.Status.VALID
    assert dataset.versions.get(version="draft").status == Version.Status.PUBLISHED
    state, reason = _state(version)
    assert (state, "DataCite" in reason) == ("pending", True)
    # Once a minute, for an hour.
    for _ in range(60 if fault == 500 else 3):
        _next_attempt(worker)
    assert _state(version)[0] == "pending"
    datacite.fault = ""
    _next_attempt(worker)
    assert _state(version) == ("registered", "")


def test_datacite_that_is_not_there_is_waited_for(
    worker: Worker, dataset: Dataset, datacite: DataCite, settings: Any
) -> None:
    settings.DATACITE_URL = "http://127.0.0.1:1"
    version = _publish(worker, dataset)
    assert _state(version) == ("pending", "DataCite cannot be reached (ConnectError).")
    settings.DATACITE_URL = datacite.url
    _next_attempt(worker)
    assert _state(version) == ("registered", "")


def test_doi_that_is_refused_has_failed_and_says_why(worker: Worker, dataset: Dataset, datacite: DataCite) -> None:
    datacite.fault = 422
    version = _publish(worker, dataset)
    reason = "DataCite refuses it (status 422): titles is not what it should be"
    assert _state(version) == ("failed", reason)
    assert version.status == Version.Status.VALID
    assert list(versions_for_doi()) == [version]
    datacite.fault = ""
    queue_doi_registration(version=version)
    worker.run()
    assert _state(version) == ("registered", "")
    assert list(versions_for_doi()) == []


def test_doi_that_never_came_has_failed_at_its_deadline(worker: Worker, dataset: Dataset, datacite: DataCite) -> None:
    datacite.fault = 500
    version = _publish(worker, dataset)
    long_ago = timezone.now() - timedelta(days=31)
    Job.objects.filter(ended=None).update(created=long_ago, deadline=timezone.now() - timedelta(seconds=1))
    worker.run()
    assert _state(version) == ("failed", "DataCite is having trouble (status 500).")
    assert not Job.objects.filter(ended=None).exists()


@pytest.mark.parametrize(("asked", "seconds"), [("7", 7), ("", 60), ("99999", 3600), ("soon", 60), ("0", 1)])
def test_datacite_says_when_to_come_back(datacite: DataCite, asked: str, seconds: int) -> None:
    datacite.fault, datacite.retry_after = 503, asked
    with pytest.raises(BusyError) as caught:
        datacite_client.register_doi({"doi": "10.1/x"})
    assert caught.value.retry_after == seconds


# --- Withdrawing ------------------------------------------------------------------------------------------------------


def _withdraw(version: Version) -> None:
    delete_version(actor=acting(make_admin()), version=version)


def test_draft_doi_goes_with_its_version(worker: Worker, dataset: Dataset, datacite: DataCite) -> None:
    version = _publish(worker, dataset)
    _withdraw(version)
    worker.run()
    assert datacite.dois == {}
    assert list(Job.objects.filter(kind=DOI_DELETION_JOB).values_list("state", flat=True)) == ["succeeded"]


def test_findable_doi_stays(worker: Worker, dataset: Dataset, datacite: DataCite, settings: Any) -> None:
    settings.DATACITE_PUBLISH = True
    _withdraw(_publish(worker, dataset))
    worker.run()
    assert len(datacite.dois) == 1


def test_doi_of_a_version_withdrawn_before_it_was_registered_is_forgotten(
    worker: Worker, dataset: Dataset, datacite: DataCite
) -> None:
    datacite.fault = 500
    version = _publish(worker, dataset)
    _withdraw(version)
    datacite.fault = ""
    _next_attempt(worker)
    assert datacite.dois == {}
    assert not Job.objects.filter(ended=None).exists()


def test_doi_of_a_version_withdrawn_while_it_is_registered_is_forgotten(
    worker: Worker, dataset: Dataset, datacite: DataCite, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = datacite.answer

    def slow(verb: str, path: str, content: Any) -> tuple[int, Any]:
        Version.objects.filter(at__isnull=False).delete()
        return answer(verb, path, content)

    register = datacite_client.register_doi

    def withdrawn_meanwhile(attributes: dict[str, Any]) -> None:
        register(attributes)
        Version.objects.filter(at__isnull=False).delete()

    monkeypatch.setattr("archive.datasets.work.register_doi", withdrawn_meanwhile)
    publish(actor=owner_of(dataset), dataset=dataset)
    worker.run()
    assert datacite.dois == {}
    assert "DELETE" in datacite.asked


# --- Concept DOIs -----------------------------------------------------------------------------------------------------


def test_concept_doi_tells_of_the_newest_version_and_names_all(
    worker: Worker, dataset: Dataset, datacite: DataCite, settings: Any
) -> None:
    settings.DATACITE_CONCEPT_DOIS = True
    first = _publish(worker, dataset)
    make_asset(dataset, "more.nwb")
    worker.run()
    second = _publish(worker, dataset)
    concept = datacite.dois[concept_doi_name(dataset.number).lower()]
    assert concept["url"].endswith(f"/dandiset/{dataset.identifier}")
    related = {(one["relationType"], one["relatedIdentifier"]) for one in concept["relatedIdentifiers"]}
    assert related == {("HasVersion", first.doi), ("HasVersion", second.doi)}
    [of_version] = datacite.dois[str(second.doi).lower()]["relatedIdentifiers"]
    assert of_version["relatedIdentifier"] == concept_doi_name(dataset.number)
    _withdraw(second)
    worker.run()
    concept = datacite.dois[concept_doi_name(dataset.number).lower()]
    assert [one["relatedIdentifier"] for one in concept["relatedIdentifiers"]] == [first.doi]
    _withdraw(first)
    worker.run()
    assert datacite.dois == {}


# --- Crashes ----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """What no handler catches, as it would not catch the end of its process."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("request_number", [1, 2, 3, 4])
def test_doi_is_registered_and_deleted_though_workers_are_killed_at_any_request(  # noqa: PLR0917
    worker: Worker,
    dataset: Dataset,
    datacite: DataCite,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    request_number: int,
) -> None:
    settings.DATACITE_CONCEPT_DOIS = True
    requests = iter(range(1, 1000))
    send = httpx.Client.send

    def killed(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        number = next(requests)
        if number == request_number and moment == "before":
            raise Killed
        answer = send(client, request, **options)
        if number == request_number:
            raise Killed
        return answer

    monkeypatch.setattr(httpx.Client, "send", killed)
    job = publish(actor=owner_of(dataset), dataset=dataset)
    _run_until_done(worker)
    version = dataset.versions.get(pk=job.subject)
    assert (version.status, version.doi_state) == ("Valid", "registered")
    assert set(datacite.dois) == {str(version.doi).lower(), concept_doi_name(dataset.number).lower()}
    _withdraw(version)
    _run_until_done(worker)
    assert datacite.dois == {}
    assert not Job.objects.filter(ended=None).exists()


def _run_until_done(worker: Worker) -> None:
    """Go on with another worker whenever one is killed, when its lease has run out."""
    for _ in range(2):
        try:
            worker.run()
        except Killed:
            Job.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
            Job.objects.filter(lease=None).update(leased_until=None)


def test_jobs_about_dois_are_known() -> None:
    assert (DOI_JOB, DOI_DELETION_JOB) == ("doi", "doi_deletion")


def test_published_version_of_a_factory_has_no_doi_state(worker: Worker) -> None:
    version = make_published_version(worker, make_valid_dataset(worker))
    assert (version.doi_state, bool(version.doi)) == ("none", True)
