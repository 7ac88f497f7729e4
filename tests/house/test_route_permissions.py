"""Every route says by name who may come in."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, path
from rest_framework.views import APIView

# Where something other than a permission class of ours decides, and what.
EXCEPTIONS = {
    "django.contrib.admin": "the admin site asks for staff at each of its pages",
    "dandiapi.admin_site": "the same site, which leads to where people sign in",
    "dandiapi.admin.people": "one of its pages, about passwords, which asks for administrators",
    "django.contrib.auth.admin": "two of those pages, about people and their passwords",
    "django.contrib.contenttypes.views.shortcut": "one of those pages",
    "allauth": "signing in and out is for people who are not signed in",
    "django.views.generic.base.RedirectView": "leads to a page that decides for itself",
}


class Unguarded(APIView):
    """What DRF sets does not count."""

    __module__ = "dandiapi.planted"


def routes(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry)
        else:
            yield entry


def view_of(route: URLPattern) -> Any:
    return getattr(route.callback, "cls", None) or getattr(route.callback, "view_class", None) or route.callback


def full_name(route: URLPattern) -> str:
    view = view_of(route)
    return f"{view.__module__}.{view.__qualname__}"


def names_its_permission(route: URLPattern) -> bool:
    """Whether the route, its view, or a base class of its view that is ours, sets `permission_classes`."""
    view = view_of(route)
    ours = [base for base in getattr(view, "__mro__", [view]) if base.__module__.startswith("dandiapi.")]
    given: Any = getattr(route.callback, "initkwargs", {})
    return "permission_classes" in given or any("permission_classes" in vars(each) for each in ours)


ROUTES = list(routes())
EXCEPTED = [route for route in ROUTES if full_name(route).startswith(tuple(EXCEPTIONS))]
OURS = [route for route in ROUTES if route not in EXCEPTED]


@pytest.mark.parametrize("route", OURS, ids=full_name)
def test_route_names_its_permission(route: URLPattern) -> None:
    assert names_its_permission(route)


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_exception_is_needed(exception: str) -> None:
    assert [route for route in EXCEPTED if full_name(route).startswith(exception)]


def test_routes_are_all_found() -> None:
    assert {"dandiapi.rest.assets.AssetsView", "dandiapi.rest.uploads.ValidateUploadView"} <= {
        full_name(route) for route in OURS
    }


def test_route_without_a_permission_is_noticed() -> None:
    assert not names_its_permission(path("planted/", Unguarded.as_view()))
