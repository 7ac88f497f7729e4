"""The progress bar and the arguments that commands share."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet
from tqdm import tqdm

from archive.accounts.policy import SYSTEM
from archive.datasets.models import Dataset
from archive.datasets.queries import visible_datasets
from archive.errors import InvalidError
from archive.identifiers.names import parse_dandiset_number

T = TypeVar("T")


def progress(items: Iterable[T], *, total: int | None = None, unit: str = "it") -> Iterator[T]:
    """Yield the items, and show a progress bar if there is a terminal."""
    yield from tqdm(items, total=total, unit=f" {unit}", disable=None)


def add_dataset_arguments(parser: CommandParser) -> None:
    """Declare the arguments by which a command is about some datasets, or about all."""
    parser.add_argument("identifiers", nargs="*", help="the datasets, as 000123")
    parser.add_argument("--all", action="store_true", help="all datasets")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def chosen_datasets(options: dict[str, Any]) -> QuerySet[Dataset]:
    """Return the datasets that the command line names; CommandError if it names none, or an unknown one."""
    datasets = visible_datasets(SYSTEM).order_by("number")
    if options["all"]:
        return datasets
    if not options["identifiers"]:
        raise CommandError("Name some datasets, or say --all.")
    try:
        numbers = {parse_dandiset_number(identifier) for identifier in options["identifiers"]}
    except InvalidError as error:
        raise CommandError(error.message) from error
    found = datasets.filter(number__in=numbers)
    if missing := numbers - set(found.values_list("number", flat=True)):
        raise CommandError(f"There is no dataset {min(missing):06}.")
    return found
