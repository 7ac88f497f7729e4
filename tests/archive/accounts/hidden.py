"""A dataset that is hidden, marked wherever people can write something, and everybody who may ask about it."""

from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any
from uuid import uuid4

from django.db import connection

from archive.accounts.models import Token, User
from archive.accounts.policy import ANONYMOUS, Actor
from archive.accounts.queries import find_reviewer_link
from archive.assets.models import Asset
from archive.bids.models import Statement
from archive.bids_validation.models import BidsTree, BidsVerdict
from archive.blobs.models import Upload
from archive.blobs.services import start_upload
from archive.datasets.models import Dataset, Version
from archive.datasets.services import set_viewers, update_draft
from archive.digests import etag_of_file
from archive.git_annex.keys import AnnexKey
from archive.publishing.work import MANIFEST_JOB
from archive.snapshots.services import repository_of
from archive.storage import queries as store
from archive.timeline.models import Job
from archive.timeline.queries import find_open_job
from archive.timeline.services import start_job
from archive.uploads.services import prepare_upload
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_dataset,
    make_editor,
    make_published_version,
    make_reviewer_link,
    make_staff,
    make_token,
    make_unapproved_user,
    make_user,
    make_valid_dataset,
    make_zarr,
    make_zarr_asset,
    owner_of,
    upload_zarr,
    valid_dandiset_metadata,
)
from tests.factories.zarr import announce
from tests.worker import Worker

# What tells whose the dataset is, and what tells that there is such a dataset.
PEOPLE = ("Zebulon", "zebulon", "Quackenbush", "0000-0002-1825-0097", "invited@example.net")
CONTENT = ("Platypus", "platypus")

PERSON = {
    "schemaKey": "Person",
    "name": "Quackenbush, Zebulon",
    "identifier": "0000-0002-1825-0097",
    "email": "zebulon@example.org",
    "roleName": ["dcite:ContactPerson"],
    "includeInCitation": True,
}
SPECIES = "Ornithorhynchus platypus"
# Who must not learn that the dataset exists; whose it is; and who may read all of it, and change nothing.
STRANGERS = ("anonymous", "unapproved", "outsider", "outsider's link", "staff")
REVIEWERS = ("reviewer", "reviewer signed in")
READERS = ("viewer", "owner reading")
# Who may change its draft and make versions, and nothing else.
EDITOR = "editor"
MANAGERS = ("owner", "admin")


class Hidden:
    """An embargoed draft and an earlier version of it, with files, a Zarr archive, work, an upload and people."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.owner = make_user(first_name="Zebulon", last_name="Quackenbush")
        User.objects.filter(pk=self.owner.pk).update(email="zebulon@example.org", github_login="zebulon-login")
        self.owner.refresh_from_db()
        self.dataset = make_valid_dataset(worker, self.owner, paths=("platypus/a.nwb",))
        self._describe("Platypus hearing")
        self.zarr = upload_zarr(worker, make_zarr(self.dataset, "platypus/a.zarr"))
        make_zarr_asset(self.zarr, "platypus/a.zarr")
        worker.run()
        self.version: Version = make_published_version(worker, self.dataset)
        self._describe("Platypus vision")
        make_asset(self.dataset, "platypus/named.nwb", contributor=[PERSON], wasAttributedTo=[_mouse()])
        make_asset(self.dataset, "README.md", contributor=[PERSON])
        worker.run()
        announce(self.zarr, {"platypus": b"to come"})
        self.asset = Asset.objects.select_related("blob").get(dataset=self.dataset, path="platypus/named.nwb")
        verdict = BidsVerdict.objects.create(tree="0" * 64, summary={"tasks": ["platypus"]})
        BidsTree.objects.create(version=self.version, files_changed=self.version.files_changed, verdict=verdict)
        Statement.objects.create(dataset=self.dataset, values={"species": "platypus"})
        self.viewer = make_user()
        set_viewers(
            actor=owner_of(self.dataset), dataset=self.dataset, usernames=[self.viewer.username, "invited@example.net"]
        )
        self.editor = make_editor(self.dataset)
        link, secret = make_reviewer_link(self.dataset)
        self.link_id, self._secret = link.pk, secret
        self.upload = self._arrived()
        self.session = prepare_upload(actor=owner_of(self.dataset), dataset=self.dataset, upload_id="platypus")
        self.job = self._job()
        self.annex_uuid = repository_of(self.dataset).annex_uuid
        self.somebody = make_user()
        Dataset.objects.filter(pk=self.dataset.pk).update(
            access=Dataset.Access.EMBARGOED, embargo_end=date(2100, 1, 1), project_name="Platypus-1"
        )
        self.dataset.refresh_from_db()
        self.actors = self._actors()

    def _describe(self, name: str) -> None:
        update_draft(
            actor=owner_of(self.dataset),
            dataset=self.dataset,
            name=name,
            metadata=valid_dandiset_metadata() | {"contributor": [PERSON], "keywords": ["platypus"]},
        )
        self.worker.run()

    def _arrived(self) -> Upload:
        content = uuid4().bytes
        etag = etag_of_file(BytesIO(content), len(content))
        return start_upload(actor=acting(self.owner), dataset=self.dataset, size=len(content), etag=etag)[0]

    def _job(self) -> Job:
        start_job(MANIFEST_JOB, subject="platypus", dataset_id=self.dataset.number, author=owner_of(self.dataset))
        return find_open_job(MANIFEST_JOB, "platypus")

    def _actors(self) -> dict[str, Actor]:
        outsider = make_user()
        others = make_dataset(outsider)
        link = find_reviewer_link(self._secret)
        read_only = make_token(self.owner, scope=Token.Scope.READ)
        return {
            "anonymous": ANONYMOUS,
            "unapproved": acting(make_unapproved_user()),
            "outsider": acting(outsider),
            "outsider's link": Actor(link=find_reviewer_link(make_reviewer_link(others)[1])),
            "staff": acting(make_staff()),
            "reviewer": Actor(link=link),
            "reviewer signed in": replace(acting(make_user(first_name="Rita", last_name="Reader")), link=link),
            "viewer": acting(self.viewer),
            "owner reading": acting(self.owner, read_only),
            "editor": acting(self.editor),
            "owner": acting(self.owner),
            "admin": acting(make_admin()),
        }

    @property
    def key(self) -> AnnexKey:
        """What git-annex calls a file of the draft."""
        blob = self.asset.blob
        return AnnexKey("SHA256", blob.size, blob.sha256 or "")

    def state(self) -> dict[str, Any]:
        """How much there is of everything that the dataset has, but for stars, which readers may give."""
        facts = Dataset.objects.filter(pk=self.dataset.pk).values("access", "embargo_end", "released")
        drafts = self.dataset.versions.filter(at=None).values("name", "metadata")
        return {"rows": self._row_counts(), "facts": list(facts), "drafts": list(drafts)}

    def _row_counts(self) -> tuple[int, ...]:
        """How many rows of each table are the dataset's: in one question, since it is asked a thousand times."""
        relations = [each for each in Dataset._meta.related_objects if each.name != "stars"]
        places = [(each.related_model._meta.db_table, each.field.column) for each in relations]
        counts = [f"(SELECT count(*) FROM {table} WHERE {column} = %(dataset)s)" for table, column in places]  # noqa: S608 - of names of ours
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(counts)}", {"dataset": self.dataset.pk})
            return tuple(cursor.fetchone())


def stored_objects() -> int:
    """How many objects there are in the store."""
    found = store.client().list_objects_v2(Bucket=store.bucket())
    return int(found["KeyCount"])


def _mouse() -> dict[str, Any]:
    return {
        "schemaKey": "Participant",
        "identifier": "p1",
        "genotype": "Platypus-wt",
        "species": {"schemaKey": "SpeciesType", "name": SPECIES, "identifier": "http://example.org/platypus"},
    }
