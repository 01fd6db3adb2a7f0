import base64
import hashlib
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
    p_value_text,
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
details summary pre code script
"""
ATTRIBUTES = """
lang charset name content http-equiv class href id aria-label aria-labelledby aria-hidden role
tabindex scope rowspan viewbox width height d x y cx cy r text-anchor focusable style title
data-sort data-v
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


NAMES = ("binary", "rich", "multiclass", "hostile", "hostile_rich", "huge", "crowded", "bare")


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
    # One script of our own, which the page allows by its digest.
    assert page.elements.count("script") == 1
    script = source.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = (v for v in page.values("content") if "default-src" in v)
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    assert len(script.splitlines()) <= 30
    assert not re.search("fetch|http|eval|innerHTML|import", script)


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
        for page in ("binary", "multiclass", "rich")
        for element, name, _ in Page(pages[page]).attributes
    }
    for hostile in ("hostile", "hostile_rich"):
        page = Page(pages[hostile])
        assert {(element, name) for element, name, _ in page.attributes} <= tame
        assert all(c.isprintable() or c in "\n\xa0" for c in pages[hostile])
    assert '<script>alert("x")</script>' in page.text
    assert "right\\u202eto\\u202cleft" in page.text
    assert "null\\x00bell" in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "(10,000 characters)" in page.text
    assert "x" * 1001 not in pages["hostile"]
    assert "evil.example" not in " ".join(v for _, _, v in page.attributes if v)
    for render in (render_text, render_fragment, render_markdown):
        for summary in (made.hostile_summary(), made.hostile_rich_summary()):
            assert all(c.isprintable() or c in "\n\xa0" for c in render(summary))
    Page(render_fragment(made.hostile_summary()))
    assert "<script" not in render_fragment(made.hostile_summary())
    assert "<script" not in render_markdown(made.hostile_summary()).replace("\\<", "")


@settings(max_examples=12, deadline=None)
@given(st.text(min_size=1), st.text(st.characters(), min_size=1))
def test_any_name_comes_out_as_text(made, pages, first, second):
    summary = made.binary_summary()
    summary["data"]["name"], summary["entries"][3]["title"] = first, second
    page = Page(render_html(summary))
    squeezed = page.text.replace(" ", "")
    assert inert(first).replace(" ", "").replace("\xa0", "") in squeezed.replace("\xa0", "")
    assert inert(second).replace(" ", "") in squeezed
    assert page.elements == Page(pages["binary"]).elements


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
    # Only the policy that is judged is drawn, held against the baseline under it.
    bars = [row.cells[1].bar for row in table.rows[:4]]
    assert bars[0] is bars[2] is None
    assert bars[1].mean == bars[1].reference == bars[3].reference
    # More alerts are neither better nor worse.
    assert [
        head.text
        for head, cell in zip(table.heads, table.rows[6].cells, strict=True)
        if not cell.tied
    ] == ["Threshold", "Alerts"]
    classes = page_of(made.multiclass_summary()).decisions
    assert [row.policy for row in classes.rows[:2]] == ["most probable class", "tuned weights"]
    assert classes.heads[0].text == "MCC"


def test_weights_of_many_classes_stand_on_the_page(made, pages):
    page = page_of(made.multiclass_summary())
    assert [cell.text for cell in page.weights.rows[0].cells] == ["16", "8", "4", "2", "1"]
    assert page.weights.rows[0].cells[0].span == "5.06 to 81"
    assert page.weights.rows[0].cells[-1].span == ""
    assert [row.policy for row in page.recalls.rows[:2]] == ["most probable class", "tuned weights"]
    assert "the saved model predicts the most probable class" in Page(pages["multiclass"]).text
    assert page_of(made.binary_summary()).weights is None
    assert page_of(made.binary_summary()).shipped == ""


def test_many_classes_that_were_not_weighed(made):
    summary = made.multiclass_summary()
    for entry in summary["entries"]:
        entry["policies"] = entry["policies"][:1]
        entry["class_weights"] = {}
    summary["task"] |= {"inner_folds": 0, "decision_policy": "argmax"}
    summary["recommended_policy"] = "argmax"
    for verdict in summary["verdicts"]:
        verdict |= {"policy": "argmax", "best_policy": "argmax"}
    page = page_of(summary)
    assert page.weights is None
    assert not page.decisions.policies
    assert page.shipped == ""
    text = Page(render_html(summary)).text
    assert "tuned weights" not in text
    assert "Weights of the classes" not in text


def test_a_summary_without_results_still_gives_a_page(made):
    summary = made.bare_summary()
    summary |= {"cautions": [], "problems": [], "folds": []}
    summary["data"] |= {"warnings": [], "columns": [], "classes": [], "rows": 0}
    del summary["command"]
    page = Page(render_html(summary))
    assert "There is no challenger to draw" in page.text
    assert "raised no caution" in page.text
    assert "no learner raised a warning" in page.text
    assert "There are no curves" in page.text
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


SECTIONS = ["verdict", "data", "results", "money", "curves", "folds", "costs", "recipe", "method"]


def sections(source):
    return re.findall(r'<section id="([a-z-]+)"', source)


def parts(source):
    """Return the ids of the headings within sections."""
    return set(re.findall(r'<h3 id="([a-z-]+)"', source))


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("rich", set()),
        ("hostile_rich", set()),
        ("crowded", set()),
        ("binary", set()),
        ("multiclass", {"money", "curves"}),
        ("bare", {"money", "curves", "folds"}),
    ],
)
def test_the_contents_are_the_sections_that_are_there(pages, name, gone):
    there = [section for section in SECTIONS if section not in gone]
    assert sections(pages[name]) == there
    nav = re.search("<nav.*?</nav>", pages[name], re.S).group()
    assert re.findall(r'href="#([a-z]+)"', nav) == there


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda s: s["data"].update(periods=[]), "periods"),
        (lambda s: s.update(held_out=None), "held-out"),
        (lambda s: [c.update(precision_recall=NO_BAND, roc=NO_BAND) for c in s["curves"]],
         "ranking-curves"),
        (lambda s: [c.update(objective=NO_BAND) for c in s["curves"]], "threshold-curves"),
        (lambda s: [c.update(budget_recall=NO_BAND, budget_precision=NO_BAND, budget_amount=None)
                    for c in s["curves"]], "budget-curves"),
        (lambda s: [c.update(reliability=[]) for c in s["curves"]]
                   + [e.update(calibration=None) for e in s["entries"]], "calibration"),
        (lambda s: [v.update(best=None, difference=None) for v in s["verdicts"]], "each-fold"),
        (lambda s: s.update(pairs=[]), "pairs"),
    ],
)  # fmt: skip
def test_a_part_is_there_if_its_data_is(made, pages, change, part):
    assert part in parts(pages["rich"])
    summary = made.rich_summary()
    change(summary)
    source = render_html(summary)
    assert parts(source) == parts(pages["rich"]) - {part}
    Page(source)


NO_BAND = {"x": [], "mean": [], "low": [], "high": []}


def test_sentences_stand_where_a_reader_would_miss_a_part(pages):
    assert "No costs were given" in Page(pages["binary"]).text
    assert "Not known, because no costs were given" in Page(pages["binary"]).text
    assert "Curves, calibration and costs need two classes" in Page(pages["multiclass"]).text
    assert "There are no curves" not in Page(pages["rich"]).text


def test_the_first_screen_says_what_to_use_and_what_it_saves(made, pages):
    text = Page(pages["rich"]).text
    start = text[: text.index("How to read this")]
    assert "7 strategies with 2 learners" in start
    advice = "Use under-sampling ensemble, histogram boosting and alert where silence would cost"
    assert advice in start
    assert "It beat the baseline beyond noise, in decisions." in start
    money = {line.title: line for line in page_of(made.rich_summary()).money.lines}
    line = money["under-sampling ensemble, histogram boosting by expected loss (recommended)"]
    saves = f"cost {line.cost} per 1,000 rows: {line.saved} less than alerting nothing (95 %"
    assert saves in start
    assert "Of 100 alerts a day, 77 % are right" in start.replace("\xa0", " ")
    assert "On later.parquet, which nothing else touched" in start


@pytest.mark.parametrize(
    ("outcomes", "recommended", "words"),
    [
        (("beaten", "beaten"), "SMOTE", "beyond noise, in ranking and decisions"),
        (("beaten", "not beaten"), "SMOTE", "beyond noise, in ranking."),
        (("not beaten", "not beaten"), "BASELINE", "nothing beat it beyond noise"),
        (("undecided", "undecided"), "BASELINE", "nothing could be shown to beat it"),
        (("not beaten", "beaten"), "BASELINE", "in one question alone"),
        (("undecided", "undecided"), "SMOTE", "not the baseline"),
    ],
)
def test_the_advice_says_why(made, outcomes, recommended, words):
    summary = made.binary_summary()
    summary["recommended"] = getattr(made, recommended)
    for verdict, outcome in zip(summary["verdicts"], outcomes, strict=True):
        verdict |= {"outcome": outcome, "best": made.SMOTE}
    assert words in page_of(summary).advice[2]


def test_both_intervals_are_on_the_page(made):
    summary = made.rich_summary()
    table = page_of(summary).intervals
    assert [head.note for head in table.heads] == ["over folds", "over test rows"] * 2
    estimate = summary["entries"][2]["scores"]["average_precision"]
    over_rows = table.rows[2].cells[1].text
    assert over_rows == f"{estimate['bootstrap_low']:.3f} to {estimate['bootstrap_high']:.3f}"
    assert table.rows[2].cells[0].text == f"{estimate['low']:.3f} to {estimate['high']:.3f}"
    bar = page_of(summary).ranking.rows[2].cells[0].bar
    assert 0 < float(bar.inner_length) < float(bar.length)
    assert page_of(made.bare_summary()).intervals.rows == ()


def test_leaks_stand_first_and_are_said_once(made):
    summary = made.rich_summary()
    summary["data"]["warnings"].append(summary["data"]["leaks"][0]["text"])
    text = Page(render_html(summary)).text
    assert text.count(summary["data"]["leaks"][0]["text"]) == 1
    assert "verdict_code gives the target away 0.998" in text
    assert "2025-01-01 to 2025-12-31 23:10:00, by seen" in text
    assert "841, by customer" in text
    assert "46 to 47" in text


def test_drawings_hold_no_number_that_is_none(pages):
    for source in pages.values():
        drawings = re.findall(r"<svg.*?</svg>", source, re.S)
        assert drawings
        for drawing in drawings:
            marks = re.sub(r' aria-label="[^"]*"|<text.*?</text>', "", drawing)
            assert not re.search(r"nan|inf|None|e[-+]\d", marks, re.I)


def test_small_p_values_are_below_a_bound(made, pages):
    assert "< 0.001" in Page(pages["rich"]).text.replace("\xa0", " ")
    assert p_value_text(0.0) == "<\xa00.001"
    assert p_value_text(0.001) == "0.001"
    assert p_value_text(None) == "–"


def test_text_and_markdown_hold_savings_and_the_test_table(made):
    summary = made.rich_summary()
    for render in (render_text, render_markdown):
        words = " ".join(render(summary).replace("\\", "").split())
        assert "less than alerting nothing" in words
        assert "Of 100 alerts a day, 77 % are right" in words
        assert "xa0" not in words
        assert "On later.parquet, which nothing else touched" in words
        assert "no costs were given" not in render(made.binary_summary())


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
