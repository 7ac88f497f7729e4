"""What the domain says in the words of DANDI's API, said to people."""

# By the message, which programs compare and which therefore stays as it is.
FOR_PEOPLE = {
    "Not found.": "",
    "Action not allowed": "Only the owners of the dataset may do this.",
    "Authentication credentials were not provided.": "Sign in first, and then try again.",
    "Operation only allowed on OPEN dandisets": (
        "The dataset is under embargo. It can be published once it has been released to everybody."
    ),
    "Dandiset is currently being published": "The draft is being published just now. That ends by itself.",
    "Metadata validation is pending for this dandiset, please try again later.": (
        "The draft or some of its files are still to be checked. That happens by itself: come back in a moment."
    ),
    "Dandiset is currently being validated": "The draft is being checked just now. Come back in a moment.",
    "Dandiset metadata or asset metadata is not valid": (
        "The draft or some of its files have problems. They are listed on the draft's page, to be solved first."
    ),
    "There have been no changes to the draft version since the last publish.": (
        "There have been no changes to the draft since its last version was published."
    ),
}


def for_people(message: str) -> str:
    """A message of the domain, as a page says it; "" if it has nothing to say to a person."""
    return FOR_PEOPLE.get(message, message)
