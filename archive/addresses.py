"""Where people and programs find what the archive has: at addresses that faces give to it.

Metadata, mail and messages name such addresses, but the domain knows no face. So each face registers, as the program
starts, how it addresses something; what no face has registered has no address.
"""

from collections.abc import Callable
from typing import Generic, ParamSpec
from uuid import UUID

Facts = ParamSpec("Facts")


class Address(Generic[Facts]):
    """The address of something, built of the facts that tell it from others, by the face that has registered for it."""

    def __init__(self, of: str) -> None:
        self._of = of
        self._build: Callable[Facts, str] | None = None

    def register(self, build: Callable[Facts, str]) -> Callable[Facts, str]:
        """Register the decorated function as what builds the address; LookupError if there is one already."""
        if self._build is not None:
            raise LookupError(f"The address of {self._of} is registered already.")
        self._build = build
        return build

    def __call__(self, *facts: Facts.args, **named: Facts.kwargs) -> str:
        """Return the address; LookupError if no face has registered."""
        if self._build is None:
            raise LookupError(f"No face has registered the address of {self._of}.")
        return self._build(*facts, **named)


dataset_page: Address[[int]] = Address("the page of a dataset")
version_page: Address[[int, str]] = Address("the page of a version")
own_page: Address[[]] = Address("the page where people say who they are")
draft_assets: Address[[int]] = Address("the assets of a draft")
asset_content: Address[[UUID]] = Address("the content of an asset")
zarr_content: Address[[UUID]] = Address("the content of a Zarr archive, or of a revision of one")
zarr_files: Address[[UUID]] = Address("the list of the files of a Zarr archive, or of a revision of one")
