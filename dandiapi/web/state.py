"""The state of a version in words."""

from dataclasses import dataclass

from archive.publishing.queries import DraftState


@dataclass(frozen=True)
class State:
    """The state of a version in words: a label, a sentence, and its tone (`good`, `bad`, `busy`, `plain`)."""

    label: str
    explanation: str
    tone: str


PUBLISHED = State("Published", "This version will not change, and can be cited.", "good")
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
