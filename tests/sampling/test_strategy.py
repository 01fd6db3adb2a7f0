"""Every form of sampling_strategy, held against imbalanced-learn's own reading of it."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from imblearn.utils import check_sampling_strategy

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.sampling._strategy import resolve_strategy
from imbkit.sampling._target import Target

KINDS = ["over-sampling", "under-sampling", "clean-sampling"]
NAMES = ["auto", "all", "minority", "majority", "not minority", "not majority"]
POOLS = {
    "numbers": [0, 1, 2, 5, 11, 12],
    "negative": [-1, 1, -7, 0],
    "words": ["usual", "fraud", "b", "a", "Z"],
    "truth": [False, True],
    "many": list(range(200)),
}


def resolve(strategy, y, kind, missing_classes="raise"):
    target = y if isinstance(y, Target) else Target(np.asarray(y), "Some")
    return resolve_strategy(strategy, target, kind, missing_classes=missing_classes, who="Some")


def oracle(strategy, y, kind):
    """What imbalanced-learn makes of it, or None if it refuses."""
    try:
        return check_sampling_strategy(strategy, y, kind)
    except ValueError:
        return None


@st.composite
def labels(draw, n_classes=None):
    """Labels of any kind, in any order, with ties among the sizes of classes."""
    pool = draw(st.sampled_from(list(POOLS.values())))
    most = min(len(pool), 6) if n_classes is None else n_classes
    chosen = draw(st.permutations(pool))[: draw(st.integers(2, most))]
    sizes = [draw(st.sampled_from([1, 2, 2, 5, 9])) for _ in chosen]
    values = np.repeat(np.array(chosen), sizes)
    return values[draw(st.permutations(range(values.size)))]


def agree(strategy, y, kind):
    expected = oracle(strategy, y, kind)
    if expected is None:
        with pytest.raises((DataError, InvalidParameterError)):
            resolve(strategy, y, kind)
    else:
        found = resolve(strategy, y, kind)
        assert found == dict(expected)
        assert list(found) == sorted(found)
        assert all(type(n) is int for n in found.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30)
@given(y=labels())
def test_names_mean_what_they_do_in_the_peer(kind, name, y):
    if kind == "clean-sampling":
        # The numbers are not used; the peer does not fill them in consistently.
        expected = oracle(name, y, kind)
        if expected is None:
            with pytest.raises(InvalidParameterError):
                resolve(name, y, kind)
        else:
            assert list(resolve(name, y, kind)) == sorted(expected)
    else:
        agree(name, y, kind)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(y=labels(n_classes=2), ratio=st.floats(0.01, 1))
def test_a_ratio_means_what_it_does_in_the_peer(kind, y, ratio):
    agree(ratio, y, kind)


@settings(max_examples=30)
@given(y=labels(), ratio=st.floats(0.01, 1))
def test_a_ratio_is_for_two_classes(y, ratio):
    assume(np.unique(y).size > 2)
    with pytest.raises(DataError, match="only when the type of target is binary"):
        resolve(ratio, y, "over-sampling")


@pytest.mark.parametrize("kind", KINDS[:2])
@settings(max_examples=30)
@given(y=labels(), data=st.data())
def test_numbers_per_class_mean_what_they_do_in_the_peer(kind, y, data):
    counts = dict(zip(*np.unique(y, return_counts=True), strict=True))
    some = data.draw(st.lists(st.sampled_from(list(counts)), unique=True))
    asked = {label: int(counts[label]) + data.draw(st.integers(-3, 3)) for label in some}
    asked = {label: n for label, n in asked.items() if n >= 0}
    agree(asked, y, kind)
    agree(lambda seen: asked if np.array_equal(seen, y) else None, y, kind)


@settings(max_examples=30)
@given(y=labels(), data=st.data())
def test_a_list_names_classes_to_clean(y, data):
    classes = np.unique(y).tolist()
    some = data.draw(st.lists(st.sampled_from(classes), unique=True))
    expected = oracle(some, y, "clean-sampling")
    assert resolve(some, y, "clean-sampling") == dict(expected)
    # A callable always fails in imbalanced-learn.
    for answer in (some, dict.fromkeys(some, 3)):
        found = resolve(lambda seen, answer=answer: answer, y, "clean-sampling")
        assert found == dict(expected)


@pytest.mark.parametrize("kind", KINDS[:2])
def test_two_hundred_classes(kind):
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(200), rng.integers(1, 30, 200)))
    for name in ("auto", "all"):
        agree(name, y, kind)


def test_the_first_of_several_smallest_or_largest_classes_counts():
    y = np.array(list("ccccbbbbaadd"))
    assert resolve("auto", y, "over-sampling") == {"a": 2, "c": 0, "d": 2}
    assert resolve("minority", y, "over-sampling") == {"a": 2}
    assert resolve("auto", y, "under-sampling") == {"b": 2, "c": 2, "d": 2}
    assert resolve("majority", y, "under-sampling") == {"b": 2}


def test_a_class_may_have_a_ratio_of_its_own():
    y = np.repeat(["a", "b", "c"], [100, 30, 10])
    # Of the largest class after over-sampling, truncated.
    asked = {"b": 0.5, "c": 0.255, "a": 100}
    assert resolve(asked, y, "over-sampling") == {"a": 0, "b": 20, "c": 15}
    # Beyond the ratio already: left as it is, so that no fold fails by chance.
    assert resolve({"b": 0.2}, y, "over-sampling") == {"b": 0}
    # Of the smallest class to this one after under-sampling.
    assert resolve({"a": 0.2, "b": 0.9}, y, "under-sampling") == {"a": 50, "b": 11}
    assert resolve({"a": 0.05, "b": 12}, y, "under-sampling") == {"a": 100, "b": 12}
    assert resolve({"a": np.float32(0.5)}, y, "under-sampling") == {"a": 20}


@pytest.mark.parametrize(
    ("strategy", "kind", "expected"),
    [
        ({"b": 9, "z": 50}, "over-sampling", {"b": 4}),
        ({"b": 2, "z": -5}, "under-sampling", {"b": 2}),
        (["z", "b"], "clean-sampling", {"b": 5}),
        ({"z": 3}, "over-sampling", {}),
    ],
)
def test_classes_that_a_fold_lacks_may_be_ignored(strategy, kind, expected):
    y = np.repeat(["a", "b"], [20, 5])
    assert resolve(strategy, y, kind, missing_classes="ignore") == expected
    with pytest.raises(DataError, match="names classes that are not present.*Got 'z'.*ignore"):
        resolve(strategy, y, kind)
    with pytest.raises(DataError, match="not present"):
        resolve(lambda _: strategy, y, kind)


@pytest.mark.parametrize(
    ("strategy", "kind", "words"),
    [
        ("most", "over-sampling", "strategy='most' cannot be used with an over-sampler"),
        ("majority", "over-sampling", "Use one of 'auto', 'all', 'not majority'"),
        ("minority", "under-sampling", "an under-sampler or a cleaning sampler"),
        ("minority", "clean-sampling", "an under-sampler or a cleaning sampler"),
        ({"a": -1}, "over-sampling", "cannot be negative, for class 'a'. Got -1"),
        ({"a": -0.5}, "under-sampling", "cannot be negative"),
        ({"a": 1.5}, "over-sampling", "Got 1.5. Write whole numbers of rows as integers"),
        ({"a": 20.0}, "under-sampling", "Got 20.0. Write whole numbers"),
        ({"a": 0.0}, "over-sampling", "a number of rows or a ratio. Got 0.0"),
        ({"a": float("nan")}, "over-sampling", "a number of rows or a ratio. Got nan"),
        ({"a": float("inf")}, "under-sampling", "a number of rows or a ratio. Got inf"),
        ({"a": True}, "over-sampling", "a number of rows or a ratio. Got True"),
        ({"a": "20"}, "over-sampling", "a number of rows or a ratio. Got '20'"),
        ({"a": 1 + 0j}, "over-sampling", "a number of rows or a ratio"),
        ({"a": 3}, "clean-sampling", r"is a list of classes, not a dictionary.*Use \['a'\]"),
        (0.5, "clean-sampling", "names classes, not a ratio"),
        (["a"], "over-sampling", "for cleaning samplers alone"),
        (["a"], "under-sampling", "for cleaning samplers alone"),
        (None, "over-sampling", "for cleaning samplers alone"),
        (lambda y: None, "over-sampling", "must return a dictionary, a list, a string or"),
    ],
)
def test_what_no_data_could_make_right(strategy, kind, words):
    with pytest.raises(InvalidParameterError, match=words) as caught:
        resolve(strategy, np.repeat(["a", "b"], [20, 5]), kind)
    assert str(caught.value).startswith("Some: ")


@pytest.mark.parametrize(
    ("strategy", "kind", "words"),
    [
        (0.25, "over-sampling", "class 'b' has already.*increase the ratio. Got 0.25.*0.25"),
        (0.1, "under-sampling", "class 'a' has already.*increase the ratio. Got 0.1.*0.25"),
        ({"a": 19}, "over-sampling", "class 'a' has 20. Got 19. Use an under-sampler"),
        ({"b": 6}, "under-sampling", "class 'b' has 5. Got 6. Use an over-sampler"),
        ({"z": 6}, "under-sampling", "which has 'a', 'b'"),
    ],
)
def test_what_does_not_fit_these_labels(strategy, kind, words):
    with pytest.raises(DataError, match=words):
        resolve(strategy, np.repeat(["a", "b"], [20, 5]), kind)


def test_a_callable_may_return_any_form():
    y = np.repeat(["a", "b"], [20, 5])
    for strategy in ("minority", 0.5, {"b": 11}, {"b": np.int64(11)}, {"b": 0.4}):
        assert resolve(lambda _, strategy=strategy: strategy, y, "over-sampling") == resolve(
            strategy, y, "over-sampling"
        )
