import warnings

import imblearn.metrics as theirs
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

import imbkit.metrics as ours
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20)
NAMES = np.array(["ant", "bee", "cow", "dog"])
AVERAGES = ["macro", "micro", "weighted", None]


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


def quiet(function, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **options)


@pytest.mark.usefixtures("imbalanced_learn")
@pytest.mark.parametrize("average", [*AVERAGES, "multiclass"])
@settings(max_examples=40)
@given(ROWS, st.booleans())
def test_averages_equal_imbalanced_learn(average, rows, subset):
    truth, guess = columns(rows)
    labels = [int(truth[0]), 3 - int(truth[0])] if subset else None
    options = {"labels": labels, "average": average}
    expected = quiet(theirs.geometric_mean_score, truth, guess, **options)
    got = ours.geometric_mean_score(truth, guess, **options)
    np.testing.assert_allclose(got, expected, atol=1e-12)
    iba = theirs.make_index_balanced_accuracy(alpha=0.2)(theirs.geometric_mean_score)
    expected = quiet(iba, truth, guess, **options)
    iba = ours.make_index_balanced_accuracy(alpha=0.2)(ours.geometric_mean_score)
    np.testing.assert_allclose(iba(truth, guess, **options), expected, atol=1e-12)
    if average != "multiclass":
        expected = quiet(theirs.sensitivity_specificity_support, truth, guess, **options)
        got = ours.sensitivity_specificity_support(truth, guess, **options)
        for mine, other in zip(got, expected, strict=True):
            assert (mine is None) == (other is None)
            if mine is not None:
                np.testing.assert_allclose(mine, other, atol=1e-12)


@pytest.mark.usefixtures("imbalanced_learn")
@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=15))
def test_binary_equals_imbalanced_learn(rows):
    truth, guess = columns(rows)
    if not {1} & {*truth, *guess}:
        return
    for mine, other, options in [
        (ours.geometric_mean_score, theirs.geometric_mean_score, {"average": "binary"}),
        (ours.accuracy_score, sklearn.metrics.accuracy_score, {}),
        (sklearn.metrics.accuracy_score, sklearn.metrics.accuracy_score, {}),
        (ours.f1_score, sklearn.metrics.f1_score, {}),
        (ours.jaccard_score, sklearn.metrics.jaccard_score, {}),
    ]:
        expected = quiet(theirs.make_index_balanced_accuracy()(other), truth, guess, **options)
        if mine is ours.accuracy_score:
            options = {"average": "binary"}
        got = quiet(ours.make_index_balanced_accuracy()(mine), truth, guess, **options)
        assert got == pytest.approx(float(expected))


@pytest.mark.usefixtures("imbalanced_learn")
def test_index_without_square():
    truth, guess = [0, 0, 1, 1, 1], [0, 1, 1, 1, 0]
    mine = ours.make_index_balanced_accuracy(alpha=0.5, squared=False)(ours.precision_score)
    other = theirs.make_index_balanced_accuracy(alpha=0.5, squared=False)(
        sklearn.metrics.precision_score
    )
    assert mine(truth, guess) == pytest.approx(float(other(truth, guess)))
    assert mine.__name__ == "precision_score"


@pytest.mark.usefixtures("imbalanced_learn")
@settings(max_examples=40)
@given(ROWS, st.booleans())
def test_report_equals_imbalanced_learn(rows, named):
    truth, guess = columns(rows)
    truth, guess = (NAMES[truth], NAMES[guess]) if named else (truth, guess)
    for options in ({"zero_division": 0}, {"zero_division": 1, "alpha": 0.3, "digits": 3}):
        expected = quiet(theirs.classification_report_imbalanced, truth, guess, **options)
        if (truth == guess).any():  # otherwise theirs shows the number of rows as a fraction
            text = ours.classification_report_imbalanced(truth, guess, **options)
            assert [len(line) for line in text.split("\n")] == [
                len(line) for line in expected.split("\n")
            ]
            for mine, other in zip(text.split(), expected.split(), strict=True):
                # Where the digit to be rounded is a five, the last bit decides.
                same = pytest.approx(float(other), abs=0.011) if "." in other else None
                assert mine == other or float(mine) == same
        options["output_dict"] = True
        expected = quiet(theirs.classification_report_imbalanced, truth, guess, **options)
        got = ours.classification_report_imbalanced(truth, guess, **options)
        assert got.keys() == expected.keys()
        for key, value in expected.items():
            assert got[key] == pytest.approx(value)


@pytest.mark.usefixtures("imbalanced_learn")
def test_report_with_weights_is_that_of_repeated_rows():
    truth, guess, times = [0, 1, 1, 2], [0, 1, 2, 2], np.array([2, 1, 3, 4])
    weighted = ours.classification_report_imbalanced(
        truth, guess, sample_weight=times, output_dict=True
    )
    repeated = theirs.classification_report_imbalanced(
        np.repeat(truth, times), np.repeat(guess, times), output_dict=True
    )
    for key, value in repeated.items():
        assert weighted[key] == pytest.approx(value)


def test_report_names_and_warnings():
    options = {"target_names": ["no", "yes"], "output_dict": True}
    report = ours.classification_report_imbalanced([0, 1], [0, 1], **options)
    assert {"no", "yes"} < report.keys()
    with pytest.warns(ImbkitWarning, match="precision or recall 0"):
        ours.classification_report_imbalanced([0, 1], [0, 0])
    with pytest.raises(InvalidParameterError, match="a name for each of the 2 classes"):
        ours.classification_report_imbalanced([0, 1], [0, 1], target_names=["no"])


@pytest.mark.usefixtures("imbalanced_learn")
@settings(max_examples=40)
@given(ROWS, st.sampled_from([None, 0.5]))
def test_macro_error_equals_imbalanced_learn(rows, weight):
    truth, guess = columns(rows)
    guess = np.where(np.isin(guess, truth), guess, truth)
    weights = None if weight is None else np.linspace(weight, 2, truth.size)
    expected = theirs.macro_averaged_mean_absolute_error(truth, guess, sample_weight=weights)
    got = ours.macro_averaged_mean_absolute_error(truth, guess, sample_weight=weights)
    assert got == pytest.approx(expected)


def test_macro_error_of_a_grade_that_never_occurs():
    assert ours.macro_averaged_mean_absolute_error([1, 1, 3], [1, 2, 3]) == 0.25
    with pytest.raises(DataError, match="grades must be whole numbers"):
        ours.macro_averaged_mean_absolute_error(["a"], ["a"])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ours.geometric_mean_score([0], [0, 1]), DataError, "same length"),
        (
            lambda: ours.geometric_mean_score([0, 1], [0, 1], average="x"),
            InvalidParameterError,
            "average",
        ),
        (lambda: ours.sensitivity_specificity_support([], []), DataError, "empty"),
        (
            lambda: ours.make_index_balanced_accuracy()(sklearn.metrics.roc_auc_score),
            InvalidParameterError,
            "y_true and y_pred",
        ),
    ],
)
def test_bad_input(call, error, words):
    with pytest.raises(error, match=words):
        call()
