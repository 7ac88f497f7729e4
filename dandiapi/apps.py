"""The Django app of the faces: templates, commands, the admin; no models."""

from importlib import import_module
from typing import Any

from allauth.account.signals import email_confirmed, password_reset
from corsheaders.signals import check_request_enabled
from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest
from rest_framework.permissions import SAFE_METHODS

from dandiapi.faces import is_for_graphql


def reads(sender: Any, request: HttpRequest, **kwargs: Any) -> bool:
    """Return whether a request only reads: pages of any origin may send it (docs/dialects/dandi.md#headers).

    But for those to GraphQL, which says itself who may read its answers.
    """
    return request.method in SAFE_METHODS and not is_for_graphql(request.path_info)


class FacesConfig(AppConfig):
    """The app, which loads Celery in every process, so that tasks are sent to our broker and not to a default one.

    It also tells the domain how faces address what it has, and the packages for CORS and for accounts what to call.
    """

    name = "dandiapi"

    def ready(self) -> None:
        """Load the Celery app, register addresses, and connect the signals of packages."""
        import_module("dandiapi.celery")
        import_module("dandiapi.rest.addresses")
        import_module("dandiapi.web.addresses")
        check_request_enabled.connect(reads)
        # These have models, which are there only now.
        accounts = import_module("dandiapi.accounts")
        email_confirmed.connect(accounts.follow_proof)
        password_reset.connect(accounts.follow_reset)
        user_logged_out.connect(import_module("dandiapi.graphql.sign_in").end_sessions_of)


class ArchiveAdminConfig(admin.AdminConfig):
    """Django's admin, as a site of our own kind."""

    default = False
    default_site = "dandiapi.admin_site.ArchiveAdminSite"
