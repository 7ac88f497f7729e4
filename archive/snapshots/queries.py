"""Finding repositories that the asker may know of."""

import uuid

from archive.accounts.policy import Action, Actor, require
from archive.errors import NotFoundError
from archive.snapshots.models import Repository


def find_repository(actor: Actor, annex_uuid: uuid.UUID) -> Repository:
    """The repository that clones know by that UUID, its dataset with it; NotFoundError if the actor may not know it."""
    repository = Repository.objects.select_related("dataset").filter(annex_uuid=annex_uuid).first()
    if repository is None:
        raise NotFoundError("Not found.")
    require(actor, Action.READ, repository.dataset, hidden=True)
    return repository
