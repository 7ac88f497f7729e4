"""A worker that is killed at an external step of its work: others finish it, and it ends as if nothing had happened.

ARCHIVE_LONG_TESTS=1 kills one at every step of the work, instead of at every sixtieth from a random one on.
"""

import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.db.models import F
from django.utils import timezone
from zarr_checksum.tree import ZarrChecksumTree

from archive.assets.queries import assets_of
from archive.blobs.models import Blob
from archive.datasets.models import Dataset, Version
from archive.publishing.queries import manifest_key
from archive.publishing.services import publish
from archive.storage.queries import find, public_url
from archive.timeline.models import Job, Projection, Timeline
from archive.timeline.queries import position
from archive.zarr.models import ZarrEntry, entry_key
from archive.zarr.services import finalize
from tests.archive.assets.state import draft_of, files_of, recounted, sums_of
from tests.archive.crashes.dying import die_at_step
from tests.archive.snapshots.state import expected_of, refs_of, tree_of
from tests.datacite import PASSWORD, USER, DataCite, running_datacite
from tests.factories import (
    make_asset,
    make_blob,
    make_dataset,
    make_embargoed_dataset,
    make_zarr,
    make_zarr_asset,
    owner_of,
    start_release,
    upload_zarr,
)
from tests.factories.zarr import FILES, announce, md5, put
from tests.worker import Message, Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

Begin = Callable[[Worker], Dataset]

MANIFESTS = ("dandiset.yaml", "dandiset.jsonld", "assets.yaml", "assets.jsonld", "collection.jsonld")
HOUR = timedelta(hours=1)
ROUNDS = 3
STRIDE = {"1": 1}.get(os.environ.get("ARCHIVE_LONG_TESTS", ""), 60)
PATH = "sub-1/a.ome.zarr"
EDIT = {"0/0/0": b"another first chunk", "0/1/0": b"third chunk"}


@pytest.fixture(autouse=True)
def datacite(settings: Any) -> Iterator[DataCite]:
    """One that makes DOIs findable."""
    with running_datacite(silence=0) as running:
        settings.DATACITE_URL, settings.DATACITE_USER, settings.DATACITE_PASSWORD = running.url, USER, PASSWORD
        settings.DATACITE_PUBLISH = True
        yield running


# --- Work -------------------------------------------------------------------------------------------------------------


def publishing(worker: Worker) -> Dataset:
    """A dataset of a file and a Zarr archive is to be published."""
    dataset = make_dataset()
    fill(dataset, worker)
    publish(actor=owner_of(dataset), dataset=dataset)
    return dataset


def releasing(worker: Worker) -> Dataset:
    """The same is embargoed, has a version, and has been released."""
    dataset = make_embargoed_dataset()
    fill(dataset, worker)
    publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    worker.run()
    start_release(dataset)
    return dataset


def ingesting(worker: Worker) -> Dataset:
    """A published Zarr archive has been edited, and finalized."""
    dataset = make_dataset()
    fill(dataset, worker)
    publish(actor=owner_of(dataset), dataset=dataset)
    worker.run()
    zarr = dataset.zarrs.get()
    announce(zarr, EDIT)
    put(zarr, *EDIT.values())
    finalize(actor=owner_of(dataset), zarr_id=zarr.id)
    return dataset


def fill(dataset: Dataset, worker: Worker) -> None:
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    make_zarr_asset(upload_zarr(worker, make_zarr(dataset)))
    worker.run()


# --- What becomes of it -----------------------------------------------------------------------------------------------


def killings(begin: Begin, worker: Worker, messages: list[Message]) -> Iterator[tuple[Dataset, str]]:
    """A dataset for each step of the work, and what its worker had done last: all of it, for the last dataset.

    How many steps the same work takes depends on its timing, so each worker's own steps tell when they are all through.
    """
    for number in count(random.randrange(STRIDE), STRIDE):
        dataset = begin(worker)
        steps = die_at_step(number, worker.run)
        yield dataset, f"{len(steps)} steps, the last {steps[-1:]}"
        if len(steps) < number:
            return


def time_passes() -> None:
    """Leases run out, whatever waited for its time is due, and nobody changes anything for a while."""
    now = timezone.now()
    for model in (Job, Projection):
        model.objects.filter(leased_until__isnull=False).update(leased_until=now)
        model.objects.filter(next_attempt__isnull=False).update(next_attempt=now)
    Timeline.objects.update(changed=now - HOUR)


def others_finish(worker: Worker, messages: list[Message]) -> None:
    """What the clock's sweeps find is done by other workers; the messages to the one that died are lost."""
    messages.clear()
    for _ in range(ROUNDS):
        time_passes()
        worker.run()


def an_hour_passes() -> None:
    """Deadlines are nearer by an hour."""
    Job.objects.filter(ended=None).update(deadline=F("deadline") - HOUR, created=F("created") - HOUR)


def outcome(dataset: Dataset, datacite: DataCite) -> dict[str, Any]:
    """How it stands with the dataset: the same for every dataset with the same story."""
    dataset.refresh_from_db()
    versions = dataset.versions.order_by("pk")
    published = [version for version in versions if not version.is_draft]
    zarr = dataset.zarrs.get()
    jobs = Job.objects.filter(dataset_id=dataset.number)
    return {
        "access": dataset.access,
        "draft": draft_of(dataset).status,
        "versions": [(version.status, version.doi_state) for version in published],
        "said of access": {version.metadata["access"][0]["status"] for version in versions},
        "files": [sorted(files_of(version)) for version in versions],
        "wrong sums": [version.version for version in versions if sums_of(version) != recounted(files_of(version))],
        "missing manifests": [
            (version.version, name)
            for version in versions
            for name in MANIFESTS
            if find(manifest_key(version, name)) is None
        ],
        "closed objects": [key for key in objects_of(dataset) if not reads_unsigned(key)],
        "zarr": (zarr.status, [revision.checksum for revision in zarr.revisions.order_by("number")]),
        "pending entries": ZarrEntry.objects.filter(zarr=zarr, introduced=None).count(),
        "revisions": [assets_of(version).get(zarr=zarr).zarr_revision.number for version in versions],
        "unended jobs": list(jobs.filter(ended=None).values_list("kind", "reason")),
        "unsuccessful jobs": list(jobs.filter(state__in=Job.UNDONE).values_list("kind", "reason")),
        "projections behind": [
            (row.name, row.state, row.reason)
            for row in Projection.objects.filter(dataset_id=dataset.number)
            if row.cursor != position(dataset.number) or row.state != "following"
        ],
        "repository": wrong_trees(dataset),
        "DOIs": [datacite.dois.get((version.doi or "").lower(), {}).get("state") for version in published],
    }


def wrong_trees(dataset: Dataset) -> list[str]:
    """The references of the dataset's repository whose trees are not what they should be, or that are missing."""
    names = refs_of(dataset)
    versions = {f"refs/tags/{version.tag}": version for version in dataset.versions.filter(at__isnull=False)}
    expected = {"refs/heads/main": draft_of(dataset), **versions}
    right = [
        name for name, version in expected.items() if name in names and tree_of(dataset, name) == expected_of(version)
    ]
    return sorted({*expected} - {*right})


def objects_of(dataset: Dataset) -> list[str]:
    """The keys of all that the dataset shows or has shown."""
    blobs = [blob.key for blob in Blob.objects.filter(assets__dataset=dataset)]
    entries = ZarrEntry.objects.filter(zarr__dataset=dataset, introduced__isnull=False)
    return blobs + [entry_key(each.zarr_id, each.md5) for each in entries]


def reads_unsigned(key: str) -> bool:
    try:
        urlopen(public_url(key)).close()  # noqa: S310 - of the own store
    except HTTPError:
        return False
    return True


def checksum(files: dict[str, bytes]) -> str:
    """What the library says."""
    tree = ZarrChecksumTree()
    for path, content in files.items():
        tree.add_leaf(Path(path), len(content), md5(content).hexdigest())
    return str(tree.process())


WELL: dict[str, Any] = {
    "access": "OPEN",
    "draft": "Valid",
    "versions": [],
    "said of access": {"dandi:OpenAccess"},
    "files": [["a.nwb", PATH]],
    "wrong sums": [],
    "missing manifests": [],
    "closed objects": [],
    "zarr": ("Complete", [checksum(FILES)]),
    "pending entries": 0,
    "revisions": [1],
    "unended jobs": [],
    "unsuccessful jobs": [],
    "projections behind": [],
    "repository": [],
    "DOIs": [],
}
VERSION: dict[str, Any] = {
    **WELL,
    "files": [["a.nwb", PATH]] * 2,
    "revisions": [1, 1],
    "versions": [("Valid", "registered")],
    "DOIs": ["findable"],
}
STORIES: list[tuple[Begin, dict[str, Any]]] = [
    (publishing, {**VERSION, "draft": "Published"}),
    (releasing, VERSION),
    (ingesting, {**VERSION, "zarr": ("Complete", [checksum(FILES), checksum(FILES | EDIT)]), "revisions": [2, 1]}),
]
OUTAGE = {
    "versions": [("Valid", "pending")],
    "DOIs": [None],
    "unended jobs": [("doi", "DataCite is having trouble (status 500).")],
}


@pytest.mark.parametrize(("begin", "expected"), STORIES, ids=lambda each: getattr(each, "__name__", ""))
def test_work_ends_well_whatever_step_a_worker_is_killed_at(
    begin: Begin, expected: dict[str, Any], writer: Worker, published: list[Message], datacite: DataCite
) -> None:
    for dataset, steps in killings(begin, writer, published):
        others_finish(writer, published)
        assert outcome(dataset, datacite) == expected, f"killed after {steps}"


def test_doi_follows_an_outage_of_an_hour_whatever_step_a_worker_is_killed_at(
    writer: Worker, published: list[Message], datacite: DataCite
) -> None:
    expected = {**VERSION, "draft": "Published"}
    datacite.fault = 500
    for dataset, steps in killings(publishing, writer, published):
        others_finish(writer, published)
        an_hour_passes()
        others_finish(writer, published)
        assert outcome(dataset, datacite) == expected | OUTAGE, f"killed after {steps}"
        datacite.fault = ""
        others_finish(writer, published)
        assert outcome(dataset, datacite) == expected, f"killed after {steps}"
        datacite.fault = 500
