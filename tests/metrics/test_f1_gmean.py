import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import Counts, f1_gmean_key, f1_gmean_score, f1_score, gmean_score

COUNTS = st.tuples(*[st.integers(0, 400)] * 4).filter(lambda c: c[0] + c[2] and c[1] + c[3])


def labels(tp, fp, fn, tn):
    return np.repeat([1, 0, 1, 0], [tp, fp, fn, tn]), np.repeat([1, 1, 0, 0], [tp, fp, fn, tn])


@settings(max_examples=100)
@given(COUNTS, COUNTS, st.sampled_from([0.005, 0.05, 0.3]))
def test_the_score_sorts_as_the_key_does(first, second, tolerance):
    keys = [f1_gmean_key(*labels(*c), f1_tol=tolerance) for c in (first, second)]
    scores = [f1_gmean_score.of(Counts(*c), f1_tol=tolerance) for c in (first, second)]
    if keys[0][0] > keys[1][0] or (keys[0][0] == keys[1][0] and keys[0][1] > keys[1][1] + 1e-9):
        assert scores[0] > scores[1]
    counts = Counts(*first)
    near = f1_score.of(counts) + tolerance / 2 * gmean_score.of(counts)
    assert scores[0] == pytest.approx(float(near), abs=tolerance / 2 + 1e-12)


def test_a_better_step_wins_even_where_f1_hardly_differs():
    # F1 just below and just above the border 0.45 of two steps, the G-means the other way round.
    below, above = Counts(449.0, 1098.0, 1.0, 1e6), Counts(449.0, 1097.0, 0.0, 0.0)
    step = 0.3
    f1 = [float(f1_score.of(c)) for c in (below, above)]
    assert f1[0] < 0.45 < f1[1] < f1[0] + 0.001
    assert gmean_score.of(below) > 0.99 > gmean_score.of(above)
    assert f1_gmean_score.of(above, f1_tol=step) > f1_gmean_score.of(below, f1_tol=step)


def test_macro_and_the_call():
    truth, guess = [0, 0, 1, 1, 2], [0, 1, 1, 1, 2]
    key = f1_gmean_key(truth, guess, average="macro", f1_tol=0.01)
    assert key[0] == round(f1_score(truth, guess, average="macro") / 0.01)
    assert key[1] == gmean_score(truth, guess)
    truth, guess = [0, 0, 0, 1, 1], [0, 0, 1, 1, 1]
    score = f1_gmean_score(truth, guess)
    step, gmean = f1_gmean_key(truth, guess)
    assert score == pytest.approx(0.005 * (step + gmean / 2))
    named = np.array(["ok", "bad"])
    assert f1_gmean_key(named[truth], named[guess], pos_label="bad") == (step, gmean)


def test_bad_parameters():
    for tolerance in (0, 2, np.nan, "x"):
        with pytest.raises(InvalidParameterError, match="f1_gmean_key: f1_tol must be"):
            f1_gmean_key([0, 1], [0, 1], f1_tol=tolerance)
        with pytest.raises(InvalidParameterError, match="f1_gmean_score: f1_tol must be"):
            f1_gmean_score([0, 1], [0, 1], f1_tol=tolerance)
    with pytest.raises(InvalidParameterError, match="average must be 'binary' or 'macro'"):
        f1_gmean_key([0, 1], [0, 1], average="micro")
