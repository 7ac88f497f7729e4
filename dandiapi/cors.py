"""Which pages of other origins may do what (contract 1.1.8)."""

from typing import Any

from django.http import HttpRequest
from rest_framework.permissions import SAFE_METHODS


def may_read_from_anywhere(sender: Any, request: HttpRequest, **kwargs: Any) -> bool:
    """Any page may read, and ask whether it may do more; which may, is in the settings."""
    return request.method in SAFE_METHODS
