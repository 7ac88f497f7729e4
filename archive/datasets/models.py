"""Dataset, Version, Star."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from archive.accounts.models import User
from archive.accounts.policy import RELEASED
from archive.identifiers.names import (
    MAX_LABEL,
    MAX_PROJECT_NAME,
    NUMBER_PATTERN,
    PROJECT_NAME_PATTERN,
    RESERVED_LABELS,
    VERSION_NAME_PATTERN,
)


class Dataset(models.Model):
    """A dataset. Its number is its primary key and has many names (`archive.identifiers`)."""

    class Access(models.TextChoices):
        OPEN = "OPEN"
        # Closed until a day that is known, or, if it is private, until its owners release it.
        EMBARGOED = "EMBARGOED"
        PRIVATE = "PRIVATE"
        RELEASING = "UNEMBARGOING"

    number = models.IntegerField(primary_key=True, validators=[MinValueValidator(0), MaxValueValidator(999_999)])
    # Given once, by whoever made it.
    project_name = models.CharField(max_length=MAX_PROJECT_NAME, null=True, unique=True, editable=False)
    access = models.CharField(max_length=16, choices=Access.choices, default=Access.OPEN)
    embargo_end = models.DateField(null=True, blank=True)
    # The number of the change that released it, if it was closed; rows retired by then were never public. 0 if all of
    # its history was opened with it.
    released = models.BigIntegerField(null=True, editable=False)
    star_count = models.IntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(number__range=(0, 999_999)), name="dataset_number_six_digits"),
            models.CheckConstraint(
                condition=Q(access__in=["OPEN", "EMBARGOED", "PRIVATE", "UNEMBARGOING"]), name="dataset_access_known"
            ),
            models.CheckConstraint(
                condition=Q(access__in=["OPEN", "PRIVATE"]) | Q(embargo_end__isnull=False),
                name="dataset_embargo_has_end",
            ),
            models.CheckConstraint(
                condition=~Q(access__in=["EMBARGOED", "PRIVATE"], released__isnull=False)
                & ~Q(access="UNEMBARGOING", released__isnull=True),
                name="dataset_released_once_closed",
            ),
            models.CheckConstraint(
                condition=Q(project_name__isnull=True)
                | Q(project_name__regex=PROJECT_NAME_PATTERN) & ~Q(project_name__regex=NUMBER_PATTERN),
                name="dataset_project_name_allowed",
            ),
            models.CheckConstraint(condition=Q(star_count__gte=0), name="dataset_star_count_not_negative"),
        ]

    def __str__(self) -> str:
        return self.identifier

    @property
    def identifier(self) -> str:
        """Return the number as DANDI writes it: six digits."""
        return f"{self.number:06}"

    @property
    def is_released(self) -> bool:
        """Return whether everybody may read the dataset, as everybody may while it is being released."""
        return self.access in RELEASED


class ContactPerson(models.Func):
    """The name of the first contributor in some metadata who is a contact person; "" if there is none."""

    template = (
        "COALESCE(jsonb_path_query_first(%(expressions)s,"
        """ '$.contributor[*] ? (@.roleName[*] == "dcite:ContactPerson").name') #>> '{}', '')"""
    )


# Fields that readers do not see, so that `modified` does not follow them.
UNDATED = frozenset({"doi_state", "doi_reason"})


class VersionQuerySet(models.QuerySet["Version"]):
    """Versions: whatever is changed of what readers see of them, `modified` says when."""

    def update(self, **fields: Any) -> int:
        """Change these fields, and `modified` with them."""
        if fields.keys() - UNDATED:
            fields = {"modified": timezone.now(), **fields}
        return super().update(**fields)


class Version(models.Model):
    """The draft of a dataset, or a point on its timeline that was published and does not change.

    `at` is that point: the version's assets are those introduced by then and not yet retired. `metadata` is the full
    computed form, so that a read only hands it out.
    """

    DRAFT = "draft"

    class Status(models.TextChoices):
        PENDING = "Pending"
        VALIDATING = "Validating"
        VALID = "Valid"
        INVALID = "Invalid"
        PUBLISHING = "Publishing"
        PUBLISHED = "Published"

    class Rules(models.TextChoices):
        """The rules that a version was held to when it was made (`publishing.rules`)."""

        DANDI = "dandi"
        BIDS = "bids"
        DOCUMENTS = "documents"

    class DoiState(models.TextChoices):
        NONE = "none"
        PENDING = "pending"
        REGISTERED = "registered"
        FAILED = "failed"

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="versions")
    version = models.CharField(max_length=13)
    # What its makers call it; and which of the dataset's versions it is, as Postgres counts them. A draft has neither.
    label = models.CharField(max_length=MAX_LABEL, null=True, editable=False)
    ordinal = models.PositiveIntegerField(null=True, editable=False)
    rules = models.CharField(max_length=16, choices=Rules.choices, default=Rules.DANDI, db_default=Rules.DANDI)
    at = models.BigIntegerField(null=True)
    # For those alone who may read its dataset even while that is closed.
    is_closed = models.BooleanField(default=False, db_default=False)
    name = models.CharField(max_length=300)
    metadata = models.JSONField(default=dict)
    contact_person = models.GeneratedField(
        expression=ContactPerson(models.F("metadata")), output_field=models.TextField(), db_persist=True
    )
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    problems = models.JSONField(default=list)
    # What is wrong with a version by the rules that it was held to; None as long as nobody has looked.
    verdict = models.JSONField(null=True, editable=False)
    doi = models.CharField(max_length=64, null=True, blank=True)
    # The state of the DOI at DataCite, and why it is pending or has failed.
    doi_state = models.CharField(max_length=16, choices=DoiState.choices, default=DoiState.NONE)
    doi_reason = models.TextField(blank=True)
    release_notes = models.CharField(max_length=5000, blank=True)
    file_count = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)
    # Not before any change that readers see, those of the validation of assets included: mirrors poll for newer ones.
    # Edits are guarded by the numbers of changes instead, since this changes without an edit.
    modified = models.DateTimeField(auto_now=True)
    # The number of the last change of the draft's files: until the next, lists of them stay as they are.
    files_changed = models.BigIntegerField(default=0, editable=False)

    # Set by some queries (`datasets.queries`): whether the actor has starred the dataset, and whether this is without
    # what tells whose it is, as reviewers get it. What is read from a blinded version is blinded too.
    is_starred: bool
    is_blinded: bool = False

    objects = VersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "version"], name="version_unique"),
            models.UniqueConstraint(fields=["dataset", "label"], name="version_label_unique"),
            models.UniqueConstraint(fields=["dataset", "ordinal"], name="version_ordinal_unique"),
            models.CheckConstraint(
                condition=Q(version="draft", at__isnull=True, label__isnull=True, ordinal__isnull=True)
                | Q(version__regex=r"^0\.\d{6}\.\d{4}$", at__isnull=False),
                name="version_draft_has_no_point",
            ),
            models.CheckConstraint(
                condition=Q(label__isnull=True)
                | ~Q(label="")
                & ~Q(label__iregex=rf"^({'|'.join(RESERVED_LABELS)})$")
                & ~Q(label__regex=VERSION_NAME_PATTERN)
                & ~Q(label__contains="/"),
                name="version_label_allowed",
            ),
            models.CheckConstraint(condition=Q(rules__in=["dandi", "bids", "documents"]), name="version_rules_known"),
            models.CheckConstraint(condition=Q(metadata__has_key="schemaVersion"), name="version_has_schema_version"),
            models.CheckConstraint(
                condition=Q(
                    status__in=["Pending", "Validating", "Valid", "Invalid", "Publishing", "Published"],
                    file_count__gte=0,
                    size__gte=0,
                ),
                name="version_sane",
            ),
        ]
        indexes = [
            models.Index(fields=["dataset", "created"], name="version_by_creation"),
            models.Index(fields=["dataset", "at"], name="version_by_point"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id:06}/{self.version}"

    @property
    def is_draft(self) -> bool:
        return self.version == self.DRAFT

    @property
    def tag(self) -> str:
        """Return the name of the version's tag in git: its label, if it has one."""
        return self.label or self.version

    @property
    def is_shown(self) -> bool:
        """Return whether readers see the version: always if it is a draft, else once it is published in full."""
        return self.is_draft or self.status != self.Status.PUBLISHING


class Star(models.Model):
    """Somebody's star on a dataset."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="stars")
    user = models.ForeignKey(User, models.CASCADE, related_name="stars")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "user"], name="star_once_per_user")]

    def __str__(self) -> str:
        return f"{self.user} stars {self.dataset}"
