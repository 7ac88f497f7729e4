"""The table of who may do what: what there is to be done, and what somebody has to be to do it."""

from enum import StrEnum

from archive.accounts.models import Token


class Action(StrEnum):
    """An action that the policy decides about; `ACTIONS` says who may do it."""

    READ = "read"
    READ_CLOSED = "read closed versions"
    KNOW_PEOPLE = "know whose a dataset is"
    CREATE_DATASET = "create dataset"
    CHOOSE_IDENTIFIER = "choose a dataset's identifier"
    CHANGE_DRAFT = "change draft"
    CHANGE_OWNERS = "change owners"
    LIST_EDITORS = "list editors"
    CHANGE_EDITORS = "change editors"
    LIST_VIEWERS = "list viewers"
    CHANGE_VIEWERS = "change viewers"
    LIST_REVIEWER_LINKS = "list reviewer links"
    CHANGE_REVIEWER_LINKS = "change reviewer links"
    UPLOAD = "upload"
    LIST_UPLOADS = "list uploads"
    RELEASE = "release"
    PUBLISH = "publish"
    CHANGE_VERSION_ACCESS = "change who may read a version"
    DELETE_DATASET = "delete dataset"
    DELETE_VERSION = "delete version"
    DELETE_PRIVATE_VERSION = "delete version that was never public"
    STAR = "star"
    SEARCH_USERS = "search users"
    LIST_USERS = "list users"
    REVIEW_USERS = "review users"
    MANAGE_TOKENS = "manage tokens"
    FOLLOW_WORK = "follow work"
    STEER_WORK = "steer work"
    REPORT_WORK = "report what a worker has done"
    APPOINT = "appoint, block and remove people"
    MAINTAIN = "maintain what is kept to answer sooner"
    # For whole groups of routes, whichever dataset they are about.
    USE_ACCOUNT = "use an account"
    READ_AS_APPROVED = "take part"
    WRITE_AS_APPROVED = "contribute"
    READ_WITH_CREDENTIAL = "use a credential"
    OVERSEE = "oversee the archive"


class Standing(StrEnum):
    """The standing of an actor in the archive, or in one dataset."""

    SIGNED_IN = "signed in"
    APPROVED = "approved"
    REVIEWER = "reviewer"
    INSIDER = "insider"
    EDITOR = "editor"
    OWNER = "owner"
    STAFF = "staff"
    ADMIN = "admin"
    WORKER = "worker"


# See docs/dialects/dandi.md#access. An administrator stands wherever others do, but where only programs do.
ACTIONS: dict[Action, Standing] = {
    Action.READ: Standing.INSIDER,  # of a closed dataset; a released one is for anyone, see `may`
    Action.READ_CLOSED: Standing.INSIDER,  # of any dataset
    Action.KNOW_PEOPLE: Standing.INSIDER,  # as to read; but reviewers, who read by a link, are blinded
    Action.CREATE_DATASET: Standing.APPROVED,
    Action.CHOOSE_IDENTIFIER: Standing.ADMIN,
    Action.CHANGE_DRAFT: Standing.EDITOR,
    Action.CHANGE_OWNERS: Standing.OWNER,
    Action.LIST_EDITORS: Standing.OWNER,
    Action.CHANGE_EDITORS: Standing.OWNER,
    Action.LIST_VIEWERS: Standing.OWNER,
    Action.CHANGE_VIEWERS: Standing.OWNER,
    Action.LIST_REVIEWER_LINKS: Standing.OWNER,
    Action.CHANGE_REVIEWER_LINKS: Standing.OWNER,
    Action.UPLOAD: Standing.EDITOR,
    Action.LIST_UPLOADS: Standing.EDITOR,
    Action.RELEASE: Standing.OWNER,
    Action.PUBLISH: Standing.EDITOR,
    Action.CHANGE_VERSION_ACCESS: Standing.OWNER,
    Action.DELETE_DATASET: Standing.OWNER,
    Action.DELETE_VERSION: Standing.ADMIN,
    Action.DELETE_PRIVATE_VERSION: Standing.OWNER,
    Action.STAR: Standing.APPROVED,
    Action.SEARCH_USERS: Standing.APPROVED,
    Action.LIST_USERS: Standing.STAFF,
    Action.REVIEW_USERS: Standing.STAFF,
    Action.MANAGE_TOKENS: Standing.APPROVED,
    Action.FOLLOW_WORK: Standing.EDITOR,
    Action.STEER_WORK: Standing.EDITOR,
    Action.REPORT_WORK: Standing.WORKER,
    Action.APPOINT: Standing.ADMIN,
    Action.MAINTAIN: Standing.ADMIN,
    Action.USE_ACCOUNT: Standing.SIGNED_IN,
    Action.READ_AS_APPROVED: Standing.APPROVED,
    Action.WRITE_AS_APPROVED: Standing.APPROVED,
    Action.READ_WITH_CREDENTIAL: Standing.REVIEWER,
    Action.OVERSEE: Standing.STAFF,
}

NOT_APPROVED = "Your account has not been approved yet."
WHO_MAY = {
    Standing.SIGNED_IN: "Only those who are signed in may do this.",
    Standing.APPROVED: NOT_APPROVED,
    Standing.REVIEWER: NOT_APPROVED,
    Standing.INSIDER: "The dataset is not open.",
    Standing.EDITOR: "Only the owners and editors of the dataset may do this.",
    Standing.OWNER: "Only the owners of the dataset may do this.",
    Standing.STAFF: "Only the staff of the archive may do this.",
    Standing.ADMIN: "Only administrators may do this.",
    Standing.WORKER: "Only the workers of the archive may do this.",
}

READS = frozenset(
    {
        Action.READ,
        Action.READ_CLOSED,
        Action.KNOW_PEOPLE,
        Action.SEARCH_USERS,
        Action.LIST_USERS,
        Action.LIST_EDITORS,
        Action.LIST_VIEWERS,
        Action.LIST_REVIEWER_LINKS,
        Action.LIST_UPLOADS,
        Action.FOLLOW_WORK,
        Action.USE_ACCOUNT,
        Action.READ_AS_APPROVED,
        Action.READ_WITH_CREDENTIAL,
        Action.OVERSEE,
    }
)

OF_READERS = frozenset({Action.READ, Action.KNOW_PEOPLE})

# What tokens for one purpose are good for: in their dataset, if they are for one. Other tokens are good for all that
# their user may do.
PURPOSES: dict[str, frozenset[Action]] = {
    Token.Purpose.UPLOAD: frozenset({Action.READ, Action.UPLOAD}),
    Token.Purpose.REPOSITORY: frozenset(
        {Action.READ, Action.READ_CLOSED, Action.KNOW_PEOPLE, Action.UPLOAD, Action.CHANGE_DRAFT}
    ),
    Token.Purpose.WORKER: frozenset({Action.READ, Action.READ_CLOSED, Action.KNOW_PEOPLE, Action.REPORT_WORK}),
    Token.Purpose.INDEXER: frozenset({Action.READ, Action.READ_CLOSED}),
}
