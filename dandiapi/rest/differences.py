"""What differs between two versions of a dataset."""

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from archive.differences import Difference, Operation
from archive.publishing.queries import (
    FileChange,
    FileOperation,
    FileSums,
    compare_versions,
    drafted_changelog,
    metadata_differences,
    page_of_changes,
    sums_of_changes,
)
from dandiapi.auth import ApprovedOrReadOnly
from dandiapi.rest import outputs
from dandiapi.rest.base import View

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


class DifferenceQuery(serializers.Serializer[Any]):
    """Which changes of files are asked for: those behind a path, at most so many, of one kind."""

    after = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=1024)
    limit = serializers.IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    change = serializers.ChoiceField([str(operation) for operation in FileOperation], required=False)


class ValueDifference(serializers.Serializer[Any]):
    """A value in metadata that came, went, or is another; `pointer` is a JSON Pointer. Where there is none is null."""

    change = serializers.ChoiceField([str(operation) for operation in Operation])
    pointer = serializers.CharField(allow_blank=True)
    before = serializers.JSONField()
    after = serializers.JSONField()


class FileTotals(serializers.Serializer[Any]):
    """How many files, and their bytes before and after."""

    count = serializers.IntegerField()
    size_before = serializers.IntegerField()
    size_after = serializers.IntegerField()


class FileDifference(serializers.Serializer[Any]):
    """What has happened to one file."""

    change = serializers.ChoiceField([str(operation) for operation in FileOperation])
    path = serializers.CharField()
    path_before = serializers.CharField(allow_null=True)
    asset_before = serializers.UUIDField(allow_null=True)
    asset_after = serializers.UUIDField(allow_null=True)
    size_before = serializers.IntegerField(allow_null=True)
    size_after = serializers.IntegerField(allow_null=True)
    has_other_bytes = serializers.BooleanField()
    metadata = ValueDifference(many=True)


class VersionDifference(serializers.Serializer[Any]):
    """What differs from one version to another, and a page of the files."""

    before = serializers.CharField()
    after = serializers.CharField()
    file_count = serializers.IntegerField()
    size = serializers.IntegerField()
    files = serializers.DictField(child=FileTotals())
    metadata = ValueDifference(many=True)
    changelog = serializers.CharField(allow_blank=True)
    next = serializers.URLField(allow_null=True)
    results = FileDifference(many=True)


class DifferenceView(View):
    """The difference of two versions."""

    permission_classes = [ApprovedOrReadOnly]

    @extend_schema(
        parameters=[DifferenceQuery, OpenApiParameter("other", str, "path", description="The later version.")],
        responses={
            200: VersionDifference,
            400: outputs.ERRORS,
            401: outputs.Detail,
            403: outputs.Detail,
            404: outputs.Detail,
        },
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        """How `other` differs from the version: sums, metadata, and files by path, page after page."""
        comparison = compare_versions(self.actor, self.number, kwargs["version"], kwargs["other"], hidden=False)
        query = self.query(DifferenceQuery).validated_data
        operations = [FileOperation(query["change"])] if "change" in query else tuple(FileOperation)
        found = page_of_changes(comparison, limit=query["limit"] + 1, after=query["after"], operations=operations)
        page = found[: query["limit"]]
        sums = sums_of_changes(comparison)
        return Response(
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


def _totals(sums: FileSums) -> dict[str, int]:
    return asdict(sums)


def _value(difference: Difference) -> dict[str, Any]:
    return {
        "change": str(difference.operation),
        "pointer": difference.pointer,
        "before": difference.old,
        "after": difference.new,
    }


def _file(change: FileChange) -> dict[str, Any]:
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
