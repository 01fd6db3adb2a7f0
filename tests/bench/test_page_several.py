"""The page of several tables: sound HTML, inert texts, and a diagram that says what is so."""

import importlib.util
import re
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.bench._diagram import draw_ranks
from imbkit.bench._page_several import page_of_several, render_several, render_several_text
from imbkit.bench._summary_several import summarise_several

BASE = "none/boosting"
VOID = {"meta", "br"}
HOSTILE = (
    '<script>alert("x")</script>',
    "\" onmouseover='alert(1)' x=\"",
    "</style></title></svg><img src=http://evil.example/x.png onerror=alert(1)>",
    "right\u202eto\u202cleft",
    "null\x00bell\x07escape\x1b[31mred\nline",
    "{{ 7 * 7 }} {% raw %}",
    "//evil.example/",
    "x" * 10_000,
)


def _load(name):
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


several = _load("several_summaries")


class Page(HTMLParser):
    """Collects elements, attributes and text, and sees that every element is closed."""

    def __init__(self, source):
        super().__init__()
        self.open, self.elements, self.attributes, self.texts = [], [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.handle_startendtag(tag, attributes)
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


def summary_of(n=16, k=14, step=0.03, seed=0, problems=None):
    """Entries that follow one another by `step`, the baseline somewhere in the middle."""
    rng = np.random.default_rng(seed)
    order = np.array([k // 2, *(j for j in range(k) if j != k // 2)])
    scores = 0.9 - step * order + rng.normal(0, 0.03, size=(n, k))
    summaries = several.many_summaries(scores)
    directories = {name: name for name in summaries}
    return summarise_several(summaries, problems or {}, directories, wall_seconds=12.3)


def hostile_summary():
    summary = summary_of(6, 4, problems={"odd": "x"})
    bad = " ".join(HOSTILE[:7])
    summary |= {"command": bad, "cautions": list(HOSTILE)}
    summary["versions"] = {text: text for text in HOSTILE}
    for card, text in zip(summary["tables"], HOSTILE[-7:], strict=True):
        card |= {"name": text, "rare": text, "directory": text}
        card["problem"] = card["problem"] and bad
        for verdict in card["verdicts"]:
            verdict |= {"best": text, "difference": 0.1}
    for question in summary["questions"]:
        question["sentence"] = bad
        question["metric"] |= {"title": HOSTILE[0], "meaning": HOSTILE[2]}
        question["tables"] = list(HOSTILE[: len(question["tables"])])
        for entry, text in zip(question["entries"], HOSTILE, strict=False):
            entry["title"] = text
        question["entries"][-1]["left_out"] = bad
    return summary


MADE = {
    "many": lambda: summary_of(),
    "few": lambda: summary_of(3, 4),
    "failed": lambda: summary_of(6, 3, problems={"odd": "the target must have two classes."}),
    "huge": lambda: summary_of(90, 70),
    "hostile": hostile_summary,
}


@pytest.mark.parametrize("name", MADE)
def test_pages_are_well_formed_self_contained_and_small(name):
    summary = MADE[name]()
    source = render_several(summary, {card["directory"] for card in summary["tables"]})
    page = Page(source)
    assert len(source.encode()) < 2_000_000
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for href in page.values("href"):
        assert href[1:] in ids if href.startswith("#") else href.endswith("/report.html")
    assert all(label in ids for label in page.values("aria-labelledby"))
    style = re.search(r"<style>(.*?)</style>", source, re.S).group(1)
    assert "url(" not in style
    assert "@import" not in style
    assert {"script", "img", "iframe"}.isdisjoint(page.elements)
    assert not any(attribute.startswith("on") for _, attribute, _ in page.attributes)
    assert page.elements.count("th") == len(page.values("scope"))
    levels = [int(tag[1]) for tag in page.elements if tag in ("h1", "h2", "h3")]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.elements.count("svg") == page.values("role").count("img")


def test_hostile_texts_are_inert():
    summary = hostile_summary()
    source = render_several(summary, set(HOSTILE))
    page = Page(source)
    assert all(c.isprintable() or c in "\n\xa0" for c in source)
    assert '<script>alert("x")</script>' in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "x" * 1001 not in source
    # A link goes to a directory beside the page, whatever its name.
    for href in page.values("href"):
        assert re.fullmatch(r"#[a-z]+|[A-Za-z0-9_%.~-]+/report\.html", href)
    text = render_several_text(summary)
    assert all(c.isprintable() or c == "\n" for c in text)


@settings(max_examples=20)
@given(st.text(min_size=1))
def test_any_name_comes_out_as_text(name):
    summary = summary_of(5, 3)
    plain = Page(render_several(summary, set())).elements
    summary["tables"][0]["name"] = summary["questions"][0]["entries"][1]["title"] = name
    assert Page(render_several(summary, set())).elements == plain


def test_the_page_says_what_the_summary_says():
    summary = summary_of(problems={"odd": "the target must have two classes."})
    page = Page(render_several(summary, {"t3"}))
    for question in summary["questions"]:
        assert question["sentence"] in page.text
    for caution in summary["cautions"]:
        assert caution in page.text
    assert "not compared: the target must have two classes." in page.text
    assert [h for h in page.values("href") if not h.startswith("#")] == ["t3/report.html"]
    view = page_of_several(summary, set())
    for part, card in zip(view.parts, summary["questions"], strict=True):
        shown = [line.rank for line in part.entries]
        assert shown == [f"{e['average_rank']:.2f}" for e in card["entries"]]
        assert [line.beats for line in part.entries] == [e["beats"] for e in card["entries"]]
        assert sum(line.beats for line in part.entries) >= 3
        for line, row in zip(part.scores.lines, np.transpose(card["scores"]), strict=True):
            cells = line[2]
            texts = [cell.text for cell in cells]
            assert texts == [f"{value:.3f}" for value in row]
        base = [e["baseline"] for e in card["entries"]].index(True)
        for k, table in enumerate(card["scores"]):
            strong = [line[2][k].strong for line in part.scores.lines]
            assert strong.index(True) == int(np.argmax(table))
            note = part.scores.lines[0][2][k].note.replace("−", "-")
            assert float(note) == pytest.approx(table[0] - table[base], abs=6e-4)


def test_p_values_below_the_level_stand_out():
    summary = summary_of()
    card, part = summary["questions"][0], page_of_several(summary, set()).parts[0]
    for i, (_, _, cells) in enumerate(part.pairs.lines):
        for j, cell in enumerate(cells):
            p = card["p_values"][i][j]
            assert cell.strong == (p is not None and p < 0.05)
            assert (cell.text == "–") == (i == j)


def test_few_tables_have_neither_diagram_nor_p_values():
    summary = summary_of(4, 6)
    part = page_of_several(summary, set()).parts[0]
    assert part.diagram is part.pairs is None
    page = Page(render_several(summary, set()))
    assert "svg" not in page.elements
    assert "adjusted" not in page.text
    assert "Five tables or more would allow a test" in page.text


@pytest.mark.parametrize("k", [2, 3, 7, 14, 24])
def test_the_diagram_is_true_to_the_ranks(k):
    card = summary_of(14, k)["questions"][0]
    drawn = draw_ranks(card)
    ranks = {e["title"]: e["average_rank"] for e in card["entries"]}
    places = {}
    for leader in drawn.leaders:
        start, top, down, end = map(
            float, re.fullmatch(r"M([\d.]+) ([\d.]+)V([\d.]+)H([\d.]+)", leader.path).groups()
        )
        places[leader.title] = start
        assert float(leader.rank) == pytest.approx(ranks[leader.title], abs=0.006)
        assert top < down <= float(drawn.height)
        assert (end < start) == (leader.anchor == "end")
    assert sorted(places) == sorted(ranks)
    # The ticks give the scale, on which every leader starts at its rank.
    (low, first), (high, last) = drawn.ticks[0], drawn.ticks[-1]
    step = (float(high) - float(low)) / (int(last) - int(first))
    for title, place in places.items():
        assert place == pytest.approx(float(low) + step * (ranks[title] - 1), abs=0.2)
    assert [leader.title for leader in drawn.leaders if leader.baseline] == ["untouched + boosting"]
    assert len(drawn.ticks) <= 15


def test_no_two_leaders_cross_and_no_two_names_overlap():
    for seed in range(4):
        drawn = draw_ranks(summary_of(9, 13, step=0.01, seed=seed)["questions"][0])
        paths = [re.findall(r"[\d.]+", leader.path) for leader in drawn.leaders]
        lines = [(float(a), float(d), float(e)) for a, _, d, e in paths]
        for (a, down, end), (b, deep, _) in combinations(lines, 2):
            for x, y, far, other, bottom in ((a, down, end, b, deep),):
                crosses = min(x, far) < other < max(x, far) and bottom > y
                assert not crosses
        for side in ("start", "end"):
            heights = [float(leader.y) for leader in drawn.leaders if leader.anchor == side]
            assert all(abs(one - two) >= 15 for one, two in combinations(heights, 2))


def test_bars_have_a_dot_at_each_member_and_never_touch():
    card = summary_of()["questions"][0]
    drawn = draw_ranks(card)
    places = {
        e["id"]: re.match(r"M([\d.]+)", leader.path).group(1)
        for e in card["entries"]
        for leader in drawn.leaders
        if leader.title == e["title"]
    }
    assert len(drawn.groups) == len(card["cliques"]) > 2
    bars = []
    for group, members in zip(drawn.groups, card["cliques"], strict=True):
        assert {x for x, _ in group.dots} == {places[member] for member in members}
        start, y, end = map(float, re.findall(r"[\d.]+", group.path))
        bars.append((start, end, y))
        assert y < min(float(leader.y) for leader in drawn.leaders)
    for (a, b, y), (c, d, z) in combinations(bars, 2):
        assert y != z or b < c or d < a


def test_too_many_entries_are_listed_but_not_drawn():
    summary = summary_of(6, 30)
    assert draw_ranks(summary["questions"][0]) is None
    page = Page(render_several(summary, set()))
    assert "svg" not in page.elements
    assert "untouched + boosting" in page.text


def test_the_terminal_shows_verdicts_and_the_first_ranks():
    summary = summary_of(problems={"odd": "no use."})
    text = render_several_text(summary, 90)
    words = " ".join(text.split())
    for question in summary["questions"]:
        assert question["sentence"] in words
        assert question["entries"][0]["title"] in text
    assert "'odd' could not be compared" in words
    assert "and 6 more on the page" in words
    assert max(map(len, text.splitlines())) <= 90
