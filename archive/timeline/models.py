"""Change (append-only), Projection (what follows the changes), Job (work with an end). See docs/architecture.md."""

import uuid
from typing import Protocol

from django.db import models
from django.db.models import F, Q


class Author(Protocol):
    """The author of a change as the history keeps it: copied into each Change, never a reference."""

    @property
    def user_id(self) -> int | None: ...
    @property
    def token_id(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


class Timeline(models.Model):
    """The head of a dataset's history. The lock on its row makes the writers of one dataset take turns."""

    dataset_id = models.BigIntegerField(primary_key=True)
    number = models.BigIntegerField(default=0)
    changed = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"dataset {self.dataset_id} at {self.number}"


class Change(models.Model):
    """A change of a dataset. Numbers of a dataset run from 1 without a gap.

    Holds no foreign keys: it is the audit record, and must outlive what it tells of. A trigger refuses to update or
    delete a row (migration 0002).
    """

    class Kind(models.TextChoices):
        CREATE_DATASET = "create_dandiset"
        UPDATE_METADATA = "update_metadata"
        CHANGE_OWNERS = "change_owners"
        CHANGE_EDITORS = "change_editors"
        CHANGE_VIEWERS = "change_viewers"
        CREATE_REVIEWER_LINK = "create_reviewer_link"
        REVOKE_REVIEWER_LINK = "revoke_reviewer_link"
        RELEASE = "unembargo_dandiset"
        FINISH_RELEASE = "finish_unembargo"
        ADD_ASSET = "add_asset"
        UPDATE_ASSET = "update_asset"
        REMOVE_ASSET = "remove_asset"
        CHANGE_ASSETS = "change_assets"
        CREATE_ZARR = "create_zarr"
        FINALIZE_ZARR = "finalize_zarr"
        INGEST_ZARR = "ingest_zarr"
        PUBLISH = "publish_dandiset"
        CLOSE_VERSION = "close_version"
        OPEN_VERSION = "open_version"
        DEPRECATE_VERSION = "deprecate_version"
        UNDO_DEPRECATION = "undo_deprecation"
        STATE = "state_about_dandiset"
        DELETE_VERSION = "delete_version"
        DELETE_DATASET = "delete_dandiset"

    dataset_id = models.BigIntegerField()
    number = models.BigIntegerField()
    kind = models.CharField(max_length=32, choices=Kind.choices)
    recorded = models.DateTimeField(auto_now_add=True)
    user_id = models.BigIntegerField(null=True)
    token_id = models.BigIntegerField(null=True)
    author_name = models.CharField(max_length=301)
    author_email = models.CharField(max_length=254, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset_id", "number"], name="change_number_unique"),
            models.CheckConstraint(condition=Q(number__gt=0), name="change_number_positive"),
        ]
        indexes = [models.Index(fields=["recorded", "id"], name="change_by_time")]

    def __str__(self) -> str:
        return f"{self.dataset_id}#{self.number} {self.kind}"


class Projection(models.Model):
    """The progress of something derived from a dataset's history: how far it is, its lease, and its state."""

    class State(models.TextChoices):
        FOLLOWING = "following"
        WAITING = "waiting"
        FAILING = "failing"

    dataset_id = models.BigIntegerField()
    name = models.CharField(max_length=32)
    cursor = models.BigIntegerField(default=0)
    state = models.CharField(max_length=16, choices=State.choices, default=State.FOLLOWING)
    reason = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    # Whether a nudge came while the lease was held.
    nudged = models.BooleanField(default=False)
    advanced = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset_id", "name"], name="projection_unique"),
            models.CheckConstraint(
                condition=Q(lease__isnull=True, leased_until__isnull=True)
                | Q(lease__isnull=False, leased_until__isnull=False),
                name="projection_lease_has_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of dataset {self.dataset_id} at {self.cursor}"


class Job(models.Model):
    """A piece of work that somebody waits for. It always ends, at the latest at its deadline, and says why."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    UNDONE = (State.FAILED, State.CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32)
    dataset_id = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=64, blank=True)
    arguments = models.JSONField(default=dict)
    user_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    step = models.CharField(max_length=64, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    reason = models.TextField(blank=True)
    # The last lines of what happened, as `{"at": ..., "text": ...}`; how many are kept, `work.jobs` says.
    log = models.JSONField(default=list)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt = models.DateTimeField()
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    deadline = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["succeeded", "failed", "cancelled"], ended__isnull=False, lease__isnull=True)
                | Q(state__in=["queued", "running"], ended__isnull=True),
                name="job_ended_has_end",
            ),
            models.CheckConstraint(condition=Q(deadline__gt=F("created")), name="job_deadline_after_creation"),
            # Two requests to do the same thing to the same subject are one piece of work.
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(ended__isnull=True), name="job_open_once_per_subject"
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt"], condition=Q(ended__isnull=True), name="job_open"),
            models.Index(fields=["dataset_id", "-created"], name="job_by_dataset"),
            models.Index(fields=["user_id", "-created"], name="job_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.state}"
