"""What people write, as HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dandiapi.web.text import remembered_markdown, render_markdown, web_address


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("# One", "<h3>One</h3>"),
        ("##### Five", "<h6>Five</h6>"),
        ("*a* **b** `c` ~~d~~", "<p><em>a</em> <strong>b</strong> <code>c</code> <s>d</s></p>"),
        ("[a](https://b.org)", '<p><a href="https://b.org" rel="nofollow noopener">a</a></p>'),
        ("<https://b.org>", '<p><a href="https://b.org" rel="nofollow noopener">https://b.org</a></p>'),
        ("![A cat](https://b.org/c.png)", '<p><a href="https://b.org/c.png" rel="nofollow noopener">A cat</a></p>'),
        (
            "[![Build](https://b.org/c.svg)](https://d.org)",
            '<p><a href="https://d.org" rel="nofollow noopener">Build</a></p>',
        ),
        ("[a](other.md)", '<p><a rel="nofollow noopener">a</a></p>'),
        ("[a](#b)", '<p><a rel="nofollow noopener">a</a></p>'),
        ("[a](ftp://b.org)", '<p><a rel="nofollow noopener">a</a></p>'),
        ("a <b onclick=x>b</b>", "<p>a <b>b</b></p>"),
        ("a <a href='javascript:x'>b</a>", '<p>a <a rel="nofollow noopener">b</a></p>'),
        ("a\nb", "<p>a\nb</p>"),
    ],
)
def test_markdown_becomes_html(markdown: str, html: str) -> None:
    assert render_markdown(markdown).strip() == html


def test_lines_are_kept_when_asked_for() -> None:
    assert render_markdown("a\nb", keep_lines=True) == "<p>a<br>\nb</p>\n"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<iframe src=https://b.org></iframe>",
        "<form action=/x><input name=y><button>z</button></form>",
        "<style>*{}</style><p style='x'>",
        "<a href='data:text/html,x' target=_blank>b</a>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    ],
)
def test_what_is_dangerous_is_left_out(text: str) -> None:
    html = render_markdown(text)
    bad = ["<script", "<img", "<svg", "<iframe", "<form", "<input", "<button", "<style", "style=", "onerror", "data:"]
    assert [word for word in bad if word in html] == []


@given(st.text(alphabet="ab<>[]()!*_`#&\"'=/:\\ \n-|~"))
def test_any_text_can_be_shown(text: str) -> None:
    assert "<img" not in render_markdown(text)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("https://a.org", "https://a.org"),
        ("HTTP://a.org", "HTTP://a.org"),
        ("javascript:alert(1)", ""),
        (" https://a.org", ""),
        ("//a.org", ""),
        ("ftp://a.org", ""),
        ("", ""),
        (None, ""),
        (["https://a.org"], ""),
    ],
)
def test_only_addresses_of_the_web_are_linked(value: object, address: str) -> None:
    assert web_address(value) == address


@pytest.mark.parametrize(
    "text",
    [
        "|a" * 1250 + "\n" + "|-" * 1250 + "\n" + "|\n" * 2500,
        "> " + "|a" * 1250 + "\n> " + "|-" * 1250 + "\n" + "> |\n" * 1600,
        "[a]: http://x/" + "y" * 5000 + "\n\n" + "[a]" * 1600,
        '[a]: http://x "' + "y" * 5000 + '"\n\n' + "[a]" * 1600,
        "![a]\n" * 1600 + "\n[a]: http://x/" + "y" * 5000,
    ],
)
def test_cheap_text_becomes_no_long_page(text: str) -> None:
    assert len(render_markdown(text)) < 2 * len(text)


def test_table_is_shown_in_a_long_text() -> None:
    rows = "|a|b|c|\n|-|-|-|\n" + "|1|2|3|\n" * 1000
    assert render_markdown("A line with a bar: |\n\n" * 5000 + rows).count("<td>") == 3000


def test_text_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = remembered_markdown("*a*")
    monkeypatch.setattr("dandiapi.web.text.render_markdown", lambda _: pytest.fail("It was rendered again."))
    assert (remembered_markdown("*a*"), first) == ("<p><em>a</em></p>\n",) * 2
