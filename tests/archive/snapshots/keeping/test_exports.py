"""What is laid out of open repositories, for everybody to clone from the store alone."""

from datetime import timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from archive.datasets.models import Dataset, Version
from archive.datasets.services import delete_dataset, delete_version
from archive.git_annex.serverless import manifest_name, place
from archive.publishing.services import publish
from archive.snapshots.keeping import exports
from archive.snapshots.queries import EXPORTS, PROJECTION, export_prefix, references, serverless_clone_url
from archive.snapshots.services import repository_of
from archive.storage.queries import list_objects, public_url, read_whole
from archive.timeline.work.projections import advance_projection
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_dataset,
    make_embargoed_dataset,
    make_published_version,
    make_valid_dataset,
    owner_of,
    start_release,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)


def manifest_of(dataset: Dataset) -> list[str]:
    """The names in the manifest, as anybody reads it."""
    repository = repository_of(dataset)
    url = public_url(f"{export_prefix(repository)}{place(manifest_name(repository.annex_uuid))}")
    with urlopen(url) as answer:  # noqa: S310 - of the own store
        text: bytes = answer.read()
    return text.decode().splitlines()


def told_of(dataset: Dataset) -> dict[str, str]:
    """The branches and tags that a clone is told of, with their commits."""
    key = f"{export_prefix(repository_of(dataset))}{place(manifest_of(dataset)[-1])}"
    head, *lines = (read_whole(key) or b"").partition(b"\n\n")[0].decode().splitlines()
    assert head == "# v2 git bundle"
    return {name: sha for sha, _, name in (line.partition(" ") for line in lines)}


def laid_out() -> list[str]:
    """The keys of all that is laid out, of whatever repository this store has ever had."""
    return [each.key for page in list_objects(EXPORTS) for each in page]


def laid_out_of(dataset: Dataset) -> list[str]:
    return [key for key in laid_out() if key.startswith(f"{EXPORTS}{repository_of(dataset).annex_uuid}.")]


def test_open_repository_is_laid_out_for_everybody(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    worker.run()
    assert told_of(dataset) == references(repository_of(dataset))
    address = serverless_clone_url(dataset)
    assert address
    with urlopen(address) as answer:  # noqa: S310 - of the own store
        assert answer.read().startswith(b"annex::")
    for name in manifest_of(dataset):
        address = public_url(f"{export_prefix(repository_of(dataset))}{place(name)}")
        urlopen(address).close()  # noqa: S310 - of the own store


def test_repository_itself_stays_closed(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    worker.run()
    for bundle in repository_of(dataset).bundles.all():
        with pytest.raises(HTTPError):
            urlopen(public_url(bundle.key))  # noqa: S310 - of the own store


def test_layout_follows_each_change(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    worker.run()
    before = manifest_of(dataset)
    make_asset(dataset, "b.nwb")
    worker.run()
    assert manifest_of(dataset)[0] == before[0]
    assert told_of(dataset) == references(repository_of(dataset))


def test_version_is_in_it_even_when_it_was_laid_out_while_that_was_being_published(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    publish(actor=owner_of(dataset), dataset=dataset)
    advance_projection(dataset.number, PROJECTION)
    assert not any(name.startswith("refs/tags/") for name in told_of(dataset))
    worker.run()
    version = dataset.versions.exclude(version=Version.DRAFT).get()
    assert f"refs/tags/{version.version}" in told_of(dataset)


def test_withdrawn_version_is_not_in_it(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = make_published_version(worker, dataset)
    worker.run()
    delete_version(actor=acting(make_admin()), version=version)
    worker.run()
    assert f"refs/tags/{version.version}" not in told_of(dataset)


def test_embargoed_repository_is_not_laid_out_before_its_release(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    make_asset(dataset, "a.nwb")
    worker.run()
    assert (laid_out_of(dataset), serverless_clone_url(dataset)) == ([], None)
    start_release(dataset)
    worker.run()
    assert told_of(dataset) == references(repository_of(dataset))


def test_sweep_takes_what_is_left_of_deleted_datasets_when_it_is_old(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, other = make_dataset(), make_dataset()
    for each in (dataset, other):
        make_asset(each, "a.nwb")
    worker.run()
    kept, gone = (export_prefix(repository_of(each)) for each in (dataset, other))
    delete_dataset(actor=owner_of(other), dataset=other)
    exports.sweep_exports()
    assert any(key.startswith(gone) for key in laid_out())
    monkeypatch.setattr(exports, "GRACE", timedelta(days=-1))
    exports.sweep_exports()
    assert {key.startswith(kept) for key in laid_out()} == {True}
    assert told_of(dataset)
