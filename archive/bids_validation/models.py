"""BidsVerdict and BidsTree."""

from django.db import models
from django.db.models import Q

from archive.datasets.models import Version


class BidsVerdict(models.Model):
    """A verdict of the validator on a tree of files; the same for every version, of any dataset, that has this tree."""

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    # The SHA-256 that names the tree (`tree.hash_of`).
    tree = models.CharField(primary_key=True, max_length=64, editable=False)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    # Why there is no verdict, if the validation has failed.
    reason = models.TextField(blank=True)
    validator = models.CharField(max_length=32, blank=True)
    errors = models.PositiveIntegerField(default=0)
    warnings = models.PositiveIntegerField(default=0)
    # Errors first; of very many, not all (`output.MAX_ISSUES`).
    issues = models.JSONField(default=list)
    # The same by their codes (`output.Output.codes`), which is short.
    codes = models.JSONField(default=list, db_default=[])
    code_messages = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)
    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(tree__regex=r"^[0-9a-f]{64}$"), name="bids_verdict_tree_is_sha256"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "done", "failed"]), name="bids_verdict_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tree[:12]}: {self.state}"


class BidsTree(models.Model):
    """The tree of files that a version has; a draft had it when the change `files_changed` was its files' last."""

    version = models.OneToOneField(Version, models.CASCADE, primary_key=True, related_name="bids_tree")
    files_changed = models.BigIntegerField()
    verdict = models.ForeignKey(BidsVerdict, models.RESTRICT, related_name="trees")

    def __str__(self) -> str:
        return f"{self.version}: {self.verdict_id}"
