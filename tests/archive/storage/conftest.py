"""What tests of the store share: objects, and a client that signs nothing."""

from uuid import uuid4

import pytest

from archive.storage.services import write

CONTENT = b"content"


@pytest.fixture
def key(bucket: str) -> str:
    """An object that nobody has opened."""
    name = f"objects/{uuid4()}"
    write(name, [CONTENT], content_type="text/plain")
    return name
