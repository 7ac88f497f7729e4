"""The state of a version in words."""

from dataclasses import dataclass

from archive.datasets.models import Version
from archive.publishing.queries import DraftState


@dataclass(frozen=True)
class State:
    """The state of a version in words: a label, a sentence, and its tone (`good`, `bad`, `busy`, `plain`)."""

    label: str
    explanation: str
    tone: str


PUBLISHED = State("Published", "This version will not change, and can be cited.", "good")
CLOSED = State("Closed version", "This version will not change. Not everybody may read it.", "plain")
WITH_PROBLEMS = State(
    "Version with problems",
    "This version will not change. Its metadata or files were not valid when it was made.",
    "plain",
)
STATES = {
    DraftState.WAITING: State("Draft, being checked", "The draft has changed and waits to be validated.", "busy"),
    DraftState.VALIDATING: State("Draft, being checked", "The draft is being validated.", "busy"),
    DraftState.VALID: State("Valid draft", "The draft's metadata and files are as they should be.", "good"),
    DraftState.INVALID: State(
        "Draft with problems", "It has problems, to be solved before it can be published.", "bad"
    ),
    DraftState.PUBLISHING: State("Draft, being published", "A new version is being made of the draft.", "busy"),
    DraftState.UNCHANGED: State("Unchanged draft", "The draft is as the newest published version.", "plain"),
}


def state_of_version(version: Version) -> State:
    """Return the state of a version that is no draft, its dataset with it."""
    if version.is_closed or not version.dataset.is_released:
        return CLOSED
    return PUBLISHED if version.status == Version.Status.VALID else WITH_PROBLEMS
