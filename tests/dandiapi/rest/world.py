"""The dataset that an access table is about, everybody who asks about it, and a body for every unsafe request."""

from datetime import date
from functools import cached_property
from io import BytesIO
from typing import Any, NamedTuple, Self
from uuid import uuid4

from django.db import transaction

from archive.accounts.models import Token, User
from archive.accounts.policy import SYSTEM
from archive.assets.models import Asset
from archive.blobs.models import Upload
from archive.blobs.services import start_upload
from archive.datasets.models import Dataset
from archive.digests import etag_of_file
from archive.embargo.work import begin_release
from archive.publishing.work import MANIFEST_JOB
from archive.storage import queries as store
from archive.timeline.models import Change
from archive.timeline.queries import find_open_job
from archive.timeline.services import start_job
from archive.zarr.models import ZarrArchive
from tests.dandiapi.rest.api import Api
from tests.factories import (
    acting,
    make_admin,
    make_editor,
    make_published_version,
    make_reviewer_link,
    make_unapproved_user,
    make_user,
    make_valid_dataset,
    make_viewer,
    make_zarr,
    make_zarr_asset,
    upload_zarr,
    valid_asset_metadata,
    valid_dandiset_metadata,
)
from tests.factories.zarr import announce
from tests.worker import Worker


def embargo(dataset: Dataset) -> None:
    """Let only its owners read the dataset, as if it had been made under an embargo."""
    Dataset.objects.filter(pk=dataset.pk).update(access=Dataset.Access.EMBARGOED, embargo_end=date(2100, 1, 1))


def arrived_upload(dataset: Dataset, user: User) -> Upload:
    """An upload of 16 bytes that are in the store, but not verified."""
    content = uuid4().bytes
    upload, _ = start_upload(
        actor=acting(user), dataset=dataset, size=len(content), etag=etag_of_file(BytesIO(content), len(content))
    )
    place: Any = {"Bucket": store.bucket(), "Key": upload.key, "UploadId": upload.multipart_id}
    part = store.client().upload_part(**place, PartNumber=1, Body=content)
    parts: Any = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    store.client().complete_multipart_upload(**place, MultipartUpload=parts)
    return upload


class Line(NamedTuple):
    """What is asked, and what each caller is answered."""

    method: str
    address: str
    statuses: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> "Line":
        """The line of a table."""
        method, address, *statuses = text.split()
        return cls(method, address, tuple(statuses))


class World:
    """A valid draft, with an asset and an upload of its owner's."""

    version = "draft"

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.owner = make_user()
        self.dataset = make_valid_dataset(worker, self.owner, paths=("sub-1/a.nwb",))
        self.identifier = self.dataset.identifier
        self.asset = Asset.objects.select_related("blob").get(dataset=self.dataset)
        self.asset_id = str(self.asset.asset_id)
        self.etag = self.asset.blob.etag
        self.viewer = make_viewer(self.dataset)
        self.editor = make_editor(self.dataset)
        link, self.link_secret = make_reviewer_link(self.dataset)
        self.link_id = str(link.pk)
        self.changed_by_refusal: list[str] = []

    @classmethod
    def complete(cls, worker: Worker) -> Self:
        """A world in which everything is there already that would be made when it is asked about first."""
        world = cls(worker)
        for name in ("upload_id", "zarr_id", "job_id", "somebody", "callers"):
            world[name]
        return world

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    @cached_property
    def upload_id(self) -> str:
        """Bytes that have arrived, and wait to be verified."""
        return str(arrived_upload(self.dataset, self.owner).pk)

    @cached_property
    def zarr_id(self) -> str:
        """A Zarr archive with files in it, and more to come."""
        zarr = upload_zarr(self.worker, make_zarr(self.dataset))
        announce(zarr, {"0/1/1": b"another chunk"})
        return str(zarr.id)

    @cached_property
    def job_id(self) -> str:
        """A piece of the dataset's work that has not begun."""
        start_job(MANIFEST_JOB, subject="0", dataset_id=self.dataset.number)
        return str(find_open_job(MANIFEST_JOB, "0").pk)

    @cached_property
    def somebody(self) -> User:
        """Who is named in requests, and sends none."""
        return make_user()

    @cached_property
    def callers(self) -> list[Api]:
        """Everybody, in the order of the tables' columns. All have just been here, which is noted of them."""
        everybody = [
            Api(),
            Api(make_unapproved_user()),
            Api(make_user()),
            Api(self.owner),
            Api(make_admin()),
            Api(self.owner, scope=Token.Scope.READ),
            Api(self.viewer),
            Api(secret=self.link_secret),
            Api(self.editor),
        ]
        for caller in everybody:
            caller.get("info/")
        return everybody

    def answered(self, line: Line) -> Line:
        """The line as it is in truth. Everything is as at first whenever the next caller asks."""
        address = line.address.format_map(self)  # type: ignore[arg-type]
        body = self.body(f"{line.method} {line.address}")
        before = Change.objects.count()
        return line._replace(
            statuses=tuple(self._status(caller, line.method, address, body, before) for caller in self.callers)
        )

    def _status(self, caller: Api, method: str, address: str, body: Any, before: int) -> str:
        """Return what is answered, and undo what is done; there are as many changes `before` whoever asks."""
        with transaction.atomic():
            status = caller.send(method, address, body).status_code
            if status >= 400 and Change.objects.count() != before:
                self.changed_by_refusal.append(f"{method} {address}")
            transaction.set_rollback(True)
        return str(status)

    def body(self, route: str) -> Any:
        """What is sent with an unsafe request; nothing with others."""
        named = {"name": "Mouse hearing", "metadata": valid_dandiset_metadata()}
        asset = {"blob_id": str(self.asset.blob_id), "metadata": valid_asset_metadata("sub-2/b.nwb")}
        return {
            "POST dandisets/": named,
            "PUT dandisets/{identifier}/users/": [
                {"username": self.owner.username},
                {"username": self.somebody.username},
            ],
            "PUT dandisets/{identifier}/editors/": [{"username": self.somebody.username}],
            "PUT dandisets/{identifier}/viewers/": [{"username": self.somebody.username}],
            "POST dandisets/{identifier}/versions/": {"label": "1.0.0", "rules": "bids"},
            "PUT dandisets/{identifier}/versions/{version}/access/": {"closed": True},
            "POST dandisets/{identifier}/reviewer-links/": {"label": "Reviewer 1"},
            "PUT dandisets/{identifier}/versions/{version}/": named,
            "POST dandisets/{identifier}/versions/{version}/publish/": {"release_notes": "First."},
            "POST dandisets/{identifier}/versions/{version}/assets/": asset,
            "POST dandisets/{identifier}/versions/{version}/assets/batch/": {
                "put": [{"path": "sub-2/b.nwb", "blob_id": str(self.asset.blob_id)}]
            },
            "PUT dandisets/{identifier}/versions/{version}/assets/{asset_id}/": asset,
            "POST blobs/digest/": {"algorithm": "dandi:dandi-etag", "value": self.etag},
            "POST uploads/initialize/": {
                "contentSize": 1,
                "digest": {"algorithm": "dandi:dandi-etag", "value": f"{'0' * 32}-1"},
                "dandiset": self.identifier,
            },
            "POST zarr/": {"name": "another.zarr", "dandiset": self.identifier},
            "POST zarr/{zarr_id}/files/": [{"path": "0/1/2", "base64md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}],
            "DELETE zarr/{zarr_id}/files/": [{"path": ".zattrs"}],
            "POST uploads/{upload_id}/complete/": {"parts": [{"part_number": 1, "size": 16, "etag": "0" * 32}]},
        }.get(route)


class PublishedWorld(World):
    """The same, published; it is the published version that is asked about."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self.version = make_published_version(worker, self.dataset).version


class EmbargoedWorld(World):
    """The same, embargoed."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        embargo(self.dataset)


class ReleasingWorld(World):
    """The same, released by the clock while its upload was under way; its objects are not open yet."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        embargo(self.dataset)
        self.upload_id = str(arrived_upload(self.dataset, self.owner).pk)
        make_zarr_asset(ZarrArchive.objects.get(pk=self.zarr_id))
        begin_release(self.dataset.number, SYSTEM)


class MissingWorld(World):
    """The same; but what is asked about does not exist."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self.identifier = "999999"
        self.asset_id = str(uuid4())
        self.job_id = str(uuid4())
        self.etag = f"{'f' * 32}-1"
        self.link_id = "0"

    @cached_property
    def upload_id(self) -> str:
        return str(uuid4())

    @cached_property
    def zarr_id(self) -> str:
        return str(uuid4())
