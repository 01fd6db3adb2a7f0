import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import (
    macro_averaged_mean_absolute_error,
    macro_mae_score,
    max_mae_score,
)

ROWS = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=25)


@settings(max_examples=80)
@given(ROWS)
def test_every_grade_counts_the_same(rows):
    truth, guess, times = (np.array(column) for column in zip(*rows, strict=True))
    each = [np.abs(guess[truth == k] - k).mean() for k in np.unique(truth)]
    assert macro_mae_score(truth, guess, average=None).tolist() == pytest.approx(each)
    got = macro_mae_score(truth, guess)
    assert got == pytest.approx(np.mean(each))
    assert got == pytest.approx(macro_averaged_mean_absolute_error(truth, guess))
    plain = mean_absolute_error(truth, guess)
    assert macro_mae_score(truth, guess, average="weighted") == pytest.approx(plain)
    assert max_mae_score(truth, guess) == pytest.approx(max(each))
    names = np.array(["none", "mild", "bad", "worst"])
    named = macro_mae_score(names[truth], names[guess], labels=names)
    assert named == pytest.approx(got)
    assert max_mae_score(names[truth], names[guess], labels=names) == pytest.approx(max(each))
    assume(times.any())
    repeated = macro_mae_score(np.repeat(truth, times), np.repeat(guess, times))
    assert macro_mae_score(truth, guess, sample_weight=times) == pytest.approx(repeated)
    repeated = max_mae_score(np.repeat(truth, times), np.repeat(guess, times))
    assert max_mae_score(truth, guess, sample_weight=times) == pytest.approx(repeated)


def test_a_grade_without_rows():
    got = macro_mae_score([0, 0], [0, 1], labels=[0, 1], average=None)
    assert got[0] == 0.5
    assert np.isnan(got[1])
    assert macro_mae_score([0, 0], [0, 1], labels=[0, 1], zero_division=0) == 0.25


def test_a_grade_without_rows_is_never_the_worst():
    assert max_mae_score([0, 0], [0, 2], labels=[0, 1, 2]) == 1.0
    assert max_mae_score([0, 1, 1], [0, 3, 3], sample_weight=[1, 0, 0]) == 0.0


@pytest.mark.parametrize("metric", [macro_mae_score, max_mae_score])
def test_an_ordered_categorical_says_its_order(metric):
    names, codes, guess = np.array(["mild", "bad", "worst"]), [0, 1, 2, 2], [0, 0, 0, 0]
    y = pd.Categorical.from_codes(codes, names, ordered=True)
    for truth in (y, pd.Series(y, index=[7, 5, 3, 1])):
        assert metric(truth, names[guess]) == metric(codes, guess)
        assert metric(truth, names[guess], labels=names[[1, 0, 2]]) != metric(codes, guess)
    with pytest.raises(DataError, match="grades must be whole numbers.*ordered categorical"):
        metric(y.as_unordered(), names[guess])
    # Between numbers the difference is the distance, with or without categories.
    numbers = pd.Categorical([1, 5, 5], ordered=True)
    assert metric(numbers, [1, 1, 1]) == metric([1, 5, 5], [1, 1, 1])


def test_bad_input():
    with pytest.raises(DataError, match="macro_mae_score: grades must be whole numbers.*labels="):
        macro_mae_score(["a", "b"], ["a", "a"])
    with pytest.raises(DataError, match="labels must name every grade"):
        macro_mae_score([0, 1], [0, 2], labels=[0, 1])
    with pytest.raises(InvalidParameterError, match="average must be one of"):
        macro_mae_score([0, 1], [0, 1], average="micro")
    with pytest.raises(DataError, match="max_mae_score: grades must be whole numbers.*labels="):
        max_mae_score(["a", "b"], ["a", "a"])
    with pytest.raises(DataError, match="max_mae_score: labels must name every grade"):
        max_mae_score([0, 1], [0, 2], labels=[0, 1])
