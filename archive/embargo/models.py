"""EmbargoNotice: what owners have been told of the end of an embargo."""

from django.db import models
from django.db.models import Q

from archive.datasets.models import Dataset


class EmbargoNotice(models.Model):
    """The owners of a dataset have been told, `days` days before or later, that its embargo ends on `end`."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="embargo_notices")
    end = models.DateField()
    days = models.PositiveSmallIntegerField()
    sent = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "end", "days"], name="embargo_notice_once"),
            models.CheckConstraint(condition=Q(days__gt=0), name="embargo_notice_is_ahead"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset}: {self.days} days before {self.end}"
