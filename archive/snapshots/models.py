"""Repository."""

import uuid

from django.db import models

from archive.datasets.models import Dataset


class Repository(models.Model):
    """The git-annex repository of a dataset: a projection of its history, and a way in (architecture 6)."""

    dataset = models.OneToOneField(Dataset, models.CASCADE, primary_key=True, related_name="repository")
    # What git-annex knows the archive's copy of the dataset's content by, in every clone.
    annex_uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    def __str__(self) -> str:
        return f"repository of {self.dataset_id:06}"
