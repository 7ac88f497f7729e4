"""What mutations and searches are given."""

import graphene

from dandiapi.graphql.enums import SearchSortOption, Severity, SortOrdering
from dandiapi.graphql.scalars import BigInt, DateTime


class AnnexFsckInput(graphene.InputObjectType):
    """A failure of a check of annexed content."""

    command = graphene.String()
    dead = graphene.List(graphene.NonNull(graphene.String))
    error_messages = graphene.List(graphene.NonNull(graphene.String))
    file = graphene.String()
    input = graphene.List(graphene.NonNull(graphene.String))
    key = graphene.String()
    missing = graphene.List(graphene.NonNull(graphene.String))
    note = graphene.String()
    success = graphene.Boolean()
    untrusted = graphene.List(graphene.NonNull(graphene.String))


class ContributorInput(graphene.InputObjectType):
    """A person who has contributed to a dataset."""

    contributor_type = graphene.String()
    family_name = graphene.String()
    given_name = graphene.String()
    name = graphene.String()
    orcid = graphene.String()
    order = graphene.Int()


class DatasetFilter(graphene.InputObjectType):
    """The choice of datasets in a list."""

    all = graphene.Boolean()
    invalid = graphene.Boolean()
    public = graphene.Boolean()
    shared = graphene.Boolean()
    starred = graphene.Boolean()


class DatasetSearchInput(graphene.InputObjectType):
    """The criteria of a search for datasets."""

    age_range = graphene.List(graphene.Int)
    authors = graphene.List(graphene.NonNull(graphene.String))
    bids_dataset_type = graphene.String()
    body_parts = graphene.List(graphene.NonNull(graphene.String))
    brain_initiative = graphene.Boolean()
    date_range = graphene.String()
    diagnosis = graphene.String()
    keywords = graphene.List(graphene.NonNull(graphene.String))
    modality = graphene.String()
    public_only = graphene.Boolean()
    scanner_manufacturers = graphene.List(graphene.NonNull(graphene.String))
    scanner_manufacturers_model_names = graphene.List(graphene.NonNull(graphene.String))
    sex = graphene.String()
    sort_by = SearchSortOption()
    species = graphene.String()
    study_domains = graphene.List(graphene.NonNull(graphene.String))
    study_structure = graphene.String()
    subject_count_range = graphene.List(graphene.Int)
    tasks = graphene.List(graphene.NonNull(graphene.String))
    tracer_names = graphene.List(graphene.NonNull(graphene.String))
    tracer_radionuclides = graphene.List(graphene.NonNull(graphene.String))
    user_id = graphene.String()


class DatasetSort(graphene.InputObjectType):
    """The order of a list of datasets; of several, the first given counts most."""

    created = SortOrdering()
    downloads = SortOrdering()
    name = SortOrdering()
    publish_date = SortOrdering()
    stars = SortOrdering()
    subscriptions = SortOrdering()
    uploader = SortOrdering()
    views = SortOrdering()


class DeleteFile(graphene.InputObjectType):
    """A file or folder to delete."""

    filename = graphene.String()
    path = graphene.String(required=True)


class MetadataInput(graphene.InputObjectType):
    """The statements of owners about a dataset, beside its files."""

    admin_users = graphene.List(graphene.NonNull(graphene.String))
    affirmed_consent = graphene.Boolean()
    affirmed_defaced = graphene.Boolean()
    ages = graphene.List(graphene.NonNull(graphene.Float))
    associated_paper_doi = graphene.String(name="associatedPaperDOI")
    data_processed = graphene.Boolean()
    dataset_id = graphene.ID(required=True)
    dataset_name = graphene.String()
    dataset_url = graphene.String()
    dx_status = graphene.String()
    first_snapshot_created_at = DateTime()
    grant_funder_name = graphene.String()
    grant_identifier = graphene.String()
    latest_snapshot_created_at = DateTime()
    modalities = graphene.List(graphene.NonNull(graphene.String))
    openneuro_paper_doi = graphene.String(name="openneuroPaperDOI")
    senior_author = graphene.String()
    species = graphene.String()
    study_design = graphene.String()
    study_domain = graphene.String()
    study_longitudinal = graphene.String()
    tasks_completed = graphene.List(graphene.NonNull(graphene.String))
    trial_count = graphene.Int()


class SubjectMetadataInput(graphene.InputObjectType):
    """A subject of a dataset."""

    age = graphene.Float()
    group = graphene.String()
    participant_id = graphene.String(required=True)
    sex = graphene.String()


class SummaryPetInput(graphene.InputObjectType):
    """The facts about PET scans that the files of a dataset state."""

    body_part = graphene.List(graphene.NonNull(graphene.String), name="BodyPart")
    scanner_manufacturer = graphene.List(graphene.NonNull(graphene.String), name="ScannerManufacturer")
    scanner_manufacturers_model_name = graphene.List(
        graphene.NonNull(graphene.String), name="ScannerManufacturersModelName"
    )
    tracer_name = graphene.List(graphene.NonNull(graphene.String), name="TracerName")
    tracer_radionuclide = graphene.List(graphene.NonNull(graphene.String), name="TracerRadionuclide")


class ValidatorMetadataInput(graphene.InputObjectType):
    """The program that validated a tree, and its version."""

    validator = graphene.String()
    version = graphene.String()


class SummaryInput(graphene.InputObjectType):
    """A summary of a tree by the validator."""

    data_processed = graphene.Boolean()
    data_types = graphene.List(graphene.NonNull(graphene.String))
    dataset_id = graphene.ID(required=True)
    id = graphene.ID(required=True)
    modalities = graphene.List(graphene.NonNull(graphene.String))
    pet = graphene.InputField(SummaryPetInput)
    schema_version = graphene.String()
    secondary_modalities = graphene.List(graphene.NonNull(graphene.String))
    sessions = graphene.List(graphene.NonNull(graphene.String))
    size = BigInt(required=True)
    subject_metadata = graphene.List(graphene.NonNull(SubjectMetadataInput))
    subjects = graphene.List(graphene.NonNull(graphene.String))
    tasks = graphene.List(graphene.NonNull(graphene.String))
    total_files = graphene.Int(required=True)
    validator_metadata = graphene.InputField(ValidatorMetadataInput)


class UserSortInput(graphene.InputObjectType):
    """The order of a list of people."""

    field = graphene.String(required=True)
    order = SortOrdering()


class ValidatorCodeMessageInput(graphene.InputObjectType):
    """The sentence that explains a code of issues."""

    code = graphene.String(required=True)
    message = graphene.String(required=True)


class ValidatorIssueInput(graphene.InputObjectType):
    """An issue that the validator found in a tree."""

    affects = graphene.String()
    code = graphene.String(required=True)
    issue_message = graphene.String()
    line = graphene.Int()
    location = graphene.String()
    rule = graphene.String()
    severity = Severity()
    sub_code = graphene.String()


class ValidatorInput(graphene.InputObjectType):
    """The verdict of a validator on a tree."""

    code_messages = graphene.List(graphene.NonNull(ValidatorCodeMessageInput), required=True)
    dataset_id = graphene.ID(required=True)
    id = graphene.ID(required=True)
    issues = graphene.List(graphene.NonNull(ValidatorIssueInput), required=True)
    validator_metadata = graphene.InputField(ValidatorMetadataInput, required=True)
