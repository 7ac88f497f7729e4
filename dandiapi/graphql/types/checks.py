"""Checks of content, in the words of the dialect."""

from collections.abc import Sequence

from archive.datasets.models import Version
from dandiapi.graphql.context import Context
from dandiapi.graphql.ids import dataset_id
from dandiapi.graphql.types.validation import AnnexFsck, FileCheck

MAIN = "main"


def file_check_of(context: Context, version: Version, revision: str, *, refs: Sequence[str] = ()) -> FileCheck | None:
    """Return what the last check of a version's content, which is known by that revision, has found; None without."""
    found = context.load.checks.get(version)
    if found is None:
        return None
    context.tell(len(found.failures))
    failures = [
        AnnexFsck(
            command=each["command"],
            error_messages=each["messages"],
            file=each["path"],
            key=each["key"] or None,
            note=each["note"] or None,
            success=False,
        )
        for each in found.failures
    ]
    return FileCheck(
        annex_fsck=failures,
        dataset_id=dataset_id(version.dataset_id),
        hexsha=revision,
        refs=refs or [MAIN if version.is_draft else version.tag],
        remote=found.remote or None,
    )
