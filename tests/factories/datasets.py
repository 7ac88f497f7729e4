"""Datasets by access."""

from archive.accounts.models import ReviewerLink, User
from archive.accounts.policy import Actor
from archive.datasets.models import Dataset
from archive.datasets.services import Embargo, create_dataset, create_reviewer_link, set_editors, set_viewers
from archive.embargo.services import release
from tests.factories.accounts import acting, make_user
from tests.factories.metadata import valid_dandiset_metadata


def make_dataset(owner: User | None = None, *, name: str = "Mouse vision") -> Dataset:
    """An open, empty dataset whose metadata is valid."""
    return create_dataset(actor=acting(owner or make_user()), name=name, metadata=valid_dandiset_metadata())


def make_embargoed_dataset(owner: User | None = None, *, embargo: Embargo | None = None) -> Dataset:
    """A dataset that only its owners may read."""
    return create_dataset(
        actor=acting(owner or make_user()),
        name="Mouse vision",
        metadata=valid_dandiset_metadata(),
        embargo=embargo or Embargo(),
    )


def make_releasing_dataset(owner: User | None = None) -> Dataset:
    """A dataset that has been released, and whose objects are not open yet."""
    dataset = make_embargoed_dataset(owner)
    start_release(dataset)
    return dataset


def start_release(dataset: Dataset) -> None:
    """Release the dataset, and leave what follows to the worker."""
    release(actor=owner_of(dataset), dataset=dataset)
    dataset.refresh_from_db()


def make_viewer(dataset: Dataset) -> User:
    """The dataset's only viewer."""
    user = make_user()
    set_viewers(actor=owner_of(dataset), dataset=dataset, usernames=[user.username])
    return user


def make_editor(dataset: Dataset) -> User:
    """The dataset's only editor."""
    user = make_user()
    set_editors(actor=owner_of(dataset), dataset=dataset, usernames=[user.username])
    return user


def make_reviewer_link(dataset: Dataset) -> tuple[ReviewerLink, str]:
    """A reviewer link of the dataset, and its secret."""
    return create_reviewer_link(actor=owner_of(dataset), dataset=dataset, label="Reviewer 2")


def owner_of(dataset: Dataset) -> Actor:
    """The first owner of the dataset, acting."""
    return acting(dataset.grants.select_related("user").order_by("pk")[0].user)
