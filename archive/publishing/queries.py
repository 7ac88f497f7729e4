"""Where manifests lie, and what keeps a draft from being published."""

from django.db.models import F, Func

from archive.assets.models import Asset
from archive.assets.queries import live_assets
from archive.datasets.models import Dataset, Version
from archive.storage.queries import public_url

PROBLEM_ASSETS = 50


def manifest_key(version: Version, name: str) -> str:
    """The key of one manifest file of a version (contract 2.8)."""
    return f"dandisets/{version.dataset_id:06}/{version.version}/{name}"


def manifest_url(version: Version, name: str) -> str:
    """Where that file is read."""
    return public_url(manifest_key(version, name))


def has_unsettled_assets(dataset: Dataset, status: Asset.Status) -> bool:
    """Whether an asset of the draft is pending, or is invalid."""
    return live_assets(dataset).filter(status=status).exists()


def asset_problems(version: Version) -> list[dict[str, str]]:
    """What is wrong, or not yet known to be right, with the assets of a draft; nothing is with a published version's.

    Of at most PROBLEM_ASSETS assets each: those pending, and those invalid that have the most errors (contract 2.6).
    """
    if not version.is_draft:
        return []
    live = Asset.objects.filter(dataset_id=version.dataset_id, retired__isnull=True)
    pending = live.filter(status=Asset.Status.PENDING).order_by("id").values_list("path", flat=True)[:PROBLEM_ASSETS]
    invalid = (
        live.filter(status=Asset.Status.INVALID)
        .order_by(Func(F("problems"), function="jsonb_array_length").desc(), "id")
        .values_list("path", "problems")[:PROBLEM_ASSETS]
    )
    waiting = "asset is currently being validated, please wait."
    return [
        *({"field": "", "message": waiting, "path": path} for path in pending),
        *({**problem, "path": path} for path, problems in invalid for problem in problems),
    ]
