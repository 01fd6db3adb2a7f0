from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from sklearn.metrics import roc_auc_score, roc_curve

from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import partial_roc_auc_score

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=25)


def columns(rows):
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < truth.sum() < truth.size)
    return truth, score


@settings(max_examples=60)
@given(ROWS, st.floats(0.01, 0.99))
def test_one_way_equals_scikit_learn(rows, limit):
    truth, score = columns(rows)
    expected = roc_auc_score(truth, score, max_fpr=limit)
    assert partial_roc_auc_score(truth, score, limit) == pytest.approx(expected)
    whole = partial_roc_auc_score(truth, score, 1.0)
    assert whole == pytest.approx(roc_auc_score(truth, score))


@settings(max_examples=40, deadline=None)
@given(ROWS, st.floats(0.05, 1.0), st.floats(0.0, 0.95))
def test_two_way_equals_the_integral(rows, a, b):
    truth, score = columns(rows)
    fpr, tpr, _ = roc_curve(truth, score, drop_intermediate=False)

    def height(x):  # of the curve, its upper end where it is vertical
        k = int(np.searchsorted(fpr, x, side="right"))
        if k == fpr.size:
            return 1.0 - b
        low, part = k - 1, (x - fpr[k - 1]) / (fpr[k] - fpr[k - 1])
        return max(tpr[low] + part * (tpr[k] - tpr[low]) - b, 0.0)

    edges = np.unique(np.r_[0.0, fpr[fpr < a], a])
    crossings = np.interp(b, tpr, fpr)
    edges = np.unique(np.r_[edges, crossings if 0 < crossings < a else 0.0])
    pairs = pairwise(edges)
    expected = sum(quad(height, *pair)[0] for pair in pairs)
    got = partial_roc_auc_score(truth, score, a, min_tpr=b, standardize=False)
    assert got == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("a", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("b", [0.0, 0.2, 0.9])
def test_chance_is_a_half_and_perfect_is_one(a, b):
    truth = np.array([0] * 7 + [1] * 3)
    assert partial_roc_auc_score(truth, np.zeros(10), a, min_tpr=b) == pytest.approx(0.5)
    assert partial_roc_auc_score(truth, truth, a, min_tpr=b) == pytest.approx(1.0)
    area = partial_roc_auc_score(truth, truth, a, min_tpr=b, standardize=False)
    assert area == pytest.approx(a * (1 - b))


def test_random_scores_are_near_a_half():
    rng = np.random.default_rng(0)
    truth = rng.random(20_000) < 0.2
    values = [partial_roc_auc_score(truth, rng.random(truth.size), 0.1) for _ in range(5)]
    assert np.mean(values) == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_fpr": 0.0}, "max_fpr must be a number from 0 to 1, 0 excluded"),
        ({"max_fpr": 1.1}, "max_fpr"),
        ({"max_fpr": np.nan}, "max_fpr"),
        ({"max_fpr": True}, "max_fpr"),
        ({"min_tpr": 1.0}, "min_tpr must be a number from 0 to 1, 1 excluded"),
        ({"min_tpr": "x"}, "min_tpr"),
    ],
)
def test_bad_limits(options, words):
    with pytest.raises(InvalidParameterError, match=f"partial_roc_auc_score: {words}"):
        partial_roc_auc_score([0, 1], [0, 1], **options)
