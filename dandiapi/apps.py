"""The Django app of the faces: templates, commands, the admin; no models."""

from importlib import import_module

from corsheaders.signals import check_request_enabled
from django.apps import AppConfig

from dandiapi.cors import may_read_from_anywhere


class FacesConfig(AppConfig):
    """Loads the Celery app in every process, so that tasks are sent to our broker and not to a default one."""

    name = "dandiapi"

    def ready(self) -> None:
        """Load it; say who may read."""
        import_module("dandiapi.celery")
        check_request_enabled.connect(may_read_from_anywhere)
