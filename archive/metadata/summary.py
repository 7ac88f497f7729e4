"""The assetsSummary of a version, from what each of its assets adds to it (docs/dialects/dandi.md#assets-summary).

The contribution of an asset is a few lists of values, and most assets contribute what others do. So a draft of 100,000
assets is summarised from its few different values, of which the database keeps count, and two sums.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from archive.metadata.queries import schema_info

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

Contribution = dict[str, list[Any]]

# Of longer texts, what is read is not kept: what is kept must not grow beyond a few megabytes.
MAX_KEPT = 4000

# The parts of a summary that are lists in it, and those that it only counts.
LISTED = ("approach", "measurementTechnique", "variableMeasured", "species", "dataStandard")
_COUNTED = ("subjects", "cell", "slice", "tissuesample")

# The parts of an asset's metadata that are read, beside its path and format.
_READ = ("approach", "measurementTechnique", "variableMeasured", "wasAttributedTo", "wasDerivedFrom")


def asset_contribution(metadata: Mapping[str, Any]) -> Contribution:
    """Return what an asset with this (computed) metadata adds to the summary of a version: lists, none empty.

    Takes anything and never raises: a part that cannot be read adds nothing. Equal contributions are equal as JSON.
    They are shared: copy them before you change them.
    """
    try:
        parts = json.dumps({key: metadata[key] for key in _READ if metadata.get(key)})
    except (ValueError, RecursionError):
        return {}
    return _kept(
        _contribution, _telling_part(_text(metadata.get("path"))), _text(metadata.get("encodingFormat")), parts
    )


def _telling_part(path: str) -> str:
    """Return a path that tells the library what the given one does: of a name, only which subject and sample it says.

    The library reads `sub-1_ses-2_run-3.nwb` as `sub-1.nwb`; so many assets, each of its own name, are read as one.
    """
    stem, dot, extensions = path.rpartition("/")[2].partition(".")
    telling = [word for word in stem.split("_") if word.startswith(("sub-", "sample-"))]
    return "_".join(telling) + dot + extensions if telling else path


@lru_cache(1000)
def _contribution(path: str, encoding_format: str, parts_as_json: str) -> Contribution:
    common = {
        "schemaVersion": schema_info().current,
        "contentSize": 0,
        "path": path,
        "encodingFormat": encoding_format,
    }
    parts = json.loads(parts_as_json)
    whole = _read({**common, **parts})
    if whole is not None:
        return _union([whole])
    readings = (_read({**common, key: value}) for key, value in [("path", path), *parts.items()])
    return _union(reading for reading in readings if reading is not None)


@dataclass(frozen=True)
class Contributed:
    """The different values that assets contribute to a part of a summary: how many and, if it is LISTED, which."""

    count: int
    values: Sequence[Any]


_NOTHING = Contributed(0, ())


def assets_summary(parts: Mapping[str, Contributed], *, number_of_files: int, number_of_bytes: int) -> dict[str, Any]:
    """Return the assetsSummary of assets that contribute these parts.

    It is what `dandischema.metadata.aggregate_assets_summary` makes of the same assets, but for the order of lists,
    which is fixed here, and for items that it repeats because they differ in what the summary leaves out.
    """
    counts = {key: parts.get(key, _NOTHING).count for key in _COUNTED}
    lists = {key: _distinct(parts.get(key, _NOTHING).values) for key in LISTED}
    summary = {
        "schemaKey": "AssetsSummary",
        "numberOfBytes": number_of_bytes,
        "numberOfFiles": number_of_files,
        "numberOfSubjects": counts["subjects"] or None,
        "numberOfSamples": counts["tissuesample"] + counts["slice"] or None,
        "numberOfCells": counts["cell"] or None,
        **(lists if number_of_files else {}),
    }
    return {key: value for key, value in summary.items() if value is not None}


def _read(metadata: dict[str, Any]) -> Contribution | None:
    from dandischema.metadata import _add_asset_to_stats

    statistics: dict[str, Any] = {}
    try:
        # The library's own reading of an asset: private, but the only one that is sure to count as the library counts.
        # tests/archive/metadata/test_summary.py holds the result against its public face.
        _add_asset_to_stats(metadata, statistics)
        listed = _kept(_listed, json.dumps({key: statistics[key] for key in LISTED}))
    except Exception:
        return None
    return {**listed, **{key: statistics[key] for key in _COUNTED}}


def _kept(read: "_lru_cache_wrapper[Contribution]", *texts: str) -> Contribution:
    """Return what is read of these texts, and keep it for the next asset that has the same, unless they are long."""
    return read(*texts) if sum(map(len, texts)) <= MAX_KEPT else read.__wrapped__(*texts)


@lru_cache(1000)
def _listed(statistics: str) -> Contribution:
    """Return the lists of a summary by the library's statistics, as JSON: kept, since most assets are like others."""
    from dandischema.models import AssetsSummary

    summary = AssetsSummary(numberOfBytes=0, numberOfFiles=0, **json.loads(statistics))
    listed = summary.model_dump(mode="json", exclude_none=True)
    return {key: listed[key] for key in LISTED}


def _union(contributions: Iterable[Contribution]) -> Contribution:
    """Return the union of lists of the same name, each sorted and without repeats; empty ones are left out."""
    lists: dict[str, list[list[Any]]] = {}
    for contribution in contributions:
        for key, values in contribution.items():
            lists.setdefault(key, []).append(values)
    return {key: _distinct(chain.from_iterable(lists[key])) for key in sorted(lists) if any(lists[key])}


def _distinct(values: Iterable[Any]) -> list[Any]:
    items = [*values]
    if len(items) < 2:
        return items
    return [value for _, value in sorted({json.dumps(value, sort_keys=True): value for value in items}.items())]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
