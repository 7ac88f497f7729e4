"""Uploads of many files: what is received, what is skipped or refused, and that all of it goes into the draft once."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from archive import digests
from archive.accounts.policy import ANONYMOUS, Actor
from archive.assets.models import Asset
from archive.blobs.models import Blob, Upload
from archive.datasets.models import Dataset
from archive.digests import MIB
from archive.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from archive.garbage.tasks import collect_garbage_task
from archive.storage import queries as store
from archive.timeline.models import Change
from archive.uploads.fingerprints import fingerprint
from archive.uploads.models import UploadedFile, UploadSession
from archive.uploads.queries import find_session, pending_sessions
from archive.uploads.services import Naming, finish_upload, prepare_upload, receive_file
from tests.factories import acting, make_dataset, make_releasing_dataset, make_user, owner_of

pytestmark = pytest.mark.django_db

NAMING = Naming("ds000001")
FILES = {"CHANGES": b"", "README": b"Read me", "sub-01/anat/sub-01_T1w.nii.gz": b"image" * 50}


class Sender:
    """The owner of a dataset, who uploads to it."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.dataset = make_dataset()
        self.actor = owner_of(self.dataset)
        self.name = fingerprint(NAMING, [(path, len(content)) for path, content in files.items()])
        self.session = prepare_upload(actor=self.actor, dataset=self.dataset, upload_id=self.name)

    def send(self, path: str, content: bytes, length: int | None = None) -> UploadedFile:
        return receive_file(actor=self.actor, session=self.session, path=path, length=length, chunks=chunked(content))

    def finish(self, naming: Naming | None = NAMING) -> None:
        finish_upload(actor=self.actor, session=find_session(self.actor, self.name), naming=naming)

    def draft(self) -> dict[str, bytes]:
        assets = Asset.objects.filter(dataset=self.dataset).live().select_related("blob")
        return {asset.path: b"".join(store.read(asset.blob.key)) for asset in assets if asset.blob}

    def changes(self) -> int:
        return Change.objects.filter(dataset_id=self.dataset.pk, kind=Change.Kind.CHANGE_ASSETS).count()


def chunked(content: bytes) -> Iterator[bytes]:
    return (content[start : start + 700_001] for start in range(0, len(content), 700_001))


@pytest.fixture
def sender() -> Sender:
    return Sender(FILES)


@pytest.mark.parametrize(
    ("files", "expected"),
    # As JavaScript has them; the third sorts by UTF-16 code units.
    [
        ([], "53fa48b0"),
        ([("a", 1)], "6d30ba08"),
        ([("\uff5e", 1), ("\U0001f600", 1)], "18d3c93b"),
        ([("README", 7), ("CHANGES", 0), ("sub-01/anat/x.nii", 123)], "7cf9cda4"),
    ],
)
def test_fingerprint_is_that_of_clients(files: list[tuple[str, int]], expected: str) -> None:
    assert fingerprint(NAMING, files) == expected


def test_fingerprint_is_of_paths_in_the_folder_that_a_browser_names() -> None:
    inside = fingerprint(Naming("ds000001", "bids"), [("README", 7)])
    assert inside == fingerprint(NAMING, [("bids/README", 7)])


@pytest.mark.parametrize("is_announced", [True, False])
def test_upload_puts_all_files_into_the_draft_as_one_change(sender: Sender, is_announced: bool) -> None:
    for path, content in FILES.items():
        sender.send(path, content, len(content) if is_announced else None)
    assert sender.draft() == {}
    sender.finish()
    assert sender.draft() == FILES
    assert sender.changes() == 1


def test_upload_that_is_finished_twice_is_one_change(sender: Sender) -> None:
    for path, content in FILES.items():
        sender.send(path, content)
    sender.finish()
    sender.finish()
    assert sender.changes() == 1
    with pytest.raises(ConflictError):
        receive_file(
            actor=sender.actor, session=find_session(sender.actor, sender.name), path="a", length=1, chunks=[b"a"]
        )


def test_upload_of_the_same_name_begins_anew_after_it_was_finished(sender: Sender) -> None:
    for path, content in FILES.items():
        sender.send(path, content)
    sender.finish()
    again = prepare_upload(actor=sender.actor, dataset=sender.dataset, upload_id=sender.name)
    assert (again.pk != sender.session.pk, again.files.count()) == (True, 0)


def test_upload_goes_on_where_it_was_interrupted() -> None:
    files = {f"sub-{number:03}/file.tsv": f"{number}\n".encode() for number in range(300)}
    sender = Sender(files)
    for path, content in [*files.items()][:150]:
        sender.send(path, content)
    sender.session = prepare_upload(actor=sender.actor, dataset=sender.dataset, upload_id=sender.name)
    for path, content in files.items():
        sender.send(path, content, len(content))
    sender.finish()
    assert (len(sender.draft()), sender.changes(), Blob.objects.count()) == (300, 1, 300)


def test_upload_is_refused_with_how_many_files_are_missing(sender: Sender) -> None:
    sender.send("CHANGES", b"")
    for path in ("README", "sub-01/anat/sub-01_T1w.nii.gz"):
        with pytest.raises(InvalidError):
            sender.send(path, b"cut", 1000)
    with pytest.raises(InvalidError, match="^2 of the 3 files of this upload are missing: README, sub-01"):
        sender.finish()
    assert (sender.draft(), sender.changes()) == ({}, 0)


def test_upload_is_refused_when_its_name_tells_of_more_files(sender: Sender) -> None:
    sender.send("README", FILES["README"])
    with pytest.raises(InvalidError, match="these 1 are not all"):
        sender.finish()


def test_upload_without_files_is_refused(sender: Sender) -> None:
    with pytest.raises(InvalidError, match="No file"):
        sender.finish(None)


def test_upload_is_trusted_when_its_name_tells_nothing(sender: Sender) -> None:
    sender.send("README", FILES["README"])
    sender.finish(None)
    assert sender.draft() == {"README": FILES["README"]}


@pytest.mark.parametrize("length", [3, 8])
def test_file_that_is_not_as_long_as_announced_is_not_kept(sender: Sender, length: int) -> None:
    with pytest.raises(InvalidError, match="bytes have come"):
        sender.send("README", FILES["README"], length)
    assert (Blob.objects.count(), Upload.objects.count()) == (0, 0)


def test_file_that_breaks_off_is_not_kept(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "PART_SIZE", 5 * MIB)

    def broken() -> Iterator[bytes]:
        yield bytes(11 * MIB)
        raise InvalidError("The request breaks off.")

    with pytest.raises(InvalidError, match="breaks off"):
        receive_file(actor=sender.actor, session=sender.session, path="a", length=None, chunks=broken())
    assert (Blob.objects.count(), Upload.objects.count()) == (0, 0)


def test_large_file_is_kept_in_parts(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "PART_SIZE", 5 * MIB)
    content = hashlib.shake_128(b"large").digest(11 * MIB)
    for length in (None, len(content)):
        file = sender.send(f"{length}.bin", content, length)
        assert file.blob
        assert (file.blob.etag.endswith("-3"), file.blob.sha256) == (True, hashlib.sha256(content).hexdigest())
        assert b"".join(store.read(file.blob.key)) == content


def test_same_bytes_are_kept_once(sender: Sender) -> None:
    first, second = sender.send("a", b"same"), sender.send("b", b"same")
    assert first.blob == second.blob


@pytest.mark.parametrize("path", [".DS_Store", ".git/config", "sub-01/.hidden", "code/.a/b"])
def test_dotfile_is_skipped(sender: Sender, path: str) -> None:
    file = sender.send(path, b"dots")
    assert (file.is_skipped, file.size, file.blob) == (True, 4, None)
    sender.finish(None)
    assert sender.draft() == {}


def test_bidsignore_is_kept(sender: Sender) -> None:
    assert not sender.send(".bidsignore", b"*.log").is_skipped


@pytest.mark.parametrize("path", ["../a", "a/../b", "/a", "a//b", "./a", "a/", "", ".a/../b", "a\\b"])
def test_path_that_leads_elsewhere_is_refused(sender: Sender, path: str) -> None:
    with pytest.raises(InvalidError):
        sender.send(path, b"content")
    assert not sender.session.files.exists()


@pytest.mark.parametrize("name", ["", "a b", "x" * 101, "../a"])
def test_name_that_is_none_is_refused(sender: Sender, name: str) -> None:
    with pytest.raises(InvalidError):
        prepare_upload(actor=sender.actor, dataset=sender.dataset, upload_id=name)


def test_only_editors_upload(sender: Sender) -> None:
    for actor, error in ((ANONYMOUS, UnauthenticatedError), (acting(make_user()), ForbiddenError)):
        with pytest.raises(error):
            prepare_upload(actor=actor, dataset=sender.dataset, upload_id="a")
        with pytest.raises(error):
            receive_file(actor=actor, session=sender.session, path="a", length=1, chunks=[b"a"])
        with pytest.raises(error):
            finish_upload(actor=actor, session=sender.session, naming=None)


def test_nothing_is_uploaded_during_a_release() -> None:
    dataset: Dataset = make_releasing_dataset()
    with pytest.raises(InvalidError):
        prepare_upload(actor=owner_of(dataset), dataset=dataset, upload_id="a")


def test_session_is_seen_by_who_began_it(sender: Sender) -> None:
    sender.send("README", FILES["README"])
    [session] = pending_sessions(sender.actor, [sender.dataset])[sender.dataset]
    assert (session.name, getattr(session, "size")) == (sender.name, 7)  # noqa: B009 - annotated
    other: Actor = acting(make_user())
    assert pending_sessions(other, [sender.dataset]) == {}
    with pytest.raises(NotFoundError):
        find_session(other, sender.name)


def test_session_that_nobody_touches_ends(sender: Sender) -> None:
    collect_garbage_task()
    assert UploadSession.objects.count() == 1
    UploadSession.objects.update(modified=timezone.now() - timedelta(days=8))
    collect_garbage_task()
    assert UploadSession.objects.count() == 0
