"""The one Django app of the domain: one label, one linear chain of migrations."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    """The app, which loads every room's `work`, so that projections and job handlers are registered in each process."""

    name = "archive"
    label = "archive"

    def ready(self) -> None:
        for work in sorted(Path(__file__).parent.glob("*/work.py")):
            module = f"archive.{work.parent.name}.work"
            if find_spec(module):
                import_module(module)
