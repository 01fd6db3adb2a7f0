"""Messages: one inert line of a fixed form, whatever the data put into it."""

import subprocess
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbkit._core import messages
from imbkit._core.messages import listing, message, nearest_names, require, shorten
from imbkit.exceptions import MissingExtraError

# Any text, surrogates, control characters and direction marks included, and mostly those.
nasty = st.text(st.one_of(st.characters(), st.sampled_from("\n\r\t\x00\x1b\x7f\u202e\u200f\u2066")))


def test_form():
    found = message("SMOTE", "k_neighbors must be 1 or more", 0, "Use 1 for a copy")
    assert found == "SMOTE: k_neighbors must be 1 or more. Got 0. Use 1 for a copy."
    assert message("a", "b") == "a: b."
    assert message("a", "b", "two words") == "a: b. Got two words."
    assert message("a", "b", ["x"]) == "a: b. Got ['x']."


@given(nasty, nasty, st.one_of(nasty, st.lists(nasty)), nasty)
def test_message_is_inert(who, rule, got, todo):
    text = message(who, rule, got, todo)
    assert text.isprintable()
    assert not set(text) & set("\n\x1b\u202e\u200f\u2066")


@given(st.text(min_size=1), st.integers(1000, 3000))
def test_message_is_bounded(text, repeat):
    text *= repeat
    assert len(message(text, text, text, text)) < 4 * 1000 + 20


@given(st.one_of(nasty, st.binary(), st.lists(nasty)), st.integers(0, 100))
def test_shorten_is_inert_and_within_the_limit(value, limit):
    text = shorten(value, limit)
    assert text.isprintable()
    assert len(text) <= limit


@given(nasty)
def test_shorten_leaves_short_plain_text_alone(value):
    whole = shorten(value, 10_000)
    if value.isprintable():
        assert whole == repr(value)
    assert shorten(value, len(whole)) == whole
    if len(whole) > 3:
        assert shorten(value, len(whole) - 1) == whole[: len(whole) - 4] + "..."


def test_shorten_cuts_ten_thousand_characters():
    assert len(shorten("x" * 10_000)) == 60


@given(st.lists(nasty), st.integers(1, 6))
def test_listing_shows_the_first_and_counts_the_rest(values, limit):
    text = listing(values, limit)
    assert text.isprintable()
    assert text.startswith(", ".join(map(shorten, values[:limit])))
    assert text.endswith(f"and {len(values) - limit} more") or len(values) <= limit


def test_listing_takes_iterators():
    assert listing(iter(range(8))) == "0, 1, 2, 3, 4 and 3 more"


def test_nearest_names_ignores_case_and_repeats():
    assert nearest_names("CLASS", ["class", "klass", "class", "amount"]) == ["class", "klass"]
    assert nearest_names("zzz", ["class"]) == []
    # Of names that differ in case alone, the first stands for both.
    assert nearest_names("class", ["Class", "CLASS"]) == ["Class"]


@given(st.text(max_size=8), st.lists(st.text(max_size=8)), st.integers(1, 3))
def test_nearest_names_come_from_the_names(name, names, limit):
    found = nearest_names(name, names, limit)
    assert len(found) <= limit
    assert set(found) <= set(names)
    if name and name in names:
        assert found[0].casefold() == name.casefold()


def test_require_returns_the_module():
    assert require("json", "compare", "compare") is sys.modules["json"]


def test_require_names_the_extra():
    with pytest.raises(MissingExtraError) as caught:
        require("no_such_package.part", "compare", "Comparison.report")
    assert str(caught.value) == (
        "Comparison.report: needs the package no_such_package, which is not installed. "
        'Run: pip install "imbkit[compare]".'
    )
    assert isinstance(caught.value, ImportError)


def test_require_does_not_blame_a_package_for_its_own_missing_part(monkeypatch):
    def broken(name):
        raise ModuleNotFoundError("No module named 'inner'", name="inner")

    monkeypatch.setattr(messages, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="inner") as caught:
        require("outer", "compare", "compare")
    assert not isinstance(caught.value, MissingExtraError)


def test_values_may_have_any_repr():
    value = types.SimpleNamespace(name="a\nb")
    assert message("a", "b", value) == "a: b. Got namespace(name='a\\nb')."


@pytest.mark.parametrize("module", ["imbkit._core.messages", "imbkit._core.card"])
def test_light_modules_import_nothing_heavy(module):
    heavy = "{'sklearn', 'scipy', 'narwhals'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
