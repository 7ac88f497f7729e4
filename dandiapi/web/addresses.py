"""The addresses of pages that metadata, mail and messages name."""

from django.conf import settings

from archive import addresses


@addresses.dataset_page.register
def dataset_page(number: int) -> str:
    """Return the address of a dataset's page."""
    return f"{settings.ARCHIVE_URL}/dandiset/{number:06}"


@addresses.version_page.register
def version_page(number: int, version: str) -> str:
    """Return the address of a version's page."""
    return f"{dataset_page(number)}/{version}"


@addresses.own_page.register
def own_page() -> str:
    """Return the address of the page where people say who they are."""
    return f"{settings.ARCHIVE_URL}/account/about-you/"
