"""`python -m tests.bench.write_repository 000123`: writes a dataset's repository anew, then after one change of a file.

Prints, as JSON, how long each took, in seconds, and the peak memory of this process and of its largest child, in bytes.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

import django


def main() -> None:
    """Measures it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dandiapi.settings.development")
    django.setup()
    from archive.accounts.policy import Actor
    from archive.assets.services import NewAsset, change_assets
    from archive.datasets.models import Dataset
    from archive.snapshots.models import Bundle, Repository
    from archive.timeline.models import Projection

    dataset = Dataset.objects.get(number=int(sys.argv[1]))
    Projection.objects.filter(dataset_id=dataset.number, name="snapshot").delete()
    Repository.objects.filter(dataset=dataset).delete()
    idle = _resident()
    whole = _written(dataset.number)
    figures = {"whole": whole, "bundle": Bundle.objects.get(repository=dataset.number).size}
    assets = list(dataset.assets.filter(retired=None).select_related("blob").order_by("path")[:2])
    new = NewAsset(assets[0].path, assets[1].blob, assets[0].metadata)
    actor = Actor(dataset.grants.select_related("user")[0].user)
    change_assets(actor=actor, dataset=dataset, add=[new], remove=[new.path])
    figures["change"] = _written(dataset.number)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(json.dumps({**figures, "idle": idle, "peak": peak, "child": child}))


def _written(number: int) -> float:
    """How long it took to bring the repository up to date."""
    from archive.snapshots.models import Repository
    from archive.timeline.queries import position
    from archive.timeline.work.projections import advance_projection

    began = time.perf_counter()
    advance_projection(number, "snapshot")
    duration = time.perf_counter() - began
    if Repository.objects.get(pk=number).at != position(number):
        raise RuntimeError("The repository was not written by this process.")
    return duration


def _resident() -> int:
    """The bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main()
