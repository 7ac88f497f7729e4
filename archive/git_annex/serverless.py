"""The files by which a repository is cloned from a store alone (docs/dialects/git.md#bundles-in-a-store). Pure.

The layout is that of git-annex's own `git-remote-annex`: bundles, and a manifest that names them from the oldest to the
newest, are content with keys, in the folders in which its `directory` and `httpalso` remotes look for content.
"""

import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID, uuid5

from archive.git_annex.keys import lower_folders

_NO_OBJECTS = b"PACK" + (2).to_bytes(4, "big") + (0).to_bytes(4, "big")
_EMPTY_PACK = _NO_OBJECTS + hashlib.sha1(_NO_OBJECTS, usedforsecurity=False).digest()

# In this file is the address that `git clone annex::<its URL>` goes on to.
CLONE_FILE = "clone"


def remote_uuid(annex_uuid: UUID) -> UUID:
    """Return the UUID of the store as a remote: not the archive's own, lest clones look for content among bundles."""
    return uuid5(annex_uuid, "serverless")


def bundle_name(annex_uuid: UUID, *, size: int, sha256: str) -> str:
    """Return the key of a git bundle of so many bytes."""
    return f"GITBUNDLE-s{size}--{remote_uuid(annex_uuid)}-{sha256}"


def manifest_name(annex_uuid: UUID) -> str:
    """Return the key of the list of bundles."""
    return f"GITMANIFEST--{remote_uuid(annex_uuid)}"


def place(name: str) -> str:
    """Return the path of the object with that key, below the repository's prefix in the store."""
    return f"{lower_folders(name)}/{name}/{name}"


def references_bundle(references: Mapping[str, str]) -> bytes:
    """Return a bundle of references, each with its commit, and of no objects: these are in other bundles."""
    head = "".join(f"{sha} {name}\n" for name, sha in references.items())
    return f"# v2 git bundle\n{head}\n".encode() + _EMPTY_PACK


def manifest(bundle_names: Sequence[str]) -> bytes:
    """Return the manifest of these bundles, the oldest first."""
    return "".join(f"{name}\n" for name in bundle_names).encode()


def clone_address(annex_uuid: UUID, url: str) -> str:
    """Return the `annex::` address from which git clones the repository stored below `url`, which ends in a slash."""
    configuration = urlencode({"encryption": "none", "type": "httpalso", "url": url}, safe=":/")
    return f"annex::{remote_uuid(annex_uuid)}?{configuration}"
