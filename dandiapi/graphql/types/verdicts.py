"""The verdicts of the BIDS validator in the words of the dialect (docs/dialects/openneuro.md#validation)."""

from collections.abc import Mapping
from typing import Any

from archive.bids_validation.models import BidsVerdict
from archive.datasets.models import Version
from dandiapi.graphql.context import Context
from dandiapi.graphql.ids import dataset_id
from dandiapi.graphql.types.validation import (
    DatasetValidation,
    SubjectMetadata,
    Summary,
    SummaryPetFields,
    ValidationIssueStatus,
    ValidatorCodeMessage,
    ValidatorIssue,
    ValidatorMetadata,
)

VALIDATOR = "bids-validator-deno"


def verdict_of(context: Context, version: Version) -> BidsVerdict | None:
    """Return what the validator says of a version; None as long as it has not looked at these files, or has failed."""
    verdict = context.load.verdicts.get(version)
    return verdict if verdict and verdict.state == BidsVerdict.State.DONE else None


def validation_of(context: Context, version: Version, revision: str) -> DatasetValidation | None:
    """Return the issues of a version, which is known by that revision."""
    verdict = verdict_of(context, version)
    details = context.load.verdict_details.get(verdict) if verdict else None
    if verdict is None or details is None:
        return None
    return DatasetValidation(
        id=revision,
        dataset_id=dataset_id(version.dataset_id),
        errors=verdict.errors,
        warnings=verdict.warnings,
        issues=[_issue(issue) for issue in details.issues],
        code_messages=[
            ValidatorCodeMessage(code=code, message=message) for code, message in details.code_messages.items()
        ],
    )


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


def status_of(context: Context, version: Version) -> ValidationIssueStatus | None:
    """Return how many errors and warnings a version has."""
    verdict = verdict_of(context, version)
    return ValidationIssueStatus(errors=verdict.errors, warnings=verdict.warnings) if verdict else None


def summary_of(context: Context, version: Version, revision: str) -> Summary | None:
    """Return the validator's summary of a version, which is known by that revision."""
    verdict = verdict_of(context, version)
    if verdict is None:
        return None
    told = verdict.summary
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
        validator_metadata=ValidatorMetadata(validator=VALIDATOR, version=verdict.validator),
    )


def _subject(subject: Mapping[str, Any]) -> SubjectMetadata:
    age = subject.get("age")
    return SubjectMetadata(
        participant_id=str(subject.get("participantId")),
        age=age if isinstance(age, int | float) else None,
        sex=subject.get("sex"),
        group=subject.get("group"),
    )
