"""The page asks for nothing, runs nothing, and reads without scripts and pictures."""

from collections import Counter

import pytest

pytestmark = pytest.mark.browser

RUNNABLE = "script[src], iframe, object, embed, form, input, img, link, base, audio, video"
# Every element with the names of its attributes, apart for the page and for its drawings: how many
# marks a drawing has may depend on how long its labels are.
TREE = """() => ["", "svg "].map(where => [...document.querySelectorAll(where + "*")]
    .filter(e => where || !e.closest("svg"))
    .map(e => e.localName + " " + [...e.attributes].map(a => a.name).sort().join(" ")))"""
# Drawings that are neither named for a screen reader nor hidden from it.
UNNAMED = """() => [...document.querySelectorAll("svg")].filter(e => {
    const named = e.getAttribute("role") === "img" && e.getAttribute("aria-label")?.length > 20
    return e.getAttribute("aria-hidden") === "true" ? named : !named
}).map(e => e.outerHTML.slice(0, 120))"""
SECTION_TEXTS = """() => [...document.querySelectorAll("main > section")].map(
    s => [s.querySelector("h2").innerText, s.innerText])"""


def squeeze(text):
    return "".join(text.split())


def test_nothing_is_asked_for_and_nothing_goes_wrong(pages, visit, any_name):
    visited = visit(pages[any_name])
    visited.page.wait_for_timeout(200)
    assert visited.requests == [pages[any_name].as_uri()]
    assert visited.said == []


def test_a_page_that_is_not_quiet_is_noticed(page_file, visit):
    bad = (
        '<img src="http://evil.example/x.png" alt="" onerror="nobody()">'
        "<script>setTimeout(() => alert(1))</script>"
    )
    visited = visit(page_file(bad))
    visited.page.wait_for_timeout(200)
    assert "http://evil.example/x.png" in visited.requests
    assert "dialog: 1" in visited.said
    assert any("nobody is not defined" in text for text in visited.said)


@pytest.mark.parametrize("name", ["hostile", "hostile_rich"])
def test_hostile_texts_are_inert(pages, visit, name):
    page = visit(pages[name]).page
    assert page.locator(RUNNABLE).count() == 0
    elements = [element for part in page.evaluate(TREE) for element in part]
    assert [element for element in elements if " on" in element] == []
    text = page.evaluate("document.body.textContent")
    assert '<script>alert("x")</script>' in text
    assert "<img src=http://evil.example/x.png onerror=alert(1)>" in text
    assert "right\\u202eto" in text
    assert "{{ 7 * 7 }}" in text


@pytest.mark.parametrize("name", ["hostile", "hostile_rich"])
def test_hostile_texts_make_the_elements_of_plain_texts(pages, visit, load_made, tmp_path, name):
    from imbkit.bench._report import render_html

    made = load_made()
    made.HOSTILE = tuple(f"plain text {k}" for k in range(len(made.HOSTILE)))
    plain = tmp_path / "plain.html"
    plain.write_text(render_html(getattr(made, f"{name}_summary")()), encoding="utf-8")
    expected, got = (visit(path).page.evaluate(TREE) for path in (plain, pages[name]))
    assert Counter(got[0]) - Counter(expected[0]) == Counter()
    assert Counter(expected[0]) - Counter(got[0]) == Counter()
    assert set(got[1]) == set(expected[1])


def test_the_page_reads_without_scripts(pages, visit, any_name):
    with_scripts = visit(pages[any_name]).page
    without = visit(pages[any_name], scripts=False).page
    expected, got = (page.evaluate(SECTION_TEXTS) for page in (with_scripts, without))
    assert [title for title, _ in expected] == [title for title, _ in got]
    assert [squeeze(text) for _, text in expected] == [squeeze(text) for _, text in got]
    assert all(len(text) > len(title) + 40 for title, text in got)


def test_the_contents_lead_to_every_section(pages, visit, any_name):
    page = visit(pages[any_name], scripts=False).page
    targets = page.eval_on_selector_all("nav a", "links => links.map(a => a.hash.slice(1))")
    sections = page.eval_on_selector_all("main > section", "all => all.map(s => s.id)")
    assert [target for target in targets if target in sections] == sections
    assert page.locator(", ".join(f"#{target}" for target in targets)).count() == len(targets)


def test_figures_read_without_their_pictures(pages, visit, any_name):
    page = visit(pages[any_name], scripts=False).page
    assert page.evaluate(UNNAMED) == []
    page.evaluate("document.querySelectorAll('svg, img, canvas').forEach(e => e.remove())")
    texts = page.eval_on_selector_all("figure", "all => all.map(f => f.innerText)")
    assert [text for text in texts if len(text.split()) < 5] == []
