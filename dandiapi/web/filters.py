"""What every template can do with a value."""

from django.template import Library

from archive.differences import size_in_words

register = Library()


@register.filter
def size(count: int) -> str:
    """A number of bytes in words: the same ones wherever a size is told, as the dandi client has them."""
    return size_in_words(count)
