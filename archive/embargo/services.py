"""Releasing a dataset from its embargo, which is one row."""

from django.db import transaction

from archive.accounts.policy import Action, Actor, require
from archive.blobs.queries import active_uploads
from archive.datasets.models import Dataset
from archive.datasets.services import hold_draft
from archive.embargo.work import begin_release
from archive.errors import InvalidError, Reason


def release(*, actor: Actor, dataset: Dataset) -> None:
    """End the dataset's embargo: everybody may read it when this returns, and its objects become open in time.

    Raises InvalidError when it is not embargoed, or uploads for it are under way.
    """
    require(actor, Action.RELEASE, dataset)
    with transaction.atomic():
        if hold_draft(dataset).dataset.access != Dataset.Access.EMBARGOED:
            raise InvalidError("The dataset is not embargoed.", reason=Reason.NOT_EMBARGOED)
        if active_uploads(dataset):
            raise InvalidError("Uploads for it are under way; end them first.", reason=Reason.UPLOADS_UNDER_WAY)
        begin_release(dataset.number, actor)
