"""What people have written, as HTML that is safe to show."""

from collections.abc import Iterator, Sequence
from functools import cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

# Pictures from elsewhere would tell their owners who reads what; landmarks and the heading of a page are its own.
TAGS = nh3.ALLOWED_TAGS - {"area", "article", "aside", "footer", "h1", "header", "img", "map", "nav"}
ATTRIBUTES = {"a": {"href", "title"}, "abbr": {"title"}, "ol": {"start"}, "td": {"align"}, "th": {"align"}}
SCHEMES = ("http://", "https://")

# A text's own headings come below the one that the page gives it.
HEADINGS_DOWN = 2

LINK_END = Token("link_close", "a", -1)


def render_markdown(text: str, *, keep_lines: bool = False) -> SafeString:
    """Markdown as HTML; with `keep_lines`, where a line ends in the text it ends on the page.

    Scripts, styles, forms and pictures are left out; a link stands where a picture was.
    """
    markdown = _markdown(keep_lines)
    html: str = markdown.renderer.render(_adapted(markdown.parse(text)), markdown.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_kept,
        link_rel="nofollow noopener",
        url_schemes={"http", "https"},
    )
    return mark_safe(clean)  # noqa: S308 - nh3 has just made it so


def web_address(value: object) -> str:
    """`value` if it is an address that a link may lead to, else ""."""
    return value if isinstance(value, str) and value.lower().startswith(SCHEMES) else ""


@cache
def _markdown(keep_lines: bool) -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True, "breaks": keep_lines}).enable(["table", "strikethrough"])


def _adapted(tokens: list[Token]) -> list[Token]:
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + HEADINGS_DOWN, 6)}"
        if token.children:
            token.children = list(_without_pictures(token.children))
    return tokens


def _without_pictures(tokens: Sequence[Token]) -> Iterator[Token]:
    """A link to each picture in its place; inside a link, as with badges, its description only."""
    links = 0
    for token in tokens:
        links += token.nesting if token.type in {"link_open", "link_close"} else 0
        if token.type != "image":
            yield token
            continue
        text = Token("text", "", 0, content=token.content or "picture")
        yield from [text] if links else [Token("link_open", "a", 1, {"href": token.attrs["src"]}), text, LINK_END]


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """Drop links into the text's own folder, or within it: they would lead nowhere on this page."""
    return value if attribute != "href" or web_address(value) else None
