"""Finding upload sessions, for those who began them."""

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta

from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from archive.accounts.policy import Actor
from archive.datasets.models import Dataset
from archive.errors import NotFoundError
from archive.uploads.models import UploadSession

# A session that nobody touches for so long ends.
AGE = timedelta(days=7)


def find_session(actor: Actor, name: str, *, dataset: Dataset | None = None) -> UploadSession:
    """Return the actor's session of that name (for the dataset): the last that goes on, or else that was finished."""
    sessions = _sessions_of(actor).filter(name=name)
    if dataset is not None:
        sessions = sessions.filter(dataset=dataset)
    found = sessions.select_related("dataset").order_by(F("finished").desc(nulls_first=True), "-modified").first()
    if found is None:
        raise NotFoundError("There is no such upload: prepare it first.")
    return found


def pending_sessions(actor: Actor, datasets: Collection[Dataset]) -> dict[Dataset, list[UploadSession]]:
    """Return the actor's sessions that go on, for each of the datasets, each with the `size` that has come."""
    by_number = {dataset.pk: dataset for dataset in datasets}
    found: dict[Dataset, list[UploadSession]] = defaultdict(list)
    sessions = _sessions_of(actor).filter(dataset__in=by_number, finished=None)
    for session in sessions.annotate(size=Sum("files__size", default=0)).order_by("created"):
        found[by_number[session.dataset_id]].append(session)
    return found


def _sessions_of(actor: Actor) -> QuerySet[UploadSession]:
    sessions = UploadSession.objects.filter(user=actor.user_id) if actor.user else UploadSession.objects.none()
    return sessions if actor.only_dataset is None else sessions.filter(dataset=actor.only_dataset)


def stale_sessions() -> QuerySet[UploadSession]:
    """Return the sessions that nobody has touched for long."""
    return UploadSession.objects.filter(modified__lt=timezone.now() - AGE)
