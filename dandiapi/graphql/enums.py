"""The enumerations of the schema."""

import graphene


class AnalyticTypes(graphene.Enum):
    """The kinds of use that are counted of a dataset."""

    downloads = "downloads"
    views = "views"


class NotificationStatusType(graphene.Enum):
    """The state of a notification."""

    ARCHIVED = "ARCHIVED"
    SAVED = "SAVED"
    UNREAD = "UNREAD"


class RelatedObjectKind(graphene.Enum):
    """The kind of a related object."""

    Article = "Article"
    Dataset = "Dataset"


class RelatedObjectRelation(graphene.Enum):
    """The relation of an object to a dataset."""

    derivative = "derivative"
    sameAs = "sameAs"  # noqa: N815 - the name it has in the schema
    source = "source"


class ResponseStatusType(graphene.Enum):
    """The answer to a request."""

    ACCEPTED = "ACCEPTED"
    DENIED = "DENIED"
    PENDING = "PENDING"


class SearchSortOption(graphene.Enum):
    """The order of what a search finds."""

    activity = "activity"
    last_updated = "last_updated"
    name_asc = "name_asc"
    name_desc = "name_desc"
    newest = "newest"
    oldest = "oldest"
    relevance = "relevance"


class Severity(graphene.Enum):
    """The gravity of an issue."""

    error = "error"
    warning = "warning"


class SortOrdering(graphene.Enum):
    """The direction of an order."""

    ascending = "ascending"
    descending = "descending"


class UserProvider(graphene.Enum):
    """By whom somebody has signed in."""

    google = "google"
    orcid = "orcid"
