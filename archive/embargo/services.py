"""Releasing a dataset from its embargo: one row is changed, however many files it has."""

from django.db import transaction

from archive.accounts.policy import Action, Actor, require
from archive.blobs.queries import active_uploads
from archive.datasets.models import Dataset
from archive.datasets.work import hold_draft
from archive.embargo.work import CLOSED, begin_release
from archive.errors import InvalidError, Reason


def release(*, actor: Actor, dataset: Dataset, starts_anew: bool | None = None) -> None:
    """Open a closed dataset: everybody may read it when this returns; its objects in the store follow shortly after.

    `starts_anew` decides what becomes of its history (`begin_release`); `opened_by_release` tells beforehand. Raises
    InvalidError if it is not closed, or uploads for it are under way.
    """
    require(actor, Action.RELEASE, dataset)
    with transaction.atomic():
        if hold_draft(dataset).dataset.access not in CLOSED:
            raise InvalidError("The dataset is not embargoed.", reason=Reason.NOT_EMBARGOED)
        if active_uploads(dataset):
            raise InvalidError("Uploads for it are under way; end them first.", reason=Reason.UPLOADS_UNDER_WAY)
        begin_release(dataset.number, actor, starts_anew=starts_anew)
