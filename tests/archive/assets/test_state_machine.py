"""Any sequence of changes and publications, against a dictionary that does the same."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from archive.assets.models import Asset
from archive.assets.queries import find_folder, page_of_children
from archive.assets.services import add_asset, change_assets, remove_asset, replace_asset
from archive.datasets.models import Version
from archive.errors import ConflictError
from archive.publishing.services import publish
from archive.publishing.work import PUBLISH_JOB
from archive.timeline.queries import changes
from archive.timeline.work.jobs import drain_due_jobs
from archive.timeline.work.projections import advance_projection
from tests.archive.assets.state import contributed_values, counted_values, draft_of, files_of, recounted, sums_of
from tests.factories import attachable_row, make_dataset, new_asset, owner_of, valid_asset_metadata

names = st.sampled_from(["a", "sub-b", "sub-c"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
sizes = st.sampled_from([1, 10, 100])

Files = dict[str, int]


def _fits(files: Files) -> bool:
    """Whether no file is in the way of another."""
    return not any(other.startswith(f"{path}/") for path in files for other in files)


class Draft(RuleBasedStateMachine):
    """A dataset, and beside it what it should hold: now, and in each version."""

    @initialize()
    def make(self) -> None:
        self.point = transaction.savepoint()
        self.dataset = make_dataset()
        self.actor = owner_of(self.dataset)
        self.blobs = {size: attachable_row(self.dataset, size=size) for size in (1, 10, 100)}
        self.files: Files = {}
        self.versions: dict[str, Files] = {}
        self.changes = 1
        self.is_published = True

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.point)

    def _asset(self, path: str) -> Asset:
        return Asset.objects.get(dataset=self.dataset, path=path, retired__isnull=True)

    def _expect(self, after: Files, change: Any) -> None:
        if not _fits(after):
            try:
                change()
            except ConflictError:
                return
            raise AssertionError("A conflict went unnoticed.")
        change()
        self.files = after
        self.changes += 1
        self.is_published = False

    @rule(path=paths, size=sizes)
    def add(self, path: str, size: int) -> None:
        def change() -> None:
            metadata = valid_asset_metadata(path)
            add_asset(actor=self.actor, dataset=self.dataset, blob_id=self.blobs[size].pk, metadata=metadata)

        # A second file at the same path is in the way as one below it would be.
        taken = {f"{path}/": size} if path in self.files else {path: size}
        self._expect({**self.files, **taken}, change)

    @precondition(lambda self: self.files)
    @rule(data=st.data(), new=paths, size=sizes)
    def replace(self, data: st.DataObject, new: str, size: int) -> None:
        old = data.draw(st.sampled_from(sorted(self.files)))
        asset = self._asset(old)

        def change() -> None:
            replace_asset(
                actor=self.actor,
                dataset=self.dataset,
                asset_id=asset.asset_id,
                blob_id=self.blobs[size].pk,
                metadata=valid_asset_metadata(new, keywords=[str(self.changes)]),
            )

        left = {path: kept for path, kept in self.files.items() if path != old}
        self._expect({**left, **({f"{new}/": size} if new in left else {new: size})}, change)

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(self.files)))
        remove_asset(actor=self.actor, dataset=self.dataset, asset_id=self._asset(path).asset_id)
        del self.files[path]
        self.changes += 1
        self.is_published = False

    @rule(data=st.data(), add=st.dictionaries(paths, sizes, max_size=4))
    def change(self, data: st.DataObject, add: Files) -> None:
        chosen = st.sets(st.sampled_from(sorted(self.files) or [""]), max_size=4)
        remove = data.draw(chosen) - {""}
        left = {path: size for path, size in self.files.items() if path not in remove}
        taken = {f"{path}/": size for path, size in add.items() if path in left}

        def change() -> None:
            new = [new_asset(path, self.blobs[size]) for path, size in add.items()]
            change_assets(actor=self.actor, dataset=self.dataset, add=new, remove=sorted(remove))

        self._expect({**left, **add, **taken}, change)

    @rule()
    def validate(self) -> None:
        advance_projection(self.dataset.number, "validation")

    @precondition(lambda self: self.files and not self.is_published)
    @rule()
    def publish(self) -> None:
        advance_projection(self.dataset.number, "validation")
        job = publish(actor=self.actor, dataset=self.dataset)
        drain_due_jobs(PUBLISH_JOB)
        version = Version.objects.get(pk=job.subject, status=Version.Status.VALID)
        self.versions[version.version] = dict(self.files)
        self.changes += 1
        self.is_published = True

    @invariant()
    def draft_holds_the_files(self) -> None:
        draft = draft_of(self.dataset)
        assert files_of(draft) == self.files
        assert sums_of(draft) == recounted(self.files)
        assert (draft.file_count, draft.size) == (len(self.files), sum(self.files.values()))

    @invariant()
    def summary_counts_what_the_valid_files_contribute(self) -> None:
        assert counted_values(self.dataset) == contributed_values(self.dataset)

    @invariant()
    def versions_hold_what_they_held(self) -> None:
        for name, files in self.versions.items():
            version = self.dataset.versions.get(version=name)
            assert files_of(version) == files
            assert sums_of(version) == recounted(files)
            assert (version.file_count, version.size) == (len(files), sum(files.values()))

    @invariant()
    def folders_list_their_children(self) -> None:
        for folder, sums in recounted(self.files).items():
            children = page_of_children(draft_of(self.dataset), folder, offset=0, limit=100)
            assert len(children) == sums.children
            assert sum(child.size for child in children) == sums.size
        assert bool(find_folder(draft_of(self.dataset), "")) is bool(self.files)

    @invariant()
    def history_has_no_gap(self) -> None:
        numbers = changes(self.dataset.number).values_list("number", flat=True)
        assert list(numbers) == list(range(1, self.changes + 1))


@pytest.mark.django_db
def test_draft_and_versions_hold_what_a_dictionary_would() -> None:
    run_state_machine_as_test(Draft, settings=settings(max_examples=10, stateful_step_count=20))
