"""The filters of every template."""

from django.template import Library

from archive.differences import size_in_words

register = Library()


@register.filter
def size(count: int) -> str:
    """Return a number of bytes in words, the same wherever a size is shown, and the same as the dandi client's."""
    return size_in_words(count)
