"""Assets, nested and flat, folders, downloads (docs/dialects/dandi.md#assets, docs/dialects/dandi.md#folders)."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from rest_framework.request import Request

from archive.accounts.policy import Action, require
from archive.assets import queries, services
from archive.assets.models import Asset
from archive.assets.queries import AssetDocuments, Filter
from archive.bids_validation.queries import issues_of_file
from archive.datasets.services import require_draft
from archive.errors import NotFoundError
from archive.paths import name_of
from archive.storage.queries import sign_read
from dandiapi.auth import Anyone, ApprovedOrReadOnly
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.answers import Answer, Empty
from dandiapi.rest.base import View
from dandiapi.rest.bids import AssetValidation, bids_issue
from dandiapi.rest.conditions import answer, require_edition
from dandiapi.rest.operations import documented
from dandiapi.rest.pages import Page
from dandiapi.rest.render import ASSET, ROWS

READ = {401: outputs.Detail, 403: outputs.Detail, 404: outputs.Detail}
TAGGED = {304: None, **READ}
WRITE = {400: outputs.ERRORS, 405: str, 409: str, 412: str, **READ}
DOWNLOAD: dict[Any, Any] = {(200, "text/html"): str, 302: None, 400: outputs.ERRORS, **READ}


class NestedView(View):
    """Assets of one version of one dataset."""

    permission_classes = [ApprovedOrReadOnly]
    body_limit = ASSET

    def may_change_draft(self) -> None:
        """Raise unless the actor may change the version, and it is the draft."""
        require(self.actor, Action.CHANGE_DRAFT, self.dataset)
        require_draft(self.version)

    def may_change_asset(self) -> None:
        """Raise as `may_change_draft` does, or if the asset that `If-Match` is about does not exist any more."""
        self.may_change_draft()
        is_there = queries.live_assets(self.dataset).filter(asset_id=self.asset_id).exists()
        require_edition(self.request, self.asset_id.hex if is_there else None)

    def rendered(self, asset: Asset) -> Answer[outputs.Asset] | Empty:
        """Return an asset with its metadata."""
        documents = AssetDocuments(self.dataset, reader=self.actor)
        content = shapes.asset(asset, documents, of_version=not self.version.is_draft)
        return answer(self.request, content, edition=asset.asset_id.hex)


class AssetsView(NestedView):
    """The assets of a version."""

    @documented(
        {400: outputs.ERRORS, **READ},
        operation_id="dandisets_versions_assets_list",
        parameters=[inputs.AssetsQuery, *outputs.PAGE_PARAMETERS],
    )
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.LazyPageOf[outputs.AssetRow]]:
        """Return a page of the version's assets; only the first page says how many there are in all."""
        query = self.query(inputs.AssetsQuery).validated_data
        wanted = Filter(path=query["path"], glob=query["glob"], only_zarr=query["zarr"])
        order: queries.Order = query["order"] or "created"

        def rows(offset: int, limit: int) -> list[outputs.AssetRow]:
            of_version = not self.version.is_draft
            if not query["metadata"]:
                brief = queries.page_of_brief_assets(self.version, wanted, order=order, offset=offset, limit=limit)
                return [shapes.asset_row(asset, of_version=of_version) for asset in brief]
            found = queries.page_of_assets(self.version, wanted, order=order, offset=offset, limit=limit)
            documents = AssetDocuments(self.dataset, reader=self.actor)
            return [shapes.asset_row_with_metadata(asset, documents, of_version=of_version) for asset in found]

        return Page.of(request).lazy_answer(count=lambda: queries.count_assets(self.version, wanted), fetch=rows)

    @documented(WRITE, request=inputs.NewAsset)
    def post(self, request: Request, **kwargs: str) -> Answer[outputs.Asset]:
        """Add an asset to the draft, and return it with its metadata."""
        self.may_change_draft()
        content = self.body(inputs.NewAsset).validated_data
        asset = services.add_asset(
            actor=self.actor,
            dataset=self.dataset,
            blob_id=content.get("blob_id"),
            zarr_id=content.get("zarr_id"),
            metadata=content["metadata"],
        )
        return Answer(shapes.asset(asset, AssetDocuments(self.dataset, reader=self.actor, of_draft_only=True)))


class BatchView(NestedView):
    """Many files of a draft at once."""

    body_limit = ROWS

    @documented(WRITE, request=inputs.Batch)
    def post(self, request: Request, **kwargs: str) -> Answer[outputs.BatchTaken]:
        """Put and remove files as one change, or not at all, and return the change; sent again, it is the same."""
        self.may_change_draft()
        wanted = self.body(inputs.Batch).validated_data
        put = [services.BatchFile(**file) for file in wanted["put"]]
        change = services.take_batch(
            actor=self.actor, dataset=self.dataset, put=put, remove=wanted["remove"], key=wanted["key"]
        )
        return Answer(shapes.batch_taken(change))


class AssetView(NestedView):
    """One asset of a version."""

    @documented(TAGGED)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.Document] | Empty:
        """Return the asset's metadata document."""
        documents = AssetDocuments(self.dataset, reader=self.actor)
        document = documents.document(queries.find_asset(self.version, self.asset_id))
        return answer(request, document, edition=self.asset_id.hex)

    @documented(WRITE, request=inputs.NewAsset)
    def put(self, request: Request, **kwargs: str) -> Answer[outputs.Asset] | Empty:
        """Replace the asset in the draft, and return the new one, which has a new id unless nothing has changed."""
        self.may_change_asset()
        content = self.body(inputs.NewAsset).validated_data
        asset = services.replace_asset(
            actor=self.actor,
            dataset=self.dataset,
            asset_id=self.asset_id,
            blob_id=content.get("blob_id"),
            zarr_id=content.get("zarr_id"),
            metadata=content["metadata"],
        )
        return self.rendered(asset)

    @documented({204: None, **WRITE})
    def delete(self, request: Request, **kwargs: str) -> Empty:
        """Remove the asset from the draft."""
        self.may_change_asset()
        services.remove_asset(actor=self.actor, dataset=self.dataset, asset_id=self.asset_id)
        return Empty(204)


class AssetInfoView(NestedView):
    """One asset of a version, with its metadata."""

    @documented(TAGGED)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.Asset] | Empty:
        """Return the asset with its metadata."""
        return self.rendered(queries.find_asset(self.version, self.asset_id))


class AssetValidationView(NestedView):
    """The validation of an asset."""

    @documented(READ)
    def get(self, request: Request, **kwargs: str) -> Answer[AssetValidation]:
        """Return whether the asset is valid, and if not, why."""
        asset = queries.find_asset(self.version, self.asset_id)
        issues = [bids_issue(each) for each in issues_of_file(self.actor, self.version, asset.path)]
        return Answer({"status": asset.status, "validation_errors": asset.problems, "bids_issues": issues})


class AssetDownloadView(NestedView):
    """The bytes of an asset of a version."""

    @documented(DOWNLOAD, parameters=[inputs.DownloadQuery])
    def get(self, request: Request, **kwargs: str) -> HttpResponse:
        """Redirect to the bytes of the asset; return a page that plays them if they are a video to be shown inline."""
        return _download(self, queries.find_asset(self.version, self.asset_id))


class PathsView(NestedView):
    """The content of a folder of a version."""

    @documented({400: outputs.ERRORS, **READ}, parameters=[inputs.PathsQuery, *outputs.PAGE_PARAMETERS])
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.PageOf[outputs.Path]]:
        """Return a page of the folder's files and folders, in byte order, with the sums over each."""
        path = self.query(inputs.PathsQuery).validated_data["path_prefix"].rstrip("/")
        folder = queries.find_folder(self.version, path)
        if folder is None and path:
            raise NotFoundError("Specified path not found.")

        def entries(offset: int, limit: int) -> Iterable[outputs.Path]:
            found = queries.page_of_children(self.version, path, offset=offset, limit=limit)
            return shapes.children(found, self.version)

        return Page.of(request).answer(count=folder.child_count if folder else 0, fetch=entries)


class FlatView(View):
    """An asset by its id alone."""

    permission_classes = [Anyone]

    def asset(self) -> Asset:
        """Return the asset in the address, if the actor may read its dataset."""
        return queries.find_asset_anywhere(self.actor, self.asset_id)


class FlatAssetView(FlatView):
    """An asset's metadata."""

    @documented(TAGGED)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.Document] | Empty:
        """Return the asset's metadata document, whichever dataset it is in."""
        asset = self.asset()
        document = AssetDocuments(asset.dataset, reader=self.actor).document(asset)
        return answer(request, document, edition=self.asset_id.hex)


class FlatAssetInfoView(FlatView):
    """An asset with its metadata."""

    @documented(TAGGED)
    def get(self, request: Request, **kwargs: str) -> Answer[outputs.Asset] | Empty:
        """Return the asset with its metadata, whichever dataset it is in."""
        asset = self.asset()
        content = shapes.asset(asset, AssetDocuments(asset.dataset, reader=self.actor))
        return answer(request, content, edition=self.asset_id.hex)


class FlatAssetDownloadView(FlatView):
    """The bytes of an asset."""

    @documented(DOWNLOAD, parameters=[inputs.DownloadQuery])
    def get(self, request: Request, **kwargs: str) -> HttpResponse:
        """Redirect to the bytes of the asset; return a page that plays them if they are a video to be shown inline."""
        return _download(self, self.asset())


def _download(view: View, asset: Asset) -> HttpResponse:
    inline = view.query(inputs.DownloadQuery).validated_data["content_disposition"] == "inline"
    content_type = queries.declared_media_type(asset) if inline else None
    is_played = content_type is not None and content_type.startswith("video/")
    url = sign_read(
        queries.blob_of(asset).key,
        # The page that plays a video reads it by GET, whatever the page itself is asked for by.
        method="GET" if is_played else str(view.request.method),
        filename=name_of(asset.path),
        inline=inline,
        content_type=content_type,
    )
    return _player(url) if is_played else HttpResponseRedirect(url)


def _player(url: str) -> HttpResponse:
    """Return a page that plays a video: a browser that is redirected to the bytes may only save them."""
    page = format_html('<!doctype html><title>Video</title><video autoplay muted controls src="{}"></video>', url)
    store = urlsplit(url)
    policy = f"default-src 'none'; media-src {store.scheme}://{store.netloc}; frame-ancestors 'none'"
    return HttpResponse(page, headers={"Content-Security-Policy": policy})
