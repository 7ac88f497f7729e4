"""The names of a repository's branches and tags, and the file in which git keeps many of them."""

from collections.abc import Mapping

MAIN = "refs/heads/main"
ANNEX = "refs/heads/git-annex"
# The branches that `git annex sync` pushes to, beside the ones of the same name.
SYNCED_MAIN = "refs/heads/synced/main"
SYNCED_ANNEX = "refs/heads/synced/git-annex"
TAGS = "refs/tags/"

PACKED_REFS = "packed-refs"
# This line tells git that the references below it are in the order in which git looks names up.
_SORTED = "# pack-refs with: sorted \n"


def tag_of(name: str) -> str:
    """Return the full name of a tag."""
    return f"{TAGS}{name}"


def packed_refs(references: Mapping[str, str]) -> str:
    """Return the file `packed-refs` with these references, which come in byte order of their names."""
    return _SORTED + "".join(f"{sha} {name}\n" for name, sha in references.items())
