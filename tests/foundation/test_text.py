"""HTML from strangers is harmless when it is shown, and plain text stays what was typed."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies

from fedaid.foundation.text import HTML_CHARACTERS_MAX, excerpt, paragraphs, plain, sanitised

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "attacks" / "html.json").read_text())
BOMBS = {'"<p>"*5000': "<p>" * 5000, '"a"*500000': "a" * 500_000}


@pytest.mark.attack("S63", "S70", "S71", "S72")
@pytest.mark.parametrize("case", VECTORS, ids=[str(case["in"])[:40] for case in VECTORS])
def test_attacks_of_the_catalogue_are_defused(case: dict[str, Any]) -> None:
    """Attacks S63, S70, S71 and S72."""
    html = case["in"] if isinstance(case["in"], str) else BOMBS[case["in"]["python"]]
    started = time.monotonic()
    shown = sanitised(html)
    assert time.monotonic() - started < 1
    assert len(shown) <= HTML_CHARACTERS_MAX * len("&lt;")
    for bad in case["output_must_not_contain"]:
        assert bad.lower() not in shown.lower()


def test_what_mastodon_writes_is_kept() -> None:
    link = '<a href="https://m.example/@a" class="u-url mention">@<span>a</span></a>'
    html = f'<p><span class="h-card">{link}</span><br>x</p>'
    shown = sanitised(html)
    assert 'class="u-url mention"' in shown or 'class="mention u-url"' in shown
    assert 'rel="nofollow noopener noreferrer ugc"' in shown


def test_plain_text_keeps_lines_and_paragraphs() -> None:
    assert plain("<p>One<br>two &amp; three</p><p>four</p>") == "One\ntwo & three\n\nfour"


@given(strategies.text(alphabet="ab >\"';#\n\r\t\x00\u00a0\u2028\u202e\ufeffé🛋"))
def test_a_text_without_markup_reads_the_same_as_before_some(bare: str) -> None:
    assert plain(bare) == plain(f"{bare}<b></b>")


def test_markup_typed_as_text_stays_text() -> None:
    assert plain("<p>1 &lt; 2</p>") == "1 < 2"
    assert paragraphs("1 < 2\n& so on\n\nnew") == "<p>1 &lt; 2<br>&amp; so on</p><p>new</p>"
    assert paragraphs("") == ""


def test_a_text_written_in_references_is_read_and_a_siege_of_them_is_only_text() -> None:
    assert plain("<p>" + "&#1078;" * 14_000 + "</p>") == "ж" * 14_000
    assert sanitised("<b>" + "&amp;" * 19_000 + "</b>") == "<b>" + "&amp;" * 19_000 + "</b>"
    assert plain("<b>" + "&" * 20_001) == "<b>" + "&" * 20_001
    assert sanitised("<b>" + "&" * 20_001) == "&lt;b&gt;" + "&amp;" * 20_001


def test_an_excerpt_ends_at_a_word() -> None:
    assert excerpt("one two three", 20) == "one two three"
    assert excerpt("one two three", 10) == "one two…"
    assert excerpt("x" * 30, 10) == "x" * 9 + "…"


LONG = '<a href="https://m.example/a/b"><span class="invisible">https://</span><span class="ellipsis">m.example/a</span></a>'


@pytest.mark.attack("S74")
@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('<a href="https://evil.example/x">https://b.example</a>', "https://b.example</a> (evil.example)"),
        ('<a href="https://evil.example/x">evil.example.b.example</a>', "evil.example.b.example</a> (evil.example)"),
        ('<a href="https://evil.example/x">evil.example@b.example</a>', "evil.example@b.example</a> (evil.example)"),
        ('<a href="https://ex&#1072;mple.org/">ex&#1072;mple.org</a>', "</a> (xn--exmple-4nf.org)"),
        ('<a href="http://127.0.0.1:8001/x">here</a>', "here</a> (127.0.0.1:8001)"),
        ('<a href="https://evil.example/x"><b>b.example</b>', "<b>b.example</b></a> (evil.example)"),
    ],
)
def test_behind_a_link_stands_where_it_leads(html: str, shown: str) -> None:
    assert shown in sanitised(html)


@pytest.mark.parametrize(
    "html", [LONG, '<a href="https://m.example/a">m.example</a>', '<a href="http://m.example">http://m.example</a>']
)
def test_a_link_whose_words_begin_with_its_host_says_so_already(html: str) -> None:
    assert "(" not in sanitised(html)


@pytest.mark.parametrize(
    "href", ["https://b.example\\@evil.example/", "https://b.example:8443/", "https://10.0.0.1/", "/listings/1"]
)
def test_a_link_that_could_be_misread_is_only_words(href: str) -> None:
    assert sanitised(f'<p><a href="{href}">here</a> &amp; there</p>') == "<p>here &amp; there</p>"
