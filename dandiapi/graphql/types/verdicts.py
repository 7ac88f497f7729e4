"""The verdicts of the BIDS validator in the words of the dialect (docs/dialects/openneuro.md#validation)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import graphene

from archive.bids_validation.models import BidsVerdict
from archive.bids_validation.queries import issues_seen_in
from archive.datasets.models import Version
from dandiapi.graphql.context import Context, Info, context_of
from dandiapi.graphql.ids import dataset_id
from dandiapi.graphql.types.validation import (
    SubjectMetadata,
    Summary,
    SummaryPetFields,
    ValidationIssue,
    ValidationIssueFile,
    ValidationIssueFileDetail,
    ValidationIssueStatus,
    ValidatorCodeMessage,
    ValidatorIssue,
    ValidatorMetadata,
)

VALIDATOR = "bids-validator-deno"


class Validated(NamedTuple):
    """A verdict on a version, which is known by its revision."""

    verdict: BidsVerdict
    version: Version
    revision: str


class DatasetValidation(graphene.ObjectType):
    """The verdict of a validator on a tree: its issues, errors first."""

    code_messages = graphene.List(ValidatorCodeMessage)
    dataset_id = graphene.String()
    errors = graphene.Int()
    id = graphene.String()
    issues = graphene.List(ValidatorIssue)
    warnings = graphene.Int()

    @staticmethod
    def resolve_id(told: Validated, info: Info) -> str:
        return told.revision

    @staticmethod
    def resolve_dataset_id(told: Validated, info: Info) -> str:
        return dataset_id(told.version.dataset_id)

    @staticmethod
    def resolve_errors(told: Validated, info: Info) -> int:
        return told.verdict.errors

    @staticmethod
    def resolve_warnings(told: Validated, info: Info) -> int:
        return told.verdict.warnings

    @staticmethod
    def resolve_issues(told: Validated, info: Info) -> list[ValidatorIssue]:
        details = _details(context_of(info), told.verdict)
        return [_issue(issue) for issue in issues_seen_in(told.version, details)] if details else []

    @staticmethod
    def resolve_code_messages(told: Validated, info: Info) -> list[ValidatorCodeMessage]:
        details = _details(context_of(info), told.verdict)
        messages = details.code_messages.items() if details else ()
        return [ValidatorCodeMessage(code=code, message=message) for code, message in messages]


def _details(context: Context, verdict: BidsVerdict) -> BidsVerdict | None:
    """Return a verdict with its issues, which are told."""
    details = context.load.verdict_details.get(verdict)
    context.tell(len(details.issues) if details else 0)
    return details


def verdict_of(context: Context, version: Version) -> BidsVerdict | None:
    """Return what the validator says of a version; None as long as it has not looked at these files, or has failed."""
    verdict = context.load.verdicts.get(version)
    return verdict if verdict and verdict.state == BidsVerdict.State.DONE else None


def validation_of(context: Context, version: Version, revision: str) -> Validated | None:
    """Return the verdict on a version, which is known by that revision."""
    verdict = verdict_of(context, version)
    return Validated(verdict, version, revision) if verdict else None


def _issue(issue: Mapping[str, Any]) -> ValidatorIssue:
    return ValidatorIssue(
        code=issue["code"],
        sub_code=issue.get("subCode"),
        severity=issue.get("severity"),
        location=issue.get("location"),
        rule=issue.get("rule"),
        issue_message=issue.get("issueMessage"),
        line=issue.get("line"),
    )


def issues_of(context: Context, version: Version) -> list[ValidationIssue]:
    """Return the issues of a version by their codes, as clients of older validators expect them."""
    verdict = verdict_of(context, version)
    return [_older_issue(code) for code in verdict.codes] if verdict else []


def _older_issue(code: Mapping[str, Any]) -> ValidationIssue:
    files = [_older_file(code, location.removeprefix("/")) for location in code["locations"]]
    return ValidationIssue(
        key=code["code"],
        reason=code["message"],
        severity=code["severity"],
        files=files,
        additional_file_count=code["count"] - len(files),
    )


def _older_file(code: Mapping[str, Any], path: str) -> ValidationIssueFile:
    name = path.rpartition("/")[2]
    detail = ValidationIssueFileDetail(name=name, path=path, relative_path=path)
    return ValidationIssueFile(
        key=code["code"], severity=code["severity"], reason=code["message"], name=name, path=path, file=detail
    )


def status_of(context: Context, version: Version) -> ValidationIssueStatus | None:
    """Return how many errors and warnings a version has."""
    verdict = verdict_of(context, version)
    return ValidationIssueStatus(errors=verdict.errors, warnings=verdict.warnings) if verdict else None


def summary_of(context: Context, version: Version, revision: str) -> Summary | None:
    """Return the validator's summary of a version, which is known by that revision."""
    verdict = verdict_of(context, version)
    if verdict is None:
        return None
    told = context.load.summaries.get(verdict) or {}
    context.tell(len(told.get("subjectMetadata") or []))
    return summary_told(version, revision, told, validator=verdict.validator)


def summary_told(version: Version, revision: str, told: Mapping[str, Any], *, validator: str) -> Summary:
    """Return a summary of a version, by the names that the validator's output has, in the words of the dialect."""
    modalities = [str(each).lower() for each in told.get("modalities") or []]
    pet = told.get("pet") or {}
    return Summary(
        id=revision,
        modalities=modalities,
        primary_modality=modalities[0] if modalities else None,
        secondary_modalities=told.get("secondaryModalities") or [],
        sessions=told.get("sessions") or [],
        subjects=told.get("subjects") or [],
        subject_metadata=[_subject(each) for each in told.get("subjectMetadata") or []],
        tasks=told.get("tasks") or [],
        size=told.get("size") or version.size,
        total_files=told.get("totalFiles") or version.file_count,
        data_processed=told.get("dataProcessed"),
        schema_version=told.get("schemaVersion"),
        pet=SummaryPetFields(
            body_part=pet.get("BodyPart"),
            scanner_manufacturer=pet.get("ScannerManufacturer"),
            scanner_manufacturers_model_name=pet.get("ScannerManufacturersModelName"),
            tracer_name=pet.get("TracerName"),
            tracer_radionuclide=pet.get("TracerRadionuclide"),
        ),
        validator_metadata=ValidatorMetadata(validator=VALIDATOR, version=validator),
    )


def _subject(subject: Mapping[str, Any]) -> SubjectMetadata:
    age = subject.get("age")
    return SubjectMetadata(
        participant_id=str(subject.get("participantId")),
        age=age if isinstance(age, int | float) else None,
        sex=subject.get("sex"),
        group=subject.get("group"),
    )
