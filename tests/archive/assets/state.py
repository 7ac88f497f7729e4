"""What a version shows, and what it should: sums counted anew from its files."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Model

from archive.assets.models import Asset, Folder, SummaryValue
from archive.assets.queries import assets_of, live_assets
from archive.datasets.models import Dataset, Version
from archive.timeline.models import Change


class Sums(NamedTuple):
    """What a folder says of all that is below it, and how much is directly in it."""

    files: int
    size: int
    children: int


def draft_of(dataset: Dataset) -> Version:
    return dataset.versions.get(version=Version.DRAFT)


def files_of(version: Version) -> dict[str, int]:
    """The size of each file, by path; a path that is there twice would be missed, so it is counted."""
    rows = list(assets_of(version).values_list("path", "size"))
    assert len(rows) == len(dict(rows))
    return dict(rows)


def sums_of(version: Version) -> dict[str, Sums]:
    """What each folder says."""
    rows = list(
        Folder.objects.filter(dataset_id=version.dataset_id)
        .at(version.at)
        .values_list("path", "file_count", "size", "child_count")
    )
    assert len(rows) == len({path for path, *_ in rows})
    return {path: Sums(*sums) for path, *sums in rows}


def recounted(files: Mapping[str, int]) -> dict[str, Sums]:
    """What each folder over these files should say."""
    below: dict[str, list[int]] = defaultdict(list)
    children: dict[str, set[str]] = defaultdict(set)
    for path, size in files.items():
        names = path.split("/")
        for depth in range(len(names)):
            folder = "/".join(names[:depth])
            below[folder].append(size)
            children[folder].add(names[depth])
    return {folder: Sums(len(sizes), sum(sizes), len(children[folder])) for folder, sizes in below.items()}


def counted_values(dataset: Dataset) -> Counter[str]:
    """How many files of the draft contribute each value of its summary, by Postgres's account."""
    rows = SummaryValue.objects.filter(dataset=dataset).exclude(asset_count=0)
    return Counter({_named(row.part, row.value): row.asset_count for row in rows})


def contributed_values(dataset: Dataset) -> Counter[str]:
    """What `counted_values` should be: counted anew, file by file."""
    contributions = live_assets(dataset).exclude(contribution=None).values_list("contribution", flat=True)
    parts = [part for contribution in contributions for part in contribution.items()]
    return Counter(_named(name, value) for name, values in parts for value in values)


def _named(part: str, value: Any) -> str:
    return f"{part}: {json.dumps(value, sort_keys=True)}"


def everything(dataset: Dataset) -> dict[str, list[dict[str, Any]]]:
    """Every row that a change of assets could touch."""
    models: tuple[type[Model], ...] = (Asset, Folder, Change, Version)
    rows = {model.__name__: model._default_manager.filter(dataset_id=dataset.number) for model in models}
    return {name: list(found.order_by("pk").values()) for name, found in rows.items()}
