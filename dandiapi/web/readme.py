"""The README of a version."""

from contextlib import suppress
from dataclasses import dataclass

from django.core.cache import cache
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from redis.exceptions import RedisError

from archive.assets.models import Asset
from archive.assets.queries import find_readme, read_readme
from archive.datasets.models import Version
from archive.errors import BusyError
from dandiapi.web.text import render_markdown

REMEMBERED_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Readme:
    """The README of a version: its path, and its text as HTML."""

    path: str
    html: SafeString


def readme_of(version: Version) -> Readme | None:
    """Return the version's README; None if it has none, or if the object store is away."""
    asset = find_readme(version)
    if asset is None:
        return None
    # A blob never changes, and rendering a long text takes a second.
    name = f"readme:{version.dataset_id}:{version.version}:{asset.blob_id}:{asset.path}"
    with suppress(RedisError):
        if known := cache.get(name):
            return Readme(asset.path, mark_safe(known))  # noqa: S308 - it was safe when it was remembered
    with suppress(BusyError):
        return _rendered(version, asset, name)
    return None


def _rendered(version: Version, asset: Asset, name: str) -> Readme:
    files = reverse("files", args=[version.dataset.identifier, version.version])
    html = render_markdown(read_readme(asset), keep_lines=not asset.path.endswith(".md"), files=f"{files}/")
    with suppress(RedisError):
        cache.set(name, html, REMEMBERED_SECONDS)
    return Readme(asset.path, html)
