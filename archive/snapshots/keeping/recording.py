"""The rows that record a repository: where its branches are, and which bundles hold their objects."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from archive.snapshots.keeping.bundles import StoredBundle, make_bundle, store_bundle
from archive.snapshots.keeping.cache import opened, scratch, workspace
from archive.snapshots.keeping.git import Beat
from archive.snapshots.models import Bundle, Commit, Repository


class MovedError(Exception):
    """An error for when somebody else has moved a repository's branches, so that what was written is of no use."""


@dataclass(frozen=True)
class Progress:
    """The state that a repository has come to: new commits, and the bundle that holds them."""

    commits: Sequence[Commit]
    stored: StoredBundle
    at: int
    main: str
    annex: str
    unfit: Sequence[str]


def record(before: Repository, progress: Progress) -> Repository:
    """Move the repository's branches to what is in the store, if they are still where they were `before`.

    Raises MovedError if they are not.
    """
    with transaction.atomic():
        written = update(before, at=progress.at, main=progress.main, annex=progress.annex, unfit=list(progress.unfit))
        for commit in progress.commits:
            commit.save()
        Bundle.objects.create(
            repository=written, at=progress.at, main=progress.main, annex=progress.annex, **progress.stored._asdict()
        )
    return written


def update(before: Repository, **updates: object) -> Repository:
    """Update the repository's row and return it, if its branches are still where they were `before`.

    Raises MovedError if they are not.
    """
    same = Repository.objects.filter(
        pk=before.pk, history=before.history, at=before.at, main=before.main, annex=before.annex
    )
    if not same.update(**updates):
        raise MovedError
    return Repository.objects.select_related("dataset").get(pk=before.pk)


def latest_left_out(repository: Repository) -> list[int]:
    """Return the assets that the newest commit of `main` lacks, because their SHA-256 could not be computed."""
    newest = repository.commits.order_by("pk").last()
    return newest.left_out if newest else []


def merge_bundles(repository: Repository, beat: Beat) -> None:
    """Put one bundle in the place of all that a repository has. The sweep removes those, when nobody reads them."""
    bundles = list(Bundle.objects.filter(repository=repository).order_by("pk"))
    newest = bundles[-1]
    with opened(repository, beat) as base, workspace(base) as space, scratch() as folder:
        file = folder / "bundle"
        make_bundle(file, folder=space, main=newest.main, annex=newest.annex, without=[], beat=beat)
        replace_bundles(repository, bundles, store_bundle(file, beat))


def replace_bundles(repository: Repository, old: Sequence[Bundle], stored: StoredBundle) -> None:
    """Put a stored bundle, which has all that the `old` ones have, in their place; MovedError if somebody has."""
    newest = old[-1]
    with transaction.atomic():
        Repository.objects.select_for_update().filter(pk=repository.pk, history=repository.history).first()
        merged = Bundle.objects.filter(pk__in=[bundle.pk for bundle in old])
        if merged.delete()[0] != len(old):
            raise MovedError
        # It keeps its place before those that were added meanwhile.
        Bundle.objects.create(
            pk=newest.pk,
            repository=repository,
            at=newest.at,
            main=newest.main,
            annex=newest.annex,
            **stored._asdict(),
        )
