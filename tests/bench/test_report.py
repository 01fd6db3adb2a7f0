import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.bench._figures import (
    Axis,
    bytes_text,
    decimals_for,
    number,
    seconds_text,
    share_text,
    signed,
)
from imbkit.bench._inert import inert, inert_code, inert_markdown
from imbkit.bench._page import page_of
from imbkit.bench._report import render_fragment, render_html, render_markdown, render_text

VOID = {"meta", "link", "br", "img", "input", "hr"}
ELEMENTS = """
html head meta title style body header main footer section nav figure figcaption h1 h2 h3 p a b bdi
strong small span div dl dt dd ol ul li table caption thead tbody tr th td svg path rect circle text
details summary pre code
"""
ATTRIBUTES = """
lang charset name content http-equiv class href id aria-label aria-labelledby aria-hidden role
tabindex scope rowspan viewbox width height d x y cx cy r text-anchor focusable style title
"""


class Page(HTMLParser):
    """Collects elements, attributes and text, and sees that every element is closed."""

    def __init__(self, source):
        super().__init__()
        self.open, self.elements, self.attributes, self.texts = [], [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def values(self, name):
        return [value for _, other, value in self.attributes if other == name]


NAMES = ("binary", "multiclass", "hostile", "huge")


@pytest.fixture(scope="module")
def pages(made):
    return {name: render_html(getattr(made, f"{name}_summary")()) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_pages_are_well_formed_self_contained_and_small(pages, name):
    source = pages[name]
    page = Page(source)
    assert source.startswith("<!DOCTYPE html>")
    assert len(source.encode()) < 2_000_000
    assert set(page.elements) <= set(ELEMENTS.split())
    assert {attribute for _, attribute, _ in page.attributes} <= set(ATTRIBUTES.split())
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert all(href.startswith("#") and href[1:] in ids for href in page.values("href"))
    for label in page.values("aria-labelledby"):
        assert label in ids
    style = re.search(r"<style>(.*?)</style>", source, re.S).group(1)
    assert "url(" not in style
    assert "@import" not in style
    assert "script" not in page.elements


@pytest.mark.parametrize("name", NAMES)
def test_pages_serve_readers_without_eyes(pages, name):
    page = Page(pages[name])
    assert ("html", "lang", "en") in page.attributes
    assert page.elements.count("h1") == page.elements.count("main") == 1
    assert page.elements.count("th") == len(page.values("scope"))
    levels = [int(tag[1]) for tag in page.elements if tag in ("h1", "h2", "h3")]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    drawings = page.elements.count("svg")
    assert drawings == page.values("aria-hidden").count("true") + page.values("role").count("img")


def test_hostile_texts_are_inert(made, pages):
    tame = {
        (element, name)
        for page in ("binary", "multiclass")
        for element, name, _ in Page(pages[page]).attributes
    }
    page = Page(pages["hostile"])
    assert {(element, name) for element, name, _ in page.attributes} <= tame
    assert all(c.isprintable() or c in "\n\xa0" for c in pages["hostile"])
    assert '<script>alert("x")</script>' in page.text
    assert "right\\u202eto\\u202cleft" in page.text
    assert "null\\x00bell" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "(10,000 characters)" in page.text
    assert "x" * 1001 not in pages["hostile"]
    assert "evil.example" not in " ".join(v for _, _, v in page.attributes if v)
    for render in (render_text, render_fragment, render_markdown):
        text = render(made.hostile_summary())
        assert all(c.isprintable() or c in "\n\xa0" for c in text)
    Page(render_fragment(made.hostile_summary()))
    assert "<script" not in render_fragment(made.hostile_summary())
    assert "<script" not in render_markdown(made.hostile_summary()).replace("\\<", "")


@settings(max_examples=25)
@given(st.text(min_size=1), st.text(st.characters(), min_size=1))
def test_any_name_comes_out_as_text(made, first, second):
    summary = made.binary_summary()
    summary["data"]["name"], summary["entries"][3]["title"] = first, second
    page = Page(render_html(summary))
    squeezed = page.text.replace(" ", "")
    assert inert(first).replace(" ", "").replace("\xa0", "") in squeezed.replace("\xa0", "")
    assert inert(second).replace(" ", "") in squeezed
    assert page.elements == Page(render_html(made.binary_summary())).elements


def test_the_page_says_what_the_summary_says(made, pages):
    summary, text = made.binary_summary(), Page(pages["binary"]).text
    for verdict in summary["verdicts"]:
        assert verdict["sentence"] in text
    for sentence in [*summary["cautions"], *summary["data"]["warnings"]]:
        assert sentence in text
    assert "Baseline not beaten" in text
    assert "3,772" in text
    assert "231 (6.12\xa0%)" in pages["binary"]
    assert "+0.013" in text
    assert "95 % interval −0.008 to +0.034" in text
    assert "61\xa0%" in pages["binary"]
    assert "9 of 10, 1 failed" in text
    for problem in summary["problems"]:
        assert problem["text"] in text
    assert summary["command"] in text
    assert "model.fit(X, y)" in text
    assert "patient id" in text
    assert "not real-world probabilities" in text


def test_the_ranking_has_the_baseline_first_marks_and_ties(made):
    summary = made.binary_summary()
    table = page_of(summary).ranking
    assert table.heads[0].text == "Average precision"
    assert table.rows[0].baseline
    assert table.rows[0].tags == ("baseline",)
    heads = [head.text for head in table.heads]
    for row, entry in zip(table.rows, summary["entries"], strict=True):
        for head, cell in zip(heads, row.cells, strict=True):
            known = cell.text != "–"
            made_up = entry["changes_prior"] and head in ("Brier score", "Log-loss")
            assert cell.mark == ("†" if made_up and known else "")
        tied = [cell.tied for cell in row.cells]
        assert tied == [entry["scores"][m]["tied_with_best"] for m in made.RANKING]
    assert page_of(made.multiclass_summary()).recalls is not None
    assert page_of(summary).recalls is None


def test_every_policy_has_its_line(made):
    summary = made.binary_summary()
    table = page_of(summary).decisions
    assert [row.policy for row in table.rows[:2]] == ["default", "tuned"]
    assert [row.lines for row in table.rows[:4]] == [2, 0, 2, 0]
    assert table.heads[0].text == "Threshold"
    folds = summary["entries"][0]["policies"][1]["threshold"]["folds"]
    assert table.rows[1].cells[0].span == f"{min(folds):.3f} to {max(folds):.3f}"
    # The bars are held against the baseline's tuned line.
    bars = [row.cells[1].bar for row in table.rows[:4]]
    assert {bar.reference for bar in bars} == {bars[1].mean}
    # More alerts are neither better nor worse.
    assert [
        head.text
        for head, cell in zip(table.heads, table.rows[6].cells, strict=True)
        if not cell.tied
    ] == ["Threshold", "Alerts"]
    classes = page_of(made.multiclass_summary()).decisions
    assert not classes.policies
    assert classes.heads[0].text == "MCC"


def test_a_summary_without_results_still_gives_a_page(made):
    summary = made.binary_summary()
    for verdict in summary["verdicts"]:
        verdict |= dict.fromkeys(
            (
                "best", "best_mean", "difference", "low", "high", "p_value",
                "probability_better", "probability_equivalent", "baseline_mean",
            )
        ) | {"best_policy": "none", "outcome": "undecided"}  # fmt: skip
    for entry in summary["entries"]:
        entry |= {"scores": {}, "policies": [], "recalls": {}, "done": 0}
    summary |= {"cautions": [], "problems": []}
    summary["timing"]["entries"] = {}
    summary["data"] |= {"warnings": [], "columns": [], "classes": [], "rows": 0}
    del summary["command"]
    page = Page(render_html(summary))
    assert "There is no challenger to draw" in page.text
    assert "raised no caution" in page.text
    assert "no learner raised a warning" in page.text
    assert "undecided" in page.text.casefold()
    for render in (render_text, render_markdown, render_fragment):
        assert "raised no caution" in render(summary)
    summary["entries"] = []
    Page(render_html(summary))


def test_a_single_cell_has_no_interval(made):
    summary = made.binary_summary()
    summary["verdicts"][0] |= {"low": None, "high": None, "p_value": None}
    for entry in summary["entries"]:
        for estimate in entry["scores"].values():
            estimate["low"] = estimate["high"] = None
    view = page_of(summary)
    assert view.answers[0].figure.low == ""
    assert view.ranking.rows[0].cells[0].span == ""
    assert view.ranking.rows[0].cells[0].bar.length == "0.0"
    Page(render_html(summary))


def test_a_difference_that_should_be_small_points_the_other_way(made):
    summary = made.binary_summary()
    assert page_of(summary).answers[0].figure.right == "challenger better →"
    summary["verdicts"][0]["metric"] = "brier"
    assert page_of(summary).answers[0].figure.left == "← challenger better"


def test_text_and_markdown_hold_the_verdict_and_the_baseline(made):
    summary = made.binary_summary()
    text = render_text(summary, 80)
    words = " ".join(text.split())
    for verdict in summary["verdicts"]:
        assert verdict["sentence"] in words
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(r"untouched, histogram boosting .* baseline", text)
    assert "and 6 more on the page" in text
    table = [line for line in render_markdown(summary).splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table[:16]} == {8}
    assert table[2].startswith("| untouched, histogram boosting (baseline) |")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number(None), "–"),
        (number(0.8426), "0.843"),
        (number(-0.0126), "−0.013"),
        (number(-0.0001), "0.000"),
        (number(float("-inf")), "−∞"),
        (number(12345.678, 1), "12,345.7"),
        (signed(0.01), "+0.010"),
        (signed(-0.01), "−0.010"),
        (signed(None), "–"),
        (share_text(0.0), "0\xa0%"),
        (share_text(0.0612), "6.12\xa0%"),
        (share_text(0.000001), "<\xa00.001\xa0%"),
        (share_text(0.99999), ">\xa099.9\xa0%"),
        (share_text(1.0), "100\xa0%"),
        (seconds_text(0.0123), "12\xa0ms"),
        (seconds_text(3.21), "3.2\xa0s"),
        (seconds_text(42.3), "42\xa0s"),
        (seconds_text(605), "10\xa0min"),
        (seconds_text(7500), "2\xa0h 5\xa0min"),
        (bytes_text(812), "812\xa0B"),
        (bytes_text(1_530_000), "1.53\xa0MB"),
        (bytes_text(999_900), "1\xa0MB"),
        (bytes_text(2.5e12), "2,500\xa0GB"),
    ],
)
def test_numbers_read_well(shown, expected):
    assert shown == expected


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=9))
def test_axes_keep_order_and_bounds(values):
    axis = Axis.over(values, 100.0)
    places = [axis.x(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(4 - 1e-9 <= place <= 96 + 1e-9 for place in places)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 7
    slack = 1e-6 * (axis.high - axis.low)
    assert axis.low - slack <= min(ticks)
    assert max(ticks) <= axis.high + slack
    assert len({f"{tick:.{axis.tick_decimals()}f}" for tick in ticks}) == len(ticks)


@given(st.floats(1e-5, 1e5))
def test_columns_show_three_digits_of_their_largest_number(value):
    shown = number(value, decimals_for([value, None, value / 7]))
    assert float(shown.replace(",", "")) == pytest.approx(value, rel=6e-3)


@given(st.text())
def test_inert_text_prints_and_stays_short(text):
    shown = inert(text, 30)
    assert shown.isprintable()
    assert inert_markdown(text, 30).isprintable()
    if text.isprintable() and len(text) <= 30:
        assert shown == text
    assert all(line.isprintable() for line in inert_code(text, 5).split("\n"))
