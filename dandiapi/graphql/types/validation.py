"""What validators say of trees."""

import graphene

from dandiapi.graphql.enums import Severity
from dandiapi.graphql.scalars import BigInt


class ValidatorMetadata(graphene.ObjectType):
    """The program that validated a tree, and its version."""

    validator = graphene.String()
    version = graphene.String()


class ValidatorIssue(graphene.ObjectType):
    """An issue that the validator found in a tree."""

    affects = graphene.String()
    code = graphene.String(required=True)
    issue_message = graphene.String()
    line = graphene.Int()
    location = graphene.String()
    rule = graphene.String()
    severity = graphene.Field(Severity)
    sub_code = graphene.String()


class ValidatorCodeMessage(graphene.ObjectType):
    """The sentence that explains a code of issues."""

    code = graphene.String(required=True)
    message = graphene.String(required=True)


class ValidationIssueFileDetail(graphene.ObjectType):
    """A file that an issue is about, as older validators tell of it."""

    name = graphene.String()
    path = graphene.String()
    relative_path = graphene.String()


class ValidationIssueFile(graphene.ObjectType):
    """A place in a file that an issue is about, as older validators tell of it."""

    character = graphene.Int()
    code = graphene.Int()
    evidence = graphene.String()
    file = graphene.Field(ValidationIssueFileDetail)
    help_url = graphene.String()
    key = graphene.String(required=True)
    line = graphene.Int()
    name = graphene.String()
    path = graphene.String()
    reason = graphene.String()
    severity = graphene.Field(Severity, required=True)


class ValidationIssue(graphene.ObjectType):
    """An issue, as older validators tell of it."""

    additional_file_count = graphene.Int()
    code = graphene.Int()
    files = graphene.List(ValidationIssueFile)
    help_url = graphene.String()
    key = graphene.String(required=True)
    reason = graphene.String(required=True)
    severity = graphene.Field(Severity, required=True)


class ValidationIssueStatus(graphene.ObjectType):
    """The number of errors and of warnings in a tree."""

    errors = graphene.Int()
    warnings = graphene.Int()


class SubjectMetadata(graphene.ObjectType):
    """A subject of a dataset."""

    age = graphene.Float()
    group = graphene.String()
    participant_id = graphene.String(required=True)
    sex = graphene.String()


class SummaryPetFields(graphene.ObjectType):
    """The facts about PET scans that the files of a dataset state."""

    body_part = graphene.List(graphene.String, name="BodyPart")
    scanner_manufacturer = graphene.List(graphene.String, name="ScannerManufacturer")
    scanner_manufacturers_model_name = graphene.List(graphene.String, name="ScannerManufacturersModelName")
    tracer_name = graphene.List(graphene.String, name="TracerName")
    tracer_radionuclide = graphene.List(graphene.String, name="TracerRadionuclide")


class Summary(graphene.ObjectType):
    """A summary of a tree by the validator."""

    data_processed = graphene.Boolean()
    id = graphene.ID(required=True)
    modalities = graphene.List(graphene.String)
    pet = graphene.Field(SummaryPetFields)
    primary_modality = graphene.String()
    schema_version = graphene.String()
    secondary_modalities = graphene.List(graphene.String)
    sessions = graphene.List(graphene.String)
    size = BigInt(required=True)
    subject_metadata = graphene.List(SubjectMetadata)
    subjects = graphene.List(graphene.String)
    tasks = graphene.List(graphene.String)
    total_files = graphene.Int(required=True)
    validator_metadata = graphene.Field(ValidatorMetadata)


class AnnexFsck(graphene.ObjectType):
    """A failure of a check of annexed content."""

    command = graphene.String()
    error_messages = graphene.List(graphene.String)
    file = graphene.String()
    key = graphene.String()
    note = graphene.String()
    success = graphene.Boolean()


class FileCheck(graphene.ObjectType):
    """The failures of a check of annexed content at a commit."""

    annex_fsck = graphene.List(graphene.NonNull(AnnexFsck))
    dataset_id = graphene.String(required=True)
    hexsha = graphene.String(required=True)
    refs = graphene.List(graphene.NonNull(graphene.String), required=True)
    remote = graphene.String()
