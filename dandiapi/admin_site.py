"""The admin as a whole: people come in by the one sign-in that there is.

Its pages are in `dandiapi/admin/`, which registers them here as it is imported.
"""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe


class ArchiveAdminSite(AdminSite):
    """The admin site, which takes no passwords itself: they are limited, or not taken at all, in one place."""

    @method_decorator([require_safe, secure_admin_login])
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead staff to the admin; who is not signed in, to where they do so; others are refused."""
        return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
