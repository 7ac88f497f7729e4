"""Any sequence of what can happen to datasets, against plain Python that does the same.

Workers finish what follows each step before the next, but for what is said to happen meanwhile. ARCHIVE_LONG_TESTS=1
looks at many more sequences.
"""

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from archive.accounts.policy import ANONYMOUS, Actor
from archive.accounts.queries import find_reviewer_link
from archive.assets.models import Asset
from archive.assets.queries import assets_of, find_asset_anywhere
from archive.assets.services import remove_asset, replace_asset
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import DatasetFilter, visible_datasets
from archive.datasets.services import (
    create_reviewer_link,
    delete_dataset,
    delete_version,
    revoke_reviewer_link,
    set_viewers,
    update_draft,
)
from archive.embargo.services import release
from archive.errors import ArchiveError, ForbiddenError, InvalidError
from archive.publishing.services import publish
from archive.search.queries import search_datasets
from archive.timeline.models import Change, Job, Projection
from archive.timeline.queries import changes, position
from tests.archive.assets.state import draft_of, files_of, recounted, sums_of
from tests.factories import (
    acting,
    attachable_row,
    make_admin,
    make_asset,
    make_dataset,
    make_embargoed_dataset,
    make_user,
    make_zarr,
    make_zarr_asset,
    upload_zarr,
    valid_asset_metadata,
    valid_dandiset_metadata,
)
from tests.worker import Worker

EXAMPLES, STEPS = (200, 50) if os.environ.get("ARCHIVE_LONG_TESTS") else (5, 20)
FIRST_NAME = "Mouse vision"
# Words that are in no metadata but as parts of names.
WORDS = ["Alligator", "Bumblebee"]
EVERYTHING = DatasetFilter(embargoed=True)

paths = st.sampled_from(["a", "b", "c/d", "c/e/f"])
zarr_paths = st.sampled_from(["g.zarr", "c/h.zarr"])
sizes = st.sampled_from([1, 10, 100])
contents = st.dictionaries(st.sampled_from(["0/0", "0/1", ".zattrs"]), st.binary(min_size=1, max_size=4), min_size=1)

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(3600 if os.environ.get("ARCHIVE_LONG_TESTS") else 300)]


@dataclass
class Listed:
    """What a version lists, as it was when it was published."""

    name: str
    files: dict[str, int]
    rows: list[Any]
    metadata: dict[str, Any]


@dataclass
class Known:
    """What there should be of one dataset."""

    owner: Actor
    is_open: bool
    name: str = FIRST_NAME
    files: dict[str, int] = field(default_factory=dict)
    zarrs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    versions: dict[str, Listed] = field(default_factory=dict)
    viewers: set[str] = field(default_factory=set)
    links: dict[int, str] = field(default_factory=dict)
    is_edited: bool = True


class LifeCycle(RuleBasedStateMachine):
    """At most three datasets, and beside each what should be known of it."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self.worker = worker

    @initialize()
    def begin(self) -> None:
        self.point = transaction.savepoint()
        self.people = [acting(make_user()), acting(make_user())]
        self.readers = [make_user(), make_user()]
        self.admin = acting(make_admin())
        self.known: dict[int, Known] = {}
        self.ended: list[int] = []

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.point)

    def _dataset(self, data: st.DataObject) -> tuple[Dataset, Known]:
        number = data.draw(st.sampled_from(sorted(self.known)))
        return Dataset.objects.get(pk=number), self.known[number]

    def _asset(self, dataset: Dataset, path: str) -> Asset:
        return Asset.objects.get(dataset=dataset, path=path, retired__isnull=True)

    def _settle(self) -> None:
        self.worker.run()

    # --- Datasets -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.known) < 3)
    @rule(owner=st.sampled_from([0, 1]), is_open=st.booleans())
    def create(self, owner: int, is_open: bool) -> None:
        actor = self.people[owner]
        assert actor.user
        dataset = make_dataset(actor.user) if is_open else make_embargoed_dataset(actor.user)
        self.known[dataset.number] = Known(actor, is_open)
        self._settle()

    @precondition(lambda self: self.known)
    @rule(data=st.data(), word=st.sampled_from(WORDS))
    def rename(self, data: st.DataObject, word: str) -> None:
        dataset, known = self._dataset(data)
        name = f"{word} vision"
        update_draft(actor=known.owner, dataset=dataset, name=name, metadata=valid_dandiset_metadata())
        known.is_edited |= name != known.name
        known.name = name
        self._settle()

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        dataset, known = self._dataset(data)
        if known.versions:
            with pytest.raises(ForbiddenError):
                delete_dataset(actor=known.owner, dataset=dataset)
            return
        number = dataset.number
        delete_dataset(actor=known.owner, dataset=dataset)
        del self.known[number]
        self.ended.append(number)
        self._settle()

    @precondition(lambda self: any(not known.is_open for known in self.known.values()))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(number for number in self.known if not self.known[number].is_open)))
        release(actor=self.known[number].owner, dataset=Dataset.objects.get(pk=number))
        self.known[number].is_open = True
        # At once, before any worker has looked at it.
        self.readers_are_as_the_roles_say()
        self._settle()
        assert Dataset.objects.get(pk=number).access == Dataset.Access.OPEN

    # --- Files --------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.known)
    @rule(data=st.data(), path=paths, size=sizes)
    def put(self, data: st.DataObject, path: str, size: int) -> None:
        dataset, known = self._dataset(data)
        blob = attachable_row(dataset, size=size)
        if path in known.files:
            replace_asset(
                actor=known.owner,
                dataset=dataset,
                asset_id=self._asset(dataset, path).asset_id,
                blob_id=blob.pk,
                metadata=valid_asset_metadata(path),
            )
        else:
            make_asset(dataset, path, blob=blob)
        known.files[path], known.is_edited = size, True
        self._settle()

    @precondition(lambda self: self.known)
    @rule(data=st.data(), path=zarr_paths, content=contents)
    def put_zarr(self, data: st.DataObject, path: str, content: dict[str, bytes]) -> None:
        dataset, known = self._dataset(data)
        # An archive that was removed from the draft is still the dataset's.
        zarr = dataset.zarrs.filter(name=path).first() or make_zarr(dataset, path)
        upload_zarr(self.worker, zarr, content)
        if path not in known.files:
            make_zarr_asset(zarr, path)
        stored = known.zarrs.setdefault(path, {})
        stored.update(content)
        known.files[path], known.is_edited = sum(map(len, stored.values())), True
        self._settle()

    @precondition(lambda self: any(known.files for known in self.known.values()))
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        number, path = data.draw(st.sampled_from([(n, path) for n in self.known for path in self.known[n].files]))
        dataset, known = Dataset.objects.get(pk=number), self.known[number]
        remove_asset(actor=known.owner, dataset=dataset, asset_id=self._asset(dataset, path).asset_id)
        del known.files[path]
        known.is_edited = True
        self._settle()

    # --- Versions -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.known)
    @rule(data=st.data(), meanwhile=st.booleans())
    def publish(self, data: st.DataObject, meanwhile: bool) -> None:
        dataset, known = self._dataset(data)
        if not (known.is_open and known.is_edited and known.files):
            with pytest.raises(InvalidError):
                publish(actor=known.owner, dataset=dataset)
            return
        job = publish(actor=known.owner, dataset=dataset)
        files = dict(known.files)
        known.is_edited = False
        if meanwhile:
            self.put(data, "b", 10)
        self._settle()
        version = Version.objects.get(pk=job.subject, status=Version.Status.VALID)
        known.versions[version.version] = Listed(known.name, files, self._rows(version), version.metadata)

    @precondition(lambda self: any(known.versions for known in self.known.values()))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        number, name = data.draw(st.sampled_from([(n, name) for n in self.known for name in self.known[n].versions]))
        version = Version.objects.get(dataset_id=number, version=name)
        with pytest.raises(ForbiddenError):
            delete_version(actor=self.known[number].owner, version=version)
        delete_version(actor=self.admin, version=version)
        del self.known[number].versions[name]
        self._settle()

    def _rows(self, version: Version) -> list[Any]:
        return sorted(assets_of(version).values_list("path", "asset_id", "blob_id", "zarr_revision_id", "size"))

    # --- People -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.known)
    @rule(data=st.data(), chosen=st.sets(st.sampled_from([0, 1])))
    def choose_viewers(self, data: st.DataObject, chosen: set[int]) -> None:
        dataset, known = self._dataset(data)
        known.viewers = {self.readers[number].username for number in chosen}
        set_viewers(actor=known.owner, dataset=dataset, usernames=sorted(known.viewers))
        self._settle()

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def make_link(self, data: st.DataObject) -> None:
        dataset, known = self._dataset(data)
        link, secret = create_reviewer_link(actor=known.owner, dataset=dataset, label="Reviewer 2")
        known.links[link.pk] = secret
        self._settle()

    @precondition(lambda self: any(known.links for known in self.known.values()))
    @rule(data=st.data())
    def revoke_link(self, data: st.DataObject) -> None:
        number, link_id = data.draw(st.sampled_from([(n, link) for n in self.known for link in self.known[n].links]))
        known = self.known[number]
        revoke_reviewer_link(actor=known.owner, dataset=Dataset.objects.get(pk=number), link_id=link_id)
        assert find_reviewer_link(known.links.pop(link_id)) is None
        self._settle()

    # --- What holds ---------------------------------------------------------------------------------------------------

    def _may_read(self) -> list[tuple[Actor, set[int]]]:
        """Everybody, and the numbers of the datasets that they should be able to read."""
        is_open = {number for number, known in self.known.items() if known.is_open}
        people = [(ANONYMOUS, is_open), (self.admin, set(self.known))]
        people += [
            (actor, is_open | {number for number, known in self.known.items() if known.owner is actor})
            for actor in self.people
        ]
        people += [
            (acting(user), is_open | {number for number, known in self.known.items() if user.username in known.viewers})
            for user in self.readers
        ]
        return people + [
            (Actor(link=find_reviewer_link(secret)), is_open | {number})
            for number, known in self.known.items()
            for secret in known.links.values()
        ]

    @invariant()
    def readers_are_as_the_roles_say(self) -> None:
        for actor, numbers in self._may_read():
            assert {dataset.number for dataset in visible_datasets(actor)} == numbers
            for asset in Asset.objects.filter(retired__isnull=True):
                assert self._reads(actor, asset) is (asset.dataset_id in numbers)

    def _reads(self, actor: Actor, asset: Asset) -> bool:
        try:
            return find_asset_anywhere(actor, asset.asset_id) == asset
        except ArchiveError:
            return False

    @invariant()
    def search_finds_what_is_visible(self) -> None:
        for actor, numbers in self._may_read():
            for word in WORDS:
                found = {dataset.number for dataset in search_datasets(actor, EVERYTHING, word)}
                assert found == {number for number in numbers if self._is_called(self.known[number], word)}

    def _is_called(self, known: Known, word: str) -> bool:
        return any(word in name for name in [known.name, *(version.name for version in known.versions.values())])

    @invariant()
    def drafts_hold_the_files(self) -> None:
        for number, known in self.known.items():
            draft = draft_of(Dataset.objects.get(pk=number))
            assert (files_of(draft), draft.name) == (known.files, known.name)
            assert sums_of(draft) == recounted(known.files)
            assert (draft.file_count, draft.size) == (len(known.files), sum(known.files.values()))
            assert (draft.status == "Published") is not known.is_edited

    @invariant()
    def versions_list_what_they_listed(self) -> None:
        for number, known in self.known.items():
            assert set(known.versions) == {
                version.version for version in Version.objects.filter(dataset_id=number, at__isnull=False)
            }
            for name, listed in known.versions.items():
                version = Version.objects.get(dataset_id=number, version=name)
                assert (files_of(version), sums_of(version)) == (listed.files, recounted(listed.files))
                assert (self._rows(version), version.metadata) == (listed.rows, listed.metadata)

    @invariant()
    def histories_have_no_gap(self) -> None:
        for number in [*self.known, *self.ended]:
            numbers = list(changes(number).values_list("number", flat=True))
            assert numbers == list(range(1, position(number) + 1))
        for number in set(self.ended) - set(self.known):
            assert changes(number).reverse()[0].kind == Change.Kind.DELETE_DATASET

    @invariant()
    def work_is_done(self) -> None:
        assert not Job.objects.filter(ended=None).exists()
        assert not Job.objects.filter(state__in=Job.UNDONE).exists()
        assert not Projection.objects.filter(state=Projection.State.FAILING).exists()


def test_life_of_datasets_is_as_plain_python_says(worker: Worker) -> None:
    # To shrink a failure takes longer than a test may; the sequence that fails is short enough to read.
    phases = [Phase.explicit, Phase.reuse, Phase.generate]
    run_state_machine_as_test(
        lambda: LifeCycle(worker),
        settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, phases=phases),
    )
