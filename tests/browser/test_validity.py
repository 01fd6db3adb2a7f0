"""The Nu Html Checker accepts every page.

Its release on the package index is of 2020: HTML and SVG have not moved since where the page uses
them, CSS has. What it says about a property or a pseudo-element that it has never heard of counts
only if Chromium has not heard of it either.
"""

import json
import re
import subprocess

import pytest

pytestmark = pytest.mark.browser

NEW_PROPERTY = re.compile(r"CSS: “.*”: Property “([\w-]+)” doesn't exist\.")
NEW_SELECTOR = re.compile(r"CSS: Unknown pseudo-element or pseudo-class “(.+)”\.?")


@pytest.fixture(scope="module")
def knows(browser):
    """Return a function that says whether Chromium knows a property or a selector."""
    context = browser.new_context()
    page = context.new_page()

    def ask(message):
        if found := NEW_PROPERTY.fullmatch(message):
            return page.evaluate("name => CSS.supports(name, 'inherit')", found[1])
        if found := NEW_SELECTOR.fullmatch(message):
            return page.evaluate("name => CSS.supports(`selector(${name})`)", found[1])
        return False

    yield ask
    context.close()


def complaints(validator, *paths):
    command = [*validator, "--format", "json", "--exit-zero-always", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    for message in json.loads(done.stderr)["messages"]:
        where = f"{message['url'].rsplit('/')[-1]}:{message.get('lastLine')}"
        yield where, message["message"]


def test_the_validator_accepts_every_page(pages, validator, knows):
    said = complaints(validator, *pages.values())
    assert [f"{where}: {message}" for where, message in said if not knows(message)] == []


def test_a_bad_page_is_noticed(page_file, validator, knows):
    head = "<style>p { colour: red } p::nowhere { color: red }</style>"
    body = """<p><div>block</div></p><b id=a></b><i id=a></i>
        <table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>
        <svg role="img" aria-labelledby="nobody"></svg>"""
    said = [message for _, message in complaints(validator, page_file(body, head))]
    left = " ".join(message for message in said if not knows(message))
    expected = ("No “p” element in scope", "Duplicate ID", "aria-labelledby", "colour", "nowhere")
    for words in expected:
        assert words in left
