"""Making the index anew."""

from django.db import transaction

from archive.datasets.models import Dataset
from archive.search.models import Document, Facts
from archive.timeline.services import rewind


def rebuild_index(*, dataset: Dataset) -> None:
    """Have all that searches read of a dataset made anew; until that is done they do not find it."""
    with transaction.atomic():
        Document.objects.filter(dataset=dataset).delete()
        Facts.objects.filter(dataset=dataset).delete()
        rewind(dataset.number, "search")
        rewind(dataset.number, "facets", to=0)
