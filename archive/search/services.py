"""Making the index anew."""

from django.db import transaction

from archive.accounts.policy import Action, Actor, require
from archive.bids.models import FileText
from archive.datasets.models import Dataset
from archive.search.models import Document, Facts
from archive.timeline.services import follow_again, follow_newest_again


def clear_caches(*, actor: Actor, dataset: Dataset) -> None:
    """Forget what is kept of a dataset to answer sooner: the texts of its files, and its index, which is made anew."""
    require(actor, Action.MAINTAIN)
    FileText.objects.filter(blob__assets__dataset=dataset).delete()
    rebuild_index(dataset=dataset)


def rebuild_index(*, dataset: Dataset) -> None:
    """Have all that searches read of a dataset made anew; until that is done they do not find it."""
    with transaction.atomic():
        Document.objects.filter(dataset=dataset).delete()
        Facts.objects.filter(dataset=dataset).delete()
        follow_newest_again(dataset.number, "search")
        follow_again(dataset.number, "facets")
