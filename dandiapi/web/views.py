"""The pages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from math import inf
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.accounts.models import User
from archive.accounts.policy import Action, Actor, may, require
from archive.accounts.queries import owners_seen_by, tokens_of
from archive.accounts.services import create_own_token, revoke_token
from archive.assets.queries import Child, declared_media_type, find_asset_at, find_folder, page_of_children
from archive.bids_validation.queries import find_verdict
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import (
    DatasetFilter,
    VersionOrder,
    archive_totals,
    find_dataset,
    find_version,
    has_star,
    latest_of,
    latest_versions,
    page_of,
    page_of_versions,
)
from archive.datasets.services import set_star
from archive.errors import InvalidError, NotFoundError
from archive.paths import ancestors, name_of
from archive.publishing.queries import draft_state, obstacle_to_publishing, problems_of_draft
from archive.publishing.services import publish
from archive.search.queries import search_datasets
from dandiapi.auth import Anyone, Approved, SignedIn
from dandiapi.credentials import actor_by_session
from dandiapi.web.about import about
from dandiapi.web.access import open_to
from dandiapi.web.differences import suggested_notes
from dandiapi.web.forms import TokenForm
from dandiapi.web.next_page import next_page
from dandiapi.web.paging import Page, number_asked_for
from dandiapi.web.problems import ShownProblem, in_words
from dandiapi.web.readme import readme_of
from dandiapi.web.repository import clone_of
from dandiapi.web.state import STATES, state_of_version
from dandiapi.web.text import remembered_markdown

DATASETS_PER_PAGE = 20
FILES_PER_PAGE = 100
VERSIONS_SHOWN = 50
PROBLEMS_SHOWN = 100
DESCRIPTION_CHARACTERS = 10_000


# --- Lists of datasets ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A dataset in a list."""

    dataset: Dataset
    draft: Version
    published: Version | None
    is_starred: bool

    @property
    def shown(self) -> Version:
        """Return the version that stands for the dataset."""
        return self.published or self.draft


@require_safe
@open_to(Anyone)
def home(request: HttpRequest) -> HttpResponse:
    """Show what the archive is, with its open datasets, those that a search finds, or what is wrong with the search."""
    search = request.GET.get("search", "").strip()
    facts = {"search": search, "totals": archive_totals()}
    try:
        listed = _listed(request, DatasetFilter(ordering="-id"), search)
    except InvalidError as error:
        return render(request, "home.html", {**facts, "wrong": error.message}, status=HTTPStatus.BAD_REQUEST)
    return render(request, "home.html", {**facts, **listed})


@require_safe
@open_to(SignedIn)
def own_datasets(request: HttpRequest) -> HttpResponse:
    """List the datasets that the user owns."""
    wanted = DatasetFilter(mine=True, embargoed=True, ordering="-id")
    return render(request, "datasets.html", {**_listed(request, wanted), "title": "My datasets"})


@require_safe
@open_to(SignedIn)
def starred_datasets(request: HttpRequest) -> HttpResponse:
    """List the datasets that the user has starred."""
    wanted = DatasetFilter(starred=True, embargoed=True)
    return render(request, "datasets.html", {**_listed(request, wanted), "title": "Starred datasets"})


def _listed(request: HttpRequest, wanted: DatasetFilter, search: str = "") -> dict[str, Any]:
    actor = actor_by_session(request)
    start = (number_asked_for(request) - 1) * DATASETS_PER_PAGE
    found = page_of(search_datasets(actor, wanted, search), start, DATASETS_PER_PAGE)
    page = Page.of(request, count=found.count, size=DATASETS_PER_PAGE)
    return {"page": page, "rows": list(_rows(actor, found.datasets))}


def _rows(actor: Actor, datasets: Sequence[Dataset]) -> Iterator[Row]:
    versions = latest_versions(actor, datasets)
    for dataset in datasets:
        if dataset.number in versions:
            yield Row(dataset, *versions[dataset.number])


# --- One dataset ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ListedVersion:
    """A version in the list of all, on the page of one of them."""

    version: Version
    shown: Version

    @property
    def is_shown(self) -> bool:
        return self.version.pk == self.shown.pk

    @property
    def in_time(self) -> list[Version]:
        """Return this version and the one that is shown, the older first; a draft is newer than all."""
        return sorted([self.version, self.shown], key=lambda one: inf if one.at is None else one.at)


@require_safe
@open_to(Anyone)
def newest_version(request: HttpRequest, identifier: str) -> HttpResponse:
    """Show the newest published version of a dataset, or the draft if there is none."""
    actor = actor_by_session(request)
    dataset = find_dataset(actor, int(identifier))
    latest = latest_of(actor, dataset)
    return _version_page(request, actor, dataset.number, (latest.published or latest.draft).version)


@require_safe
@open_to(Anyone)
def version(request: HttpRequest, identifier: str, name: str) -> HttpResponse:
    """Show one version of a dataset."""
    return _version_page(request, actor_by_session(request), int(identifier), name)


def _version_page(request: HttpRequest, actor: Actor, number: int, name: str) -> HttpResponse:
    version = find_version(actor, number, name)
    dataset = version.dataset
    versions = page_of_versions(actor, dataset, limit=VERSIONS_SHOWN, order=VersionOrder.BY_PUBLICATION)
    newest = next((one for one in versions if not one.is_draft), None)
    description = version.metadata.get("description")
    facts = {
        "dataset": dataset,
        "version": version,
        "metadata": version.metadata,
        "about": about(version.metadata),
        "description": remembered_markdown(description[:DESCRIPTION_CHARACTERS])
        if isinstance(description, str)
        else "",
        "readme": readme_of(version),
        "clone": clone_of(actor, dataset, version),
        "versions": [ListedVersion(one, version) for one in versions],
        "newest": newest,
        "owners": [owner for owner in owners_seen_by(actor, dataset) if not owner.is_invited],
        "is_starred": has_star(actor, dataset),
        "may_star": may(actor, Action.STAR),
        "bids": find_verdict(actor, version),
        **_standing(actor, version, newest),
    }
    return render(request, "version.html", facts)


def _standing(actor: Actor, version: Version, newest: Version | None) -> dict[str, Any]:
    """Return the state of a version; of a draft also its problems, and what publishers need to know."""
    if not version.is_draft:
        return {"state": state_of_version(version)}
    state = draft_state(version)
    # Only the problems that are shown are put into words.
    known = problems_of_draft(version)
    problems = list(islice(_in_words(version, known), PROBLEMS_SHOWN))
    may_publish, obstacle = may(actor, Action.PUBLISH, version.dataset), obstacle_to_publishing(version, state)
    return {
        "state": STATES[state],
        "problems": problems,
        "problem_count": max(len(known), len(problems)),
        "may_publish": may_publish,
        "obstacle": obstacle.message if obstacle else "",
        "suggested_notes": suggested_notes(actor, version.dataset, newest) if may_publish and not obstacle else "",
    }


def _in_words(draft: Version, problems: Iterable[Mapping[str, str]]) -> Iterator[ShownProblem]:
    for problem in problems:
        yield from in_words(problem, None if "path" in problem else draft.metadata)


@require_POST
@open_to(Approved)
def publish_draft(request: HttpRequest, identifier: str) -> HttpResponse:
    """Publish the draft as it is now."""
    actor = actor_by_session(request)
    dataset = find_dataset(actor, int(identifier))
    publish(actor=actor, dataset=dataset, release_notes=request.POST.get("release_notes", "").strip())
    messages.success(request, "Publishing has begun. The new version will be here in a moment.")
    return redirect("version", identifier, Version.DRAFT)


@require_POST
@open_to(Approved)
def star(request: HttpRequest, identifier: str) -> HttpResponse:
    """Give the user's star, or take it back, and return to the page that the user came from."""
    actor = actor_by_session(request)
    set_star(actor=actor, dataset=find_dataset(actor, int(identifier)), starred=request.POST.get("starred") == "yes")
    return redirect(next_page(request, otherwise=reverse("dataset", args=[identifier])))


# --- Files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A file or folder in the file browser."""

    child: Child

    @property
    def name(self) -> str:
        return name_of(self.child.path)

    @property
    def is_folder(self) -> bool:
        return self.child.asset_id is None


@require_safe
@open_to(Anyone)
def files(request: HttpRequest, identifier: str, name: str) -> HttpResponse:
    """List what is in a folder of a version."""
    version = find_version(actor_by_session(request), int(identifier), name)
    location = request.GET.get("location", "").strip("/")
    folder = find_folder(version, location)
    if folder is None and location:
        raise NotFoundError("This version has no such folder.")
    location = folder.path if folder else ""
    page = Page.of(request, count=folder.child_count if folder else 0, size=FILES_PER_PAGE)
    children = page_of_children(version, location, offset=page.start, limit=page.size)
    facts = {
        "dataset": version.dataset,
        "version": version,
        "location": location,
        "folder": folder,
        "folders": _folders_to(location),
        "entries": [Entry(child) for child in children],
        "page": page,
    }
    return render(request, "files.html", facts)


@require_safe
@open_to(Anyone)
def file(request: HttpRequest, identifier: str, name: str, path: str) -> HttpResponse:
    """Redirect to a file or folder by its path, as the README of a version names it."""
    version = find_version(actor_by_session(request), int(identifier), name)
    asset = find_asset_at(version, path)
    if asset is None and find_folder(version, path.strip("/")):
        return redirect(f"{reverse('files', args=[identifier, name])}?{urlencode({'location': path.strip('/')})}")
    if asset is None:
        raise NotFoundError("This version has no such file.")
    if asset.blob_id is None:
        return redirect(f"/api/zarr/{asset.content_id}/files/")
    # A browser shows an SVG as a picture only if it is sent with its type.
    is_picture = (declared_media_type(asset) or "").startswith("image/")
    return redirect(f"/api/assets/{asset.asset_id}/download/{'?content_disposition=inline' if is_picture else ''}")


def _folders_to(location: str) -> list[tuple[str, str]]:
    """Return the path and name of each folder from below the root to the one at `location`."""
    folders = [location, *ancestors(location)]
    return [(folder, name_of(folder)) for folder in reversed(folders) if folder]


# --- Tokens -----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@open_to(SignedIn)
def tokens(request: HttpRequest) -> HttpResponse:
    """List the user's tokens; by POST, make one, whose secret is shown on that page and never again."""
    actor = actor_by_session(request)
    form = TokenForm(request.POST if request.method == "POST" else None)
    secret = _new_secret(actor, form) if form.is_bound else None
    facts = {
        "form": TokenForm() if secret else form,
        "secret": secret,
        "tokens": tokens_of(_user(actor)),
        "may_manage": may(actor, Action.MANAGE_TOKENS),
    }
    return render(request, "tokens.html", facts)


def _new_secret(actor: Actor, form: TokenForm) -> str | None:
    """Make the token that the form asks for, and return its secret; None if the form is invalid and says why."""
    require(actor, Action.MANAGE_TOKENS)
    if not form.is_valid():
        return None
    try:
        _, secret = create_own_token(
            actor=actor, name=form.cleaned_data["name"], scope=form.cleaned_data["scope"], expires=form.expires
        )
    except InvalidError as error:
        form.add_error(error.field, error.message)
        return None
    return secret


@require_POST
@open_to(SignedIn)
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke one of the user's tokens."""
    revoke_token(user=_user(actor_by_session(request)), token_id=token_id)
    messages.success(request, "The token is revoked.")
    return redirect("tokens")


def _user(actor: Actor) -> User:
    """Return the user, on a page that only signed-in users reach."""
    if actor.user is None:
        raise NotFoundError
    return actor.user


# --- For programs that read pages -------------------------------------------------------------------------------------


@require_safe
@open_to(Anyone)
def robots(request: HttpRequest) -> HttpResponse:
    """Show what crawlers may read."""
    return render(request, "robots.txt", content_type="text/plain")


@require_safe
@open_to(Anyone)
def favicon(request: HttpRequest) -> HttpResponse:
    """Redirect to the icon, for browsers that look for it in the usual place."""
    return HttpResponsePermanentRedirect(static("favicon.svg"))
