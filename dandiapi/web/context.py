"""The context of every template."""

from django.conf import settings
from django.http import HttpRequest


def instance(request: HttpRequest) -> dict[str, str]:
    """Return the name and address of this instance, for every template."""
    return {"instance_name": settings.ARCHIVE_INSTANCE_NAME, "archive_url": settings.ARCHIVE_URL}
