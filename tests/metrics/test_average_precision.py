import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import average_precision_from_fpr, average_precision_skill_score

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(1, 3)), min_size=2, max_size=30
)


def columns(rows):
    truth, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < truth.sum() < truth.size)
    return truth, score, weight


@settings(max_examples=80)
@given(ROWS)
def test_both_forms_equal_scikit_learn(rows):
    truth, score, weight = columns(rows)
    expected = average_precision_score(truth, score, sample_weight=weight)
    got = average_precision_from_fpr(truth, score, sample_weight=weight)
    assert got == pytest.approx(expected)
    base = np.average(truth, weights=weight)
    skill = average_precision_skill_score(truth, score, sample_weight=weight)
    assert skill == pytest.approx((expected - base) / (1 - base))


def test_the_identity_of_the_paper_without_ties():
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.2
    score = rng.normal(size=300) + truth
    terms = []
    for t in score[truth]:
        fires = score >= t
        terms.append(fires[~truth].mean() / fires.mean())
    expected = 1 - (1 - truth.mean()) * np.mean(terms)
    assert average_precision_from_fpr(truth, score) == pytest.approx(expected)
    assert expected == pytest.approx(average_precision_score(truth, score))


@settings(max_examples=40)
@given(ROWS, st.floats(0.01, 0.99))
def test_another_base_rate_is_that_of_reweighted_rows(rows, prevalence):
    truth, score, weight = columns(rows)
    shares = np.bincount(truth, weight)
    weight = weight * np.where(truth, prevalence / shares[1], (1 - prevalence) / shares[0])
    expected = average_precision_score(truth, score, sample_weight=weight)
    got = average_precision_from_fpr(truth, score, prevalence=prevalence, sample_weight=weight)
    assert got == pytest.approx(expected)
    plain = columns(rows)[2]
    got = average_precision_from_fpr(truth, score, prevalence=prevalence, sample_weight=plain)
    assert got == pytest.approx(expected)


def test_skill_of_chance_and_of_perfection():
    truth = np.repeat([0, 1], [90, 10])
    assert average_precision_skill_score(truth, np.zeros(100)) == pytest.approx(0.0)
    assert average_precision_skill_score(truth, truth) == 1.0
    assert average_precision_skill_score(truth, -np.arange(100)) < 0
    rng = np.random.default_rng(0)
    truth = rng.random(50_000) < 0.1
    value = average_precision_skill_score(truth, rng.random(truth.size))
    assert value == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("prevalence", [0, 1, -0.1, np.nan, True, "x"])
def test_bad_prevalence(prevalence):
    with pytest.raises(InvalidParameterError, match="prevalence must be a number from 0 to 1, exc"):
        average_precision_from_fpr([0, 1], [0, 1], prevalence=prevalence)
