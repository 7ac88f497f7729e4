"""The differences between two versions of a dataset."""

from typing import Annotated, Any, TypedDict
from urllib.parse import urlencode
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from archive.differences import Difference, Operation
from archive.publishing.changes import FileChange, FileOperation, FileSums
from archive.publishing.queries import (
    compare_versions,
    drafted_changelog,
    metadata_differences,
    page_of_changes,
    sums_of_changes,
)
from dandiapi.auth import ApprovedOrReadOnly
from dandiapi.rest import outputs
from dandiapi.rest.answers import Answer
from dandiapi.rest.base import View
from dandiapi.rest.operations import documented

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


class DifferenceQuery(serializers.Serializer[Any]):
    """The query for changes of files: those behind a path, at most so many, of one kind."""

    after = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=1024)
    limit = serializers.IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    change = serializers.ChoiceField([str(operation) for operation in FileOperation], required=False)


class ValueDifference(TypedDict):
    """A value in metadata that came, went, or is another; where there is none, it is null."""

    change: Annotated[str, Operation]
    pointer: Annotated[str, "A JSON Pointer."]
    before: Any
    after: Any


class FileTotals(TypedDict):
    """The number of files with one kind of change, and their bytes before and after."""

    count: int
    size_before: int
    size_after: int


class FileDifference(TypedDict):
    """The change of one file."""

    change: Annotated[str, FileOperation]
    path: str
    path_before: str | None
    asset_before: UUID | None
    asset_after: UUID | None
    size_before: int | None
    size_after: int | None
    has_other_bytes: bool
    metadata: list[ValueDifference]


class VersionDifference(TypedDict):
    """The difference from one version to another, with a page of the files."""

    before: str
    after: str
    file_count: int
    size: int
    files: dict[str, FileTotals]
    metadata: list[ValueDifference]
    changelog: str
    next: outputs.URL | None
    results: list[FileDifference]


class DifferenceView(View):
    """The difference of two versions."""

    permission_classes = [ApprovedOrReadOnly]

    @documented(
        {400: outputs.ERRORS, 401: outputs.Detail, 403: outputs.Detail, 404: outputs.Detail},
        parameters=[DifferenceQuery, OpenApiParameter("other", str, "path", description="The later version.")],
    )
    def get(self, request: Request, **kwargs: str) -> Answer[VersionDifference]:
        """Return how `other` differs from the version: sums, metadata, and files by path, page after page."""
        comparison = compare_versions(self.actor, self.number, kwargs["version"], kwargs["other"], hidden=False)
        query = self.query(DifferenceQuery).validated_data
        operations = [FileOperation(query["change"])] if "change" in query else tuple(FileOperation)
        found = page_of_changes(comparison, limit=query["limit"] + 1, after=query["after"], operations=operations)
        page = found[: query["limit"]]
        sums = sums_of_changes(comparison)
        return Answer(
            {
                "before": comparison.before.version,
                "after": comparison.after.version,
                "file_count": comparison.after.file_count - comparison.before.file_count,
                "size": comparison.after.size - comparison.before.size,
                "files": {str(operation): _totals(each) for operation, each in sums.items()},
                "metadata": [_value(each) for each in metadata_differences(comparison)],
                "changelog": drafted_changelog(comparison) if not query["after"] else "",
                "next": self._following(page[-1].path) if len(found) > len(page) else None,
                "results": [_file(each) for each in page],
            }
        )

    def _following(self, path: str) -> str:
        query = self.request.query_params.dict() | {"after": path}
        return self.request.build_absolute_uri(f"{self.request.path}?{urlencode(query)}")


def _totals(sums: FileSums) -> FileTotals:
    return {"count": sums.count, "size_before": sums.size_before, "size_after": sums.size_after}


def _value(difference: Difference) -> ValueDifference:
    return {
        "change": str(difference.operation),
        "pointer": difference.pointer,
        "before": difference.old,
        "after": difference.new,
    }


def _file(change: FileChange) -> FileDifference:
    return {
        "change": str(change.operation),
        "path": change.path,
        "path_before": change.path_before,
        "asset_before": change.asset_before,
        "asset_after": change.asset_after,
        "size_before": change.size_before,
        "size_after": change.size_after,
        "has_other_bytes": change.has_other_bytes,
        "metadata": [_value(each) for each in change.metadata],
    }
