"""The page for whoever runs the archive: what is not as it should be, and how much garbage there is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from archive.monitor.queries import operations_report
from dandiapi.auth import Staff
from dandiapi.credentials import actor_by_session
from dandiapi.web.access import open_to


@require_safe
@never_cache
@open_to(Staff)
def operations(request: HttpRequest) -> HttpResponse:
    """Show what needs attention, with a link to each thing in the admin."""
    return render(request, "operations.html", {"report": operations_report(actor_by_session(request))})
