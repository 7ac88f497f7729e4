"""The queries that are declared, so that documents with them are valid, and not built yet."""

import graphene

from dandiapi.graphql.fields import announced
from dandiapi.graphql.inputs import DatasetSearchInput
from dandiapi.graphql.types.datasets import DatasetConnection, Metadata
from dandiapi.graphql.types.files import FlaggedFile

advanced_search = announced(
    "advanced_search",
    DatasetConnection,
    "Search datasets by what is said of them and of their files.",
    after=graphene.String(),
    all_datasets=graphene.Boolean(),
    dataset_status=graphene.String(),
    dataset_type=graphene.String(),
    first=graphene.Int(),
    query=DatasetSearchInput(required=True),
)
flagged_files = announced(
    "flagged_files",
    graphene.List(FlaggedFile),
    "Return the annexed files that were flagged, for administrators.",
    deleted=graphene.Boolean(default_value=False),
    flagged=graphene.Boolean(default_value=True),
)
orcid_consent = announced(
    "orcid_consent",
    graphene.Boolean,
    "Return whether the asker lets the archive write to their ORCID record.",
)
participant_count = announced(
    "participant_count",
    graphene.Int,
    "Return how many subjects there are in all open datasets.",
    modality=graphene.String(),
)
public_metadata = announced(
    "public_metadata",
    graphene.List(Metadata),
    "Return what owners say of all open datasets.",
)
search = announced(
    "search",
    DatasetConnection,
    "Search datasets by words.",
    after=graphene.String(),
    first=graphene.Int(),
    q=graphene.String(required=True),
)
