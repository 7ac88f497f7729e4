"""What every template knows."""

from django.conf import settings
from django.http import HttpRequest


def instance(request: HttpRequest) -> dict[str, str]:
    """The name and address of this instance."""
    return {"instance_name": settings.ARCHIVE_INSTANCE_NAME, "archive_url": settings.ARCHIVE_URL}
