"""Models of repositories: Repository, Commit, Bundle."""

import uuid
from datetime import UTC, datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from archive.datasets.models import Dataset
from archive.git_annex.attributes import ATTRIBUTES, DATALAD_CONFIG, Rules, datalad_config
from archive.git_annex.fast_import import person

BUNDLES = "repositories/"

# The archive, as it names itself in commits and in clones.
ARCHIVE_NAME = "the archive"
ARCHIVE_EMAIL = "archive@users.noreply.invalid"
ARCHIVE = person(ARCHIVE_NAME, ARCHIVE_EMAIL)

SHA_PATTERN = r"^([0-9a-f]{40})?$"
# The kind of special remote that has the archive's own content (docs/dialects/openneuro.md#special-remote).
LEADS_HERE = "openneuro"


def new_bundle_key() -> str:
    """Return the key of a new bundle. It begins with the day: by its age, what was never recorded can be told."""
    return f"{BUNDLES}{datetime.now(UTC):%Y-%m-%d}/{uuid.uuid4()}.bundle"


class Repository(models.Model):
    """The git-annex repository of a dataset: a projection of its history, and a way in.

    What its branches are is said here and nowhere else; the objects are in its bundles. Tags follow from the dataset's
    versions and the commits.
    """

    dataset = models.OneToOneField(Dataset, models.CASCADE, primary_key=True, related_name="repository")
    # The UUID by which every clone names the archive's copy of the dataset's content.
    annex_uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    # Counts histories: a release begins a new one, unless it opens all that was before, and nothing of the one before
    # is read any more.
    history = models.PositiveIntegerField(default=1)
    # The dataset's `released` when this history began.
    released = models.BigIntegerField(null=True)
    # Whether `git-annex` tells for all its files where anybody may read them: once the dataset is open to everybody.
    tells_urls = models.BooleanField(default=False, db_default=False)
    # The dataset's change up to which this history goes.
    at = models.BigIntegerField(default=0)
    # The commits that the branches `main` and `git-annex` are at; empty while they are not there.
    main = models.CharField(max_length=40, blank=True)
    annex = models.CharField(max_length=40, blank=True)
    # The settings for which files are in git, as they were when this history began; NULL before.
    text_names = models.JSONField(null=True)
    text_bytes = models.BigIntegerField(default=0)
    # The id by which DataLad knows the dataset; NULL if this history began before there was one.
    datalad_id = models.UUIDField(null=True, editable=False)
    # The configuration of the special remote that clones are told of, as the setting was when this history began.
    special_remote = models.JSONField(default=dict, db_default={}, blank=True)
    # The first of the paths that git cannot represent.
    unfit = models.JSONField(default=list)
    # The names of the bundles that are laid out for everybody (`exports`); none while it is not.
    exported = models.JSONField(default=list, blank=True)
    # When the bundles were last checked, and what was found wrong.
    checked = models.DateTimeField(null=True)
    fault = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "repositories"
        constraints = [
            models.CheckConstraint(
                condition=Q(main__regex=SHA_PATTERN, annex__regex=SHA_PATTERN), name="repository_refs_are_commits"
            ),
        ]

    def __str__(self) -> str:
        return f"repository of {self.dataset_id:06}"

    @property
    def rules(self) -> Rules:
        """Return the rules that this history began with."""
        return Rules(self.text_names or [], self.text_bytes)

    @property
    def own_files(self) -> dict[str, bytes]:
        """Return the files that the archive itself puts into the tree where there is no asset, by their paths."""
        attributes = {ATTRIBUTES: self.rules.attributes()}
        return attributes | ({DATALAD_CONFIG: datalad_config(self.datalad_id)} if self.datalad_id else {})

    @property
    def special_uuid(self) -> uuid.UUID:
        """Return the UUID by which clones name the special remote that they are told of."""
        return uuid.uuid5(self.annex_uuid, "special remote")

    @property
    def places(self) -> list[uuid.UUID]:
        """Return what has the content of all files: the archive, and a special remote that is another way to it."""
        leads_here = self.special_remote.get("externaltype") == LEADS_HERE
        return [self.annex_uuid, self.special_uuid] if leads_here else [self.annex_uuid]

    @property
    def begins_before_assets(self) -> bool:
        """Return whether the first commit is there before any asset: one that a release begins with is not."""
        has_old_history = self.text_names is not None and self.datalad_id is None
        return not (self.dataset.released or has_old_history)

    @property
    def folder(self) -> str:
        """Return the name that the folder of this history has in a cache."""
        return f"{self.annex_uuid}.{self.history}"


class Commit(models.Model):
    """A commit of `main`: all that is needed to write it again, unless it was pushed and is in the bundles."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="commits")
    # The number of the dataset's change whose draft it shows.
    at = models.BigIntegerField()
    sha = models.CharField(max_length=40)
    # The commit of `git-annex` that tells of its files; empty as long as that is not written.
    annex = models.CharField(max_length=40, blank=True)
    author_name = models.CharField(max_length=301)
    author_email = models.CharField(max_length=254)
    recorded = models.DateTimeField()
    message = models.TextField()
    # The assets that it lacks, because their SHA-256 could not be computed.
    left_out = models.JSONField(default=list)
    is_pushed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "sha"], name="commit_once"),
            models.CheckConstraint(condition=Q(sha__regex=r"^[0-9a-f]{40}$"), name="commit_sha_format"),
            models.CheckConstraint(condition=Q(annex__regex=SHA_PATTERN), name="commit_annex_format"),
            models.CheckConstraint(condition=Q(is_pushed=True) | ~Q(annex=""), name="commit_has_annex_unless_pushed"),
        ]
        indexes = [models.Index(fields=["repository", "at"], name="commit_by_change")]

    def __str__(self) -> str:
        return f"{self.sha[:12]} at {self.at}"


class AnnexPush(models.Model):
    """A commit that was pushed as `git-annex`, from which the archive goes on."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="annex_pushes")
    sha = models.CharField(max_length=40)
    # The newest commit of `main` that `git-annex` told of when this was pushed.
    follows = models.ForeignKey(Commit, models.CASCADE, null=True, related_name="+")
    author_name = models.CharField(max_length=301)
    recorded = models.DateTimeField()

    class Meta:
        verbose_name_plural = "annex pushes"
        constraints = [
            models.CheckConstraint(condition=Q(sha__regex=r"^[0-9a-f]{40}$"), name="annex_push_sha_format"),
        ]

    def __str__(self) -> str:
        return f"{self.sha[:12]} of {self.author_name}"


class Bundle(models.Model):
    """A git bundle in the store: the objects that these branches have and older bundles lack."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="bundles")
    key = models.CharField(max_length=200, unique=True, default=new_bundle_key)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    # Up to which change the bundle goes, and where the branches are then, as in `Repository`.
    at = models.BigIntegerField()
    main = models.CharField(max_length=40, blank=True)
    annex = models.CharField(max_length=40, blank=True)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="bundle_is_not_empty"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="bundle_sha256_format"),
        ]

    def __str__(self) -> str:
        return self.key
