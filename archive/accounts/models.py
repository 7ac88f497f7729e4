"""User, Questionnaire, Token, Grant, Invitation, ReviewerLink."""

import re
from datetime import datetime
from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

# What the metadata schema takes as a part of a person's name.
NAME_PART = re.compile(r"[\w\s\-.']+")
# What the usernames of accounts begin with that were removed.
REMOVED = "removed-"
ORCID_PATTERN = r"^[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]$"


class User(AbstractUser):
    """A person with an account. The username is the e-mail address they signed up with."""

    class Status(models.TextChoices):
        INCOMPLETE = "INCOMPLETE"
        PENDING = "PENDING"
        APPROVED = "APPROVED"
        REJECTED = "REJECTED"

    # What other programs name them by, whatever they call themselves.
    uuid = models.UUIDField(unique=True, default=uuid4, db_default=RandomUUID(), editable=False)
    # Their ORCID iD, once they have proven that it is theirs by signing in there.
    orcid = models.CharField(max_length=19, null=True, unique=True, editable=False)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.INCOMPLETE)
    # As of their last sign-in, and only if GitHub alone vouches for them (docs/dialects/dandi.md#users).
    github_login = models.CharField(max_length=100, blank=True, editable=False)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("github_login"), condition=~Q(github_login=""), name="user_github_login_unique"
            ),
            models.CheckConstraint(
                condition=Q(orcid__isnull=True) | Q(orcid__regex=ORCID_PATTERN), name="user_orcid_format"
            ),
        ]

    @property
    def is_removed(self) -> bool:
        """Return whether the account was closed for good, and nobody is known to have had it."""
        return self.username == self.name_when_removed

    @property
    def name_when_removed(self) -> str:
        """Return the username of the account once it is removed."""
        return f"{REMOVED}{self.uuid}"

    @property
    def client_username(self) -> str:
        """Return the username that API clients see: the GitHub login if there is one, else the e-mail address.

        Not for strangers, who see the `handle` instead.
        """
        return self.github_login or self.username

    @property
    def has_full_name(self) -> bool:
        """Return whether both first and last name are given, in letters that metadata allow."""
        return all(NAME_PART.fullmatch(part.strip()) for part in (self.first_name, self.last_name))

    @property
    def handle(self) -> str:
        """Return a username that is safe to show to everybody: a number stands in place of an e-mail address."""
        return f"user-{self.pk}" if "@" in self.client_username else self.client_username

    @property
    def display_name(self) -> str:
        """Return a name for people to read that is safe to show to everybody: the full name, else the handle."""
        return self.get_full_name() or self.handle


class Questionnaire(models.Model):
    """A user's answers to the questions of the sign-up, by question."""

    user = models.OneToOneField(User, models.CASCADE, related_name="questionnaire")
    answers = models.JSONField(default=dict)
    modified = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"answers of {self.user}"


class Token(models.Model):
    """A named secret that acts for its user. Only its SHA-256 is kept; the secret is shown once, when it is made.

    But for what DANDI calls the API key, which its web app shows again and again: that is kept sealed as well. Most
    tokens do whatever their user may do. Those that programs are handed for one purpose do no more than that needs
    (`policy.PURPOSES`), most of them in one dataset alone.
    """

    class Scope(models.TextChoices):
        WRITE = "write", "Read and write"
        READ = "read", "Read only"

    class Purpose(models.TextChoices):
        ACCOUNT = "account"
        # The session of a web app, which keeps it in a cookie.
        SESSION = "session"
        UPLOAD = "upload"
        REPOSITORY = "repository"
        # A worker outside of this archive that reports what it has done.
        WORKER = "worker"
        # A program that reads everything, to make an index of it.
        INDEXER = "indexer"

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12)
    sealed = models.CharField(max_length=300, blank=True, editable=False)
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.WRITE)
    purpose = models.CharField(
        max_length=16, choices=Purpose.choices, default=Purpose.ACCOUNT, db_default=Purpose.ACCOUNT, editable=False
    )
    # The one dataset that a token for a purpose is for; None for tokens that are for all of their user's.
    dataset = models.ForeignKey(
        "archive.Dataset", models.CASCADE, null=True, related_name="tokens", editable=False, db_index=False
    )
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, editable=False)
    revoked = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="token_digest_is_sha256"),
            models.CheckConstraint(condition=Q(scope__in=["write", "read"]), name="token_scope_known"),
            models.CheckConstraint(
                condition=Q(purpose__in=["account", "session"], dataset__isnull=True)
                | Q(purpose__in=["upload", "repository"], dataset__isnull=False)
                | Q(purpose="worker")
                | Q(purpose="indexer", dataset__isnull=True, scope="read"),
                name="token_purpose_has_dataset",
            ),
        ]
        indexes = [
            models.Index(fields=["dataset"], condition=Q(dataset__isnull=False), name="token_by_dataset"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}...)"

    def is_valid(self, now: datetime) -> bool:
        """Return whether the token has neither been revoked nor expired."""
        return self.revoked is None and (self.expires is None or self.expires > now)


class Grant(models.Model):
    """A user's role in a dataset."""

    class Role(models.TextChoices):
        OWNER = "owner"
        EDITOR = "editor"
        VIEWER = "viewer"

    dataset = models.ForeignKey("archive.Dataset", models.CASCADE, related_name="grants")
    user = models.ForeignKey(User, models.PROTECT, related_name="grants")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.OWNER)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "user"], name="grant_once_per_user"),
            models.CheckConstraint(condition=Q(role__in=["owner", "editor", "viewer"]), name="grant_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.dataset_id}"


class Invitation(models.Model):
    """A role in a dataset that waits for somebody to prove that they are who is meant; then a Grant takes its place.

    Who is meant has that e-mail address, that ORCID iD, or that name at GitHub, in lower case: `kind` says which.
    """

    class Kind(models.TextChoices):
        ADDRESS = "address"
        ORCID = "orcid"
        NAME = "name"

    dataset = models.ForeignKey("archive.Dataset", models.CASCADE, related_name="invitations")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.ADDRESS, db_default=Kind.ADDRESS)
    # What is meant: the column has the name of the only kind that there was.
    value = models.CharField(max_length=254, db_index=True, db_column="address")
    role = models.CharField(max_length=16, choices=Grant.Role.choices)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "value"], name="invitation_once_per_address"),
            models.CheckConstraint(condition=Q(role__in=["owner", "editor", "viewer"]), name="invitation_role_known"),
            models.CheckConstraint(condition=Q(kind__in=["address", "orcid", "name"]), name="invitation_kind_known"),
            models.CheckConstraint(condition=Q(value=Lower("value")), name="invitation_address_in_lower_case"),
        ]

    def __str__(self) -> str:
        return f"{self.value} is to be {self.role} of {self.dataset_id}"


class ReviewerLink(models.Model):
    """A secret by which anybody reads one dataset, without the names of its people. Only its SHA-256 is kept."""

    dataset = models.ForeignKey("archive.Dataset", models.CASCADE, related_name="reviewer_links")
    label = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12)
    creator = models.ForeignKey(User, models.PROTECT, related_name="reviewer_links")
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    last_used = models.DateTimeField(null=True, editable=False)
    revoked = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="reviewer_link_digest_is_sha256"),
            models.CheckConstraint(condition=Q(expires__gt=F("created")), name="reviewer_link_expires_later"),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.hint}...)"
