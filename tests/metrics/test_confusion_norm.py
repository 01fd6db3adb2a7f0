import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import confusion_spectral_norm, worst_class_recall_score

ROWS = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=25)


def columns(rows):
    truth, guess, times = (np.array(column) for column in zip(*rows, strict=True))
    assume(times.any())
    return truth, guess, times


@settings(max_examples=60)
@given(ROWS, st.sampled_from([0.2, 1.0]))
def test_it_is_the_largest_singular_value(rows, smoothing):
    truth, guess, _ = columns(rows)
    every = np.union1d(truth, guess)
    assume(every.size > 1)
    matrix = confusion_matrix(truth, guess, labels=every).T.astype(float)  # truth along the columns
    support = matrix.sum(axis=0)
    np.fill_diagonal(matrix, 0)
    weights = 1 / np.sqrt(support / support.sum() + smoothing)
    errors = matrix / np.maximum(support, 1) * weights / weights.mean()
    expected = np.sqrt(np.linalg.eigvalsh(errors.T @ errors).max())
    got = confusion_spectral_norm(truth, guess, smoothing=smoothing)
    assert got == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60)
@given(ROWS)
def test_weights_are_repetitions_and_names_are_nothing(rows):
    truth, guess, times = columns(rows)
    expected = confusion_spectral_norm(np.repeat(truth, times), np.repeat(guess, times))
    got = confusion_spectral_norm(truth, guess, sample_weight=times)
    assert got == pytest.approx(expected)
    names = np.array(["d", "a", "c", "b"])
    got = confusion_spectral_norm(names[truth], names[guess], sample_weight=times)
    assert got == pytest.approx(expected)


@settings(max_examples=60)
@given(ROWS)
def test_it_bounds_the_error_of_the_worst_class(rows):
    truth, guess, _ = columns(rows)
    n = np.union1d(truth, guess).size
    assume(n > 1)
    error = 1 - worst_class_recall_score(truth, guess)
    norm = confusion_spectral_norm(truth, guess, smoothing=np.inf)
    assert norm >= error / np.sqrt(n - 1) - 1e-12


def test_a_prior_in_the_order_of_the_labels():
    truth, guess = ["a", "a", "b", "b", "c"], ["a", "b", "b", "b", "b"]
    share = {"a": 0.7, "b": 0.2, "c": 0.1}
    by_order = [
        confusion_spectral_norm(truth, guess, labels=labels, prior=[share[k] for k in labels])
        for labels in ("abc", "cab", "bca")
        for labels in [list(labels)]
    ]
    assert by_order == pytest.approx([by_order[0]] * 3)
    scaled = confusion_spectral_norm(truth, guess, prior=[70, 20, 10])
    assert scaled == pytest.approx(by_order[0])
    other = confusion_spectral_norm(truth, guess, prior=[0.1, 0.2, 0.7])
    assert other != pytest.approx(by_order[0])
    rare_errs_more = confusion_spectral_norm(truth, guess, smoothing=0.01)
    assert rare_errs_more > confusion_spectral_norm(truth, guess, smoothing=np.inf)


def test_perfect_predictions():
    assert confusion_spectral_norm([0, 1, 2], [0, 1, 2]) == 0.0
    assert confusion_spectral_norm([0, 0], [0, 0]) == 0.0


def test_bad_input():
    truth, guess = [0, 1, 1], [0, 0, 1]
    with pytest.raises(DataError, match="labels must name every class that occurs"):
        confusion_spectral_norm(truth, guess, labels=[0, 5])
    for prior in ([1], [0.5, -0.5], [np.nan, 1]):
        with pytest.raises(InvalidParameterError, match="prior must hold a number of at least 0"):
            confusion_spectral_norm(truth, guess, prior=prior)
    with pytest.raises(InvalidParameterError, match="prior must not be all zero"):
        confusion_spectral_norm(truth, guess, prior=[0, 0])
    with pytest.raises(InvalidParameterError, match="smoothing must be a number from 0 to inf"):
        confusion_spectral_norm(truth, guess, smoothing=0)
