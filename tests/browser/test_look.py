"""The page fits a telephone, turns dark, and prints."""

from dataclasses import dataclass

import pytest

pytestmark = pytest.mark.browser

COLOURS = """() => {
    const style = getComputedStyle(document.body)
    return [style.backgroundColor, style.color].map(c => c.match(/\\d+/g).slice(0, 3).map(Number))
}"""
DRAWN = """() => [...document.querySelectorAll("svg :is(path, rect, circle, line, polyline, text)")]
    .filter(e => !e.closest("defs, clipPath"))
    .map(e => [getComputedStyle(e).fill, getComputedStyle(e).stroke])"""
# Elements that reach over the right edge and are not inside something that scrolls.
TOO_WIDE = """() => [...document.querySelectorAll("body *")].filter(e => {
    for (let up = e; up !== document.body; up = up.parentElement) {
        if (up !== e && getComputedStyle(up).overflowX !== "visible") return false
    }
    return e.getBoundingClientRect().right > innerWidth + 1
}).map(e => e.outerHTML.slice(0, 120))"""
# Drawings that a sheet cannot hold or that may be divided between two, and boxes that would need
# a scroll bar. Chromium shrinks what is too wide by up to a third, and cuts what is wider.
CUT = """([width, height]) => [...document.querySelectorAll("body *")].filter(e => {
    const box = e.getBoundingClientRect(), flow = getComputedStyle(e).overflowX
    if ((flow === "auto" || flow === "scroll") && e.scrollWidth > e.clientWidth) return true
    if (box.width > 1.4 * width) return true
    if (!e.matches("figure, svg[role=img]")) return false
    if (box.right > width + 1 || box.height > height) return true
    for (let up = e; up; up = up.parentElement) {
        if (getComputedStyle(up).breakInside === "avoid") return false
    }
    return true
}).map(e => e.outerHTML.slice(0, 120))"""
PIXELS_PER_POINT = 96 / 72


@dataclass
class Sheet:
    """A printed sheet: its text without blanks, its size, and its left margin, in points."""

    words: str
    width: float
    height: float
    margin: float


@pytest.fixture
def printed(read_pdf):
    """Return a function that prints a page to sheets."""

    def print_page(page):
        pdf = read_pdf(page.pdf(prefer_css_page_size=True))
        return [read_sheet(sheet) for sheet in pdf.pages]

    return print_page


def test_the_body_does_not_scroll_sideways(pages, visit, any_name):
    page = visit(pages[any_name], width=390).page
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(TOO_WIDE) == []
        assert page.evaluate("document.scrollingElement.scrollWidth") == width


def test_something_too_wide_is_noticed(page_file, visit):
    page = visit(page_file('<div style="width: 500px">wide</div>'), width=390).page
    assert page.evaluate(TOO_WIDE)


def test_dark_is_dark_and_light_is_light(pages, visit):
    page = visit(pages["rich"], scheme="light").page
    (paper, ink), drawn = page.evaluate(COLOURS), page.evaluate(DRAWN)
    assert min(paper) > 230
    assert max(ink) < 80
    page.emulate_media(color_scheme="dark")
    (paper, ink), drawn_dark = page.evaluate(COLOURS), page.evaluate(DRAWN)
    assert max(paper) < 50
    assert min(ink) > 180
    assert [a for a, b in zip(drawn, drawn_dark, strict=True) if a == b] == []
    page.emulate_media(color_scheme="dark", media="print")
    paper, ink = page.evaluate(COLOURS)
    assert min(paper) == 255
    assert max(ink) < 80


@pytest.mark.parametrize("name", ["binary", "multiclass", "rich"])
def test_the_print_has_every_section_and_cuts_nothing(pages, visit, printed, name):
    page = visit(pages[name], scheme="dark").page
    titles = page.locator("main h2").all_inner_texts()
    sheets = printed(page)
    assert 2 <= len(sheets) <= 40
    assert [number for number, sheet in enumerate(sheets, 1) if len(sheet.words) < 40] == []
    everything = "".join(sheet.words for sheet in sheets)
    assert [title for title in titles if squeeze(title) not in everything] == []
    show_as_printed(page, sheets[0])
    assert page.evaluate(CUT, inner_size(sheets[0])) == []


def test_a_print_that_would_be_cut_is_noticed(page_file, visit, printed):
    wide = '<div style="overflow-x: auto"><p style="width: 3000px">wide</p></div>'
    page = visit(page_file(f"{wide}<figure>a figure that may be divided</figure>")).page
    (sheet,) = printed(page)
    show_as_printed(page, sheet)
    assert [text[:4] for text in page.evaluate(CUT, inner_size(sheet))] == ["<div", "<p s", "<fig"]


def inner_size(sheet):
    """Return width and height of what a sheet holds within its margins, in pixels."""
    return [(side - 2 * sheet.margin) * PIXELS_PER_POINT for side in (sheet.width, sheet.height)]


def show_as_printed(page, sheet):
    """Lay the page out as for print, on a screen as large as the inside of a sheet."""
    width, height = map(int, inner_size(sheet))
    page.emulate_media(media="print")
    page.set_viewport_size({"width": width, "height": height})


def read_sheet(sheet):
    starts = []

    def look(text, current, matrix, font, size):
        if text.strip():
            starts.append(matrix[4] * current[0] + matrix[5] * current[2] + current[4])

    words = squeeze(sheet.extract_text(visitor_text=look))
    box = sheet.mediabox
    return Sheet(words, float(box.width), float(box.height), min(starts, default=0.0))


def squeeze(text):
    return "".join(text.split())
