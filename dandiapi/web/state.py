"""How it stands with a version, in words."""

from dataclasses import dataclass

from archive.datasets.models import Version


@dataclass(frozen=True)
class State:
    """A word or two, a sentence, and whether that is good news (`good`, `bad`, `busy`, `plain`)."""

    label: str
    explanation: str
    tone: str


PUBLISHED = State("Published", "This version will not change, and can be cited.", "good")
STATES = {
    Version.Status.PENDING: State("Draft, being checked", "The draft has changed and waits to be validated.", "busy"),
    Version.Status.VALIDATING: State("Draft, being checked", "The draft is being validated.", "busy"),
    Version.Status.VALID: State("Valid draft", "The draft's metadata is complete.", "good"),
    Version.Status.INVALID: State(
        "Draft with problems", "It has problems, to be solved before it can be published.", "bad"
    ),
    Version.Status.PUBLISHING: State("Draft, being published", "A new version is being made of the draft.", "busy"),
    Version.Status.PUBLISHED: State("Unchanged draft", "The draft is as the newest published version.", "plain"),
}


def state_of(version: Version) -> State:
    """How it stands with the version."""
    return STATES[Version.Status(version.status)] if version.is_draft else PUBLISHED
