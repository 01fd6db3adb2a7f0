"""The page serves readers with a screen reader, a keyboard, or weak eyes."""

import pytest

pytestmark = pytest.mark.browser

SETTINGS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
MOST_STOPS = 400
# What the keyboard must reach, in the order in which it stands on the page.
STOPS = """() => {
    const wanted = 'a[href], button, summary, input, select, [tabindex="0"]'
    const all = [...document.querySelectorAll("*")]
    return all.flatMap((e, k) => e.matches(wanted) && e.checkVisibility() ? [k] : [])
}"""
SCROLLING = """() => [...document.querySelectorAll("*")].flatMap((e, k) => {
    const flow = getComputedStyle(e).overflowX
    const scrolls = (flow === "auto" || flow === "scroll") && e.scrollWidth > e.clientWidth
    return scrolls && e.checkVisibility() ? [k] : []
})"""
FOCUSED = """() => {
    const e = document.activeElement
    if (!e || e === document.body) return null
    const style = getComputedStyle(e), box = e.getBoundingClientRect()
    return {
        place: [...document.querySelectorAll("*")].indexOf(e),
        target: e.hash || "",
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        shown: box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight
            && box.right > 0 && box.left < innerWidth,
    }
}"""
# The text of drawings, which axe-core does not judge: colour and size against the paper.
DRAWN_TEXTS = """() => {
    const paper = getComputedStyle(document.body).backgroundColor
    return [...document.querySelectorAll("svg text")].map(e => {
        const style = getComputedStyle(e)
        return [e.textContent, style.fill, paper]
    })
}"""


@pytest.mark.parametrize(
    "name", ["rich", "binary", "multiclass", "bare", "hostile", "hostile_rich", "several"]
)
def test_axe_finds_nothing(pages, visit, violations, name):
    page = visit(pages[name]).page
    # Each page in both schemes and both widths; all pairs of them on the fullest page alone.
    for scheme, width in SETTINGS if name == "rich" else SETTINGS[::3]:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], (scheme, width)


def test_axe_notices_a_bad_page(page_file, visit, violations):
    body = '<main><h1>A</h1><h4>B</h4><p style="color: #ccc">pale</p><button></button></main>'
    found = " ".join(violations(visit(page_file(body)).page))
    for rule in ("heading-order", "color-contrast", "button-name"):
        assert rule in found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["binary", "multiclass", "rich"])
def test_drawn_text_stands_out(pages, visit, name, scheme):
    drawn = visit(pages[name], scheme=scheme).page.evaluate(DRAWN_TEXTS)
    assert drawn
    assert [text for text, ink, paper in drawn if contrast(ink, paper) < 4.5] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_reaches_everything_in_order_and_sees_where_it_is(pages, visit, width):
    page = visit(pages["rich"], width=width).page
    stops = walk(page)
    places = [stop["place"] for stop in stops]
    assert places == page.evaluate(STOPS)
    assert set(page.evaluate(SCROLLING)) <= set(places)
    assert [stop for stop in stops if not (stop["outlined"] and stop["shown"])] == []
    contents = page.eval_on_selector_all("nav a", "links => links.map(a => a.hash)")
    assert [stop["target"] for stop in stops[1 : len(contents) + 1]] == contents


def test_the_first_stop_skips_the_contents(pages, visit):
    page = visit(pages["rich"]).page
    page.keyboard.press("Tab")
    target = page.evaluate(FOCUSED)["target"]
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == target
    assert page.locator(f"main {target}, main{target}").count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def walk(page):
    """Press Tab until the focus leaves the page; return where it was."""
    stops = []
    while len(stops) < MOST_STOPS:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None or (stops and stop["place"] == stops[0]["place"]):
            break
        stops.append(stop)
    return stops


def contrast(first, second):
    """Return the contrast of two colours, as WCAG 2.1 defines it."""
    dark, light = sorted([luminance(first), luminance(second)])
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    assert colour.startswith("rgb(")
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
