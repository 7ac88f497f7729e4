"""Folders and files in the shape that DANDI's WebDAV server reads (docs/dialects/dandi.md#webdav)."""

from typing import Any

from rest_framework.request import Request

from archive.assets import queries
from archive.assets.queries import AssetDocuments
from archive.datasets.models import Version
from archive.datasets.queries import find_version
from archive.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from dandiapi.auth import Anyone
from dandiapi.rest import inputs, outputs, shapes
from dandiapi.rest.answers import Answer
from dandiapi.rest.base import View
from dandiapi.rest.operations import documented
from dandiapi.rest.pages import Page


class AtPathView(View):
    """The content of a version at a path."""

    permission_classes = [Anyone]

    @documented(
        {400: outputs.ERRORS, 401: outputs.Detail, 403: outputs.Detail, 404: outputs.Detail},
        parameters=[inputs.AtPathQuery, *outputs.PAGE_PARAMETERS],
    )
    def get(self, request: Request) -> Answer[outputs.PageOf[outputs.AtPath]]:
        """Return the file at a path; or the folder, but for the root, and, if asked for, a page of what is in it."""
        query = self.query(inputs.AtPathQuery).validated_data
        version = self._version(query["dandiset_id"], query["version_id"])
        asked: str = query["path"]
        path = asked.strip("/")
        page = Page.of(request)
        folder = queries.find_folder(version, path)
        if folder is None and path:
            return page.answer(count=1, fetch=lambda _, __: [self._file(version, asked, query)])
        itself: list[outputs.AtPath] = []
        if folder and path:
            itself.append(shapes.webdav_folder(folder.path, folder.file_count, folder.size))
        children = folder.child_count if folder and query["children"] else 0

        def entries(offset: int, limit: int) -> list[outputs.AtPath]:
            shown = itself[offset : offset + limit]
            return shown + self._children(version, path, query, max(offset - len(itself), 0), limit - len(shown))

        return page.answer(count=len(itself) + children, fetch=entries)

    def _version(self, number: int, version: str) -> Version:
        """Return the version, if the actor may read it; to this client, not to be signed in is to be forbidden."""
        try:
            return find_version(self.actor, number, version, hidden=False)
        except UnauthenticatedError:
            raise ForbiddenError from None

    def _file(self, version: Version, asked: str, query: dict[str, Any]) -> outputs.AssetAtPath:
        asset = queries.find_asset_at(version, asked.strip("/"))
        if asset is None:
            raise NotFoundError(f"Folder or asset not found at {asked}")
        if asked.endswith("/"):
            raise NotFoundError(f"Folder not found at {asked}")
        return shapes.webdav_asset(asset, self._documents(version, query))

    def _documents(self, version: Version, query: dict[str, Any]) -> AssetDocuments | None:
        return AssetDocuments(version.dataset, reader=self.actor) if query["metadata"] else None

    def _children(
        self, version: Version, path: str, query: dict[str, Any], offset: int, limit: int
    ) -> list[outputs.AtPath]:
        if not query["children"] or limit <= 0:
            return []
        children = queries.page_of_children(version, path, offset=offset, limit=limit)
        assets = queries.assets_among(version, children)
        documents = self._documents(version, query)
        return [
            shapes.webdav_asset(assets[child.path], documents)
            if child.asset_id
            else shapes.webdav_folder(child.path, child.file_count, child.size)
            for child in children
        ]
