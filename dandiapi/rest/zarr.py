"""Zarr archives and their files (docs/dialects/dandi.md#zarr-archives)."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from archive.datasets.queries import find_dataset
from archive.errors import InvalidError
from archive.zarr import queries, services
from archive.zarr.queries import ZarrView
from archive.zarr.services import NewEntry
from dandiapi.auth import Anyone, ApprovedOrReadOnly
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.answers import Answer, Empty
from dandiapi.rest.base import View, listed_errors
from dandiapi.rest.operations import documented
from dandiapi.rest.pages import Page
from dandiapi.rest.render import ROWS

READ = {401: outputs.Detail, 404: outputs.Detail}
WRITE = {400: outputs.ERRORS, 403: outputs.Detail, **READ}


class ZarrsView(View):
    """The Zarr archives that may be seen."""

    permission_classes = [ApprovedOrReadOnly]

    @documented(
        {400: outputs.ERRORS, 404: outputs.Detail},
        operation_id="zarr_list",
        parameters=[inputs.ZarrsQuery, *outputs.PAGE_PARAMETERS],
    )
    def get(self, request: Request) -> Answer[outputs.PageOf[outputs.Zarr]]:
        """Return a page of the Zarr archives that the caller may see, oldest first, of a dataset or of a name."""
        query = self.query(inputs.ZarrsQuery).validated_data
        found = queries.visible_zarrs(self.actor)
        if query.get("dandiset") is not None:
            found = found.filter(dataset_id=query["dandiset"])
        if query["name"]:
            found = found.filter(name=query["name"])
        return Page.of(request).answer(
            count=found.order_by().count(),
            fetch=lambda offset, limit: [shapes.zarr(ZarrView(row)) for row in found[offset : offset + limit]],
        )

    @documented(WRITE, request=inputs.NewZarr)
    def post(self, request: Request) -> Answer[outputs.Zarr]:
        """Create an empty Zarr archive in a dataset, and return it."""
        wanted = self.body(inputs.NewZarr).validated_data
        dataset = find_dataset(self.actor, wanted["dandiset"])
        zarr = services.create_zarr(actor=self.actor, dataset=dataset, name=wanted["name"])
        return Answer(shapes.zarr(ZarrView(zarr)))


class OneZarrView(View):
    """One Zarr archive, or one of its revisions."""

    @property
    def zarr_id(self) -> UUID:
        """Return the id of the archive or revision in the address."""
        return UUID(self.kwargs["zarr_id"])


class ZarrDetailView(OneZarrView):
    """One Zarr archive."""

    permission_classes = [Anyone]

    @documented(READ)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.Zarr]:
        """Return the state and the sums of the Zarr archive, or of one of its revisions."""
        return Answer(shapes.zarr(queries.find_view(self.actor, self.zarr_id)))


class FinalizeZarrView(OneZarrView):
    """The end of an upload to a Zarr archive."""

    permission_classes = [ApprovedOrReadOnly]

    @documented({204: None, **WRITE}, request=None)
    def post(self, request: Request, **kwargs: str) -> Empty:
        """Begin to ingest what was uploaded; the archive's status says when that is done."""
        services.finalize(actor=self.actor, zarr_id=self.zarr_id)
        return Empty(204)


class ZarrFilesView(OneZarrView):
    """The files of a Zarr archive."""

    permission_classes = [ApprovedOrReadOnly]
    body_limit = ROWS

    @documented({302: None, 400: outputs.ERRORS, **READ}, parameters=[inputs.ZarrFilesQuery])
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.ZarrFiles] | HttpResponse:
        """Return the files whose paths begin with `prefix`, in byte order, after `after`.

        With `download`, redirect to the bytes of the file at `prefix` instead.
        """
        view = queries.find_view_to_read(self.actor, self.zarr_id)
        query = self.query(inputs.ZarrFilesQuery).validated_data
        prefix, after, limit = query["prefix"].rstrip("/"), query["after"], query["limit"]
        if query["download"]:
            return HttpResponseRedirect(queries.signed_entry_url(view, queries.find_entry(view, prefix), method="GET"))
        services.look_for_arrivals(actor=self.actor, view=view, prefix=prefix, after=after, limit=limit)
        found = queries.page_of_entries(view, prefix=prefix, after=after, limit=limit + 1)
        following = None
        if limit and len(found) > limit:
            following = replace_query_param(request.build_absolute_uri(), "after", found[limit - 1].path)
        return Answer({"next": following, "results": [shapes.zarr_file(entry) for entry in found[:limit]]})

    @documented(exclude=True)
    def head(self, request: Request, **kwargs: str) -> HttpResponse:
        """Redirect to the size and digest of the file at `prefix`; without one, return the head of the list."""
        query = self.query(inputs.ZarrFilesQuery).validated_data
        prefix = query["prefix"].rstrip("/")
        if not prefix and not query["download"]:
            return self.get(request, **kwargs)
        view = queries.find_view_to_read(self.actor, self.zarr_id)
        return HttpResponseRedirect(queries.signed_entry_url(view, queries.find_entry(view, prefix), method="HEAD"))

    @documented(WRITE, request=list[inputs.NewZarrFile])
    def post(self, request: Request, **kwargs: str) -> Answer[list[str]]:
        """Return where to put each file, with a header Content-MD5, in the order of the request.

        Each file is put by one request, so none may have more than 5 GiB: there is no multipart upload for them.
        """
        entries = [NewEntry(path, md5) for path, md5 in _rows(request.data, "path", "base64md5")]
        return Answer(services.announce_entries(actor=self.actor, zarr_id=self.zarr_id, entries=entries))

    @documented({204: None, **WRITE})
    def delete(self, request: Request, **kwargs: str) -> Empty:
        """Delete files of the Zarr archive: all of them, or none if one is not there."""
        paths = [path for (path,) in _rows(request.data, "path")]
        with listed_errors():
            services.delete_entries(actor=self.actor, zarr_id=self.zarr_id, entry_paths=paths)
        return Empty(204)


def _rows(data: Any, *names: str) -> list[tuple[str, ...]]:
    """Return the texts of those names in each object of a list.

    By hand, since a serializer would take a third of a request's time.
    """
    if not isinstance(data, list):
        raise InvalidError("Expected a list of items.", field="non_field_errors")
    faults = [_fault(item, names) for item in data]
    if any(faults):
        raise ValidationError(faults)
    return [tuple(item[name] for name in names) for item in data]


def _fault(item: Any, names: tuple[str, ...]) -> dict[str, list[str]]:
    if not isinstance(item, dict):
        return {"non_field_errors": ["Expected an object."]}
    return {name: ["Must be a string."] for name in names if not isinstance(item.get(name), str)}


class ZarrContentView(OneZarrView):
    """A Zarr archive, or one of its revisions, as a folder that libraries read over HTTP."""

    permission_classes = [Anyone]

    @documented({302: None, **READ})
    def get(self, request: Request, **kwargs: str) -> HttpResponse:
        """Redirect to the bytes of the file at the path."""
        view = queries.find_view_to_read(self.actor, self.zarr_id)
        entry = queries.find_entry(view, self.kwargs["path"])
        return HttpResponseRedirect(queries.entry_url(view, entry, method=str(request.method)))
