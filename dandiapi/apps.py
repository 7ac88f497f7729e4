"""The Django app of the faces: templates, commands, the admin; no models."""

from importlib import import_module

from django.apps import AppConfig


class FacesConfig(AppConfig):
    """Loads the Celery app in every process, so that tasks are sent to our broker and not to a default one."""

    name = "dandiapi"

    def ready(self) -> None:
        """Load it."""
        import_module("dandiapi.celery")
