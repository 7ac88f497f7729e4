"""Mutations by which workers elsewhere report what they have done (docs/dialects/openneuro.md#workers)."""

from collections.abc import Mapping, Sequence
from typing import Any

import graphene
from graphene.utils.str_converters import to_camel_case

from archive.bids_validation.services import keep_issues, keep_summary
from archive.fixity.services import Failure, keep_check
from archive.monitor.services import report_task
from dandiapi.graphql.context import Context
from dandiapi.graphql.fields import root_field
from dandiapi.graphql.ids import revision_of
from dandiapi.graphql.inputs import AnnexFsckInput, SummaryInput, ValidatorInput
from dandiapi.graphql.scalars import JSON, DateTime
from dandiapi.graphql.types.checks import file_check_of
from dandiapi.graphql.types.validation import FileCheck, Summary
from dandiapi.graphql.types.verdicts import summary_told
from dandiapi.graphql.types.work import WorkerTask

ID = graphene.ID(required=True)
TEXT = graphene.String(required=True)
# What the fields of a report are called in the domain, where that is something else.
TASK_NAMES = {
    "task_name": "name",
    "queued_at": "queued",
    "started_at": "started",
    "finished_at": "finished",
}
# What names a tree, and says nothing of it.
NAMING = ("id", "dataset_id", "validator_metadata")


@root_field(graphene.Boolean, validation=ValidatorInput(required=True))
def update_validation(context: Context, validation: Any) -> bool:
    """Keep what a validator says of a tree."""
    keep_issues(
        actor=context.actor,
        version=revision_of(context, validation.dataset_id, validation.id),
        validator=_program(validation.validator_metadata),
        issues=[_in_words_of_the_validator(issue) for issue in validation.issues],
        code_messages={each.code: each.message for each in validation.code_messages},
    )
    return True


@root_field(Summary, summary=SummaryInput(required=True))
def update_summary(context: Context, summary: Any) -> Summary:
    """Keep the summary of a tree."""
    version = revision_of(context, summary.dataset_id, summary.id)
    stated = {name: value for name, value in summary.items() if name not in NAMING}
    told = _in_words_of_the_validator(stated)
    # These alone begin with a capital.
    told["pet"] = {name[0].upper() + name[1:]: value for name, value in told.get("pet", {}).items()}
    keep_summary(actor=context.actor, version=version, summary=told)
    return summary_told(version, summary.id, told, validator=_program(summary.get("validator_metadata") or {}))


def _program(metadata: Mapping[str, Any]) -> str:
    """Return the name and version of a validator, as far as it tells them."""
    return " ".join(metadata[name] for name in ("validator", "version") if metadata.get(name))


def _in_words_of_the_validator(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input by the names that the official validator's output has; without what is null."""
    return {to_camel_case(name): _value(value) for name, value in given.items() if value is not None}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _in_words_of_the_validator(value)
    if isinstance(value, list):
        return [_value(each) for each in value]
    return getattr(value, "value", value)


@root_field(
    FileCheck,
    annex_fsck=graphene.List(graphene.NonNull(AnnexFsckInput), required=True),
    dataset_id=ID,
    hexsha=TEXT,
    refs=graphene.List(graphene.NonNull(graphene.String), required=True),
    remote=graphene.String(),
)
def update_file_check(
    context: Context,
    *,
    dataset_id: str,
    hexsha: str,
    annex_fsck: Sequence[Any],
    refs: Sequence[str],
    remote: str = "",
) -> FileCheck | None:
    """Keep the failures of a check of annexed content."""
    version = revision_of(context, dataset_id, hexsha)
    failures = [_failure(each) for each in annex_fsck if each.get("success") is not True]
    keep_check(actor=context.actor, version=version, remote=remote, failures=failures)
    context.load.checks.forget()
    return file_check_of(context, version, hexsha, refs=refs)


def _failure(given: Mapping[str, Any]) -> Failure:
    return Failure(
        path=given.get("file") or "",
        key=given.get("key") or "",
        messages=given.get("error_messages") or [],
        note=given.get("note") or "",
        command=given.get("command") or "fsck",
    )


@root_field(
    WorkerTask,
    id=ID,
    args=JSON(),
    kwargs=JSON(),
    error=graphene.String(),
    execution_time=graphene.Int(),
    queued_at=DateTime(),
    started_at=DateTime(),
    finished_at=DateTime(),
    task_name=graphene.String(),
    worker=graphene.String(),
)
def update_worker_task(context: Context, id: str, **given: Any) -> WorkerTask:  # noqa: A002 - as in the schema
    """Keep the state of a task of the worker."""
    values = {TASK_NAMES.get(name, name): value for name, value in given.items()}
    return WorkerTask.of(report_task(actor=context.actor, task_id=id, values=values))
