"""What a fold is scored by: the formulas, and scorers that expect sorted classes."""

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    get_scorer,
    log_loss,
    make_scorer,
    top_k_accuracy_score,
)

from imbkit.ordinal import PRESTOClassifier
from imbkit.ordinal._fold_scores import ALIASES, SCORES, NamedScorer, row_scores, scorer_of


def forecasts(seed=0, n=60, n_classes=4):
    rng = np.random.default_rng(seed)
    codes = rng.integers(n_classes, size=n)
    codes[:n_classes] = np.arange(n_classes)
    return rng.dirichlet(np.full(n_classes, 0.7), size=n), codes


def mean(name, found, codes, weights):
    return np.average(row_scores(name, found, codes), weights=weights)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_scores_of_all_classes_are_scikit_learns(n_classes):
    found, codes = forecasts(n_classes=n_classes)
    weights = np.random.default_rng(1).exponential(size=len(codes))
    ours = mean("neg_log_loss", found, codes, weights)
    assert ours == pytest.approx(-log_loss(codes, found, sample_weight=weights), rel=1e-12)
    ours = mean("neg_brier_score", found, codes, weights)
    said = found[:, 1] if n_classes == 2 else found
    assert ours == pytest.approx(-brier_score_loss(codes, said, sample_weight=weights), rel=1e-12)


def test_the_brier_score_is_that_of_the_definition():
    found, codes = forecasts(3)
    by_hand = [-sum((found[i, k] - (codes[i] == k)) ** 2 for k in range(4)) for i in range(60)]
    np.testing.assert_allclose(row_scores("neg_brier_score", found, codes), by_hand, rtol=1e-13)


def test_the_scores_of_the_last_class_are_those_of_a_forecast_of_it():
    found, codes = forecasts(2)
    rare, weights = codes == 3, np.random.default_rng(1).exponential(size=60)
    ours = mean("neg_rare_log_loss", found, codes, weights)
    assert ours == pytest.approx(-log_loss(rare, found[:, 3], sample_weight=weights), rel=1e-12)
    ours = mean("neg_rare_brier_score", found, codes, weights)
    theirs = -brier_score_loss(rare, found[:, 3], sample_weight=weights)
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_impossible_rows_have_a_finite_score():
    # A crossing may leave a class without probability, or with a negative one.
    found = np.array([[0.5, 0.0, 0.5], [0.6, -0.1, 0.5], [1.0, 0.0, 0.0]])
    codes = np.array([1, 1, 2])
    least = np.log(np.finfo(float).eps)
    np.testing.assert_allclose(row_scores("neg_log_loss", found, codes), least)
    np.testing.assert_allclose(row_scores("neg_rare_log_loss", found, codes)[2], least)
    for name in SCORES:
        assert np.isfinite(row_scores(name, found, codes)).all()


def test_a_tiny_probability_of_the_last_class_keeps_its_digits():
    found = np.array([[1 - 1e-13, 0.0, 1e-13], [1e-13, 0.0, 1 - 1e-13]])
    scores = row_scores("neg_rare_log_loss", found, np.array([2, 0]))
    np.testing.assert_allclose(scores, np.log([1e-13, 1e-13]), rtol=1e-12)


@pytest.mark.parametrize("name", SCORES)
def test_the_scores_are_proper(name):
    truth = np.array([0.6, 0.3, 0.08, 0.02])

    def expected(forecast):
        return truth @ row_scores(name, np.tile(forecast, (4, 1)), np.arange(4))

    others = np.random.default_rng(0).dirichlet(20 * truth, size=200)
    assert all(expected(truth) >= expected(other) for other in others)
    assert expected(truth) > expected(np.full(4, 0.25))


def test_names():
    assert set(ALIASES.values()) == set(SCORES)
    for plain, name in ALIASES.items():
        assert scorer_of(plain) == scorer_of(name) == name
    assert isinstance(scorer_of("accuracy"), NamedScorer)
    own = make_scorer(top_k_accuracy_score)
    assert scorer_of(own) is own
    with pytest.raises(ValueError, match="nosuch"):
        scorer_of("nosuch")


@pytest.fixture(scope="module", params=[2, 3])
def stages(request, oracle):
    """A model whose classes are not in the order of the alphabet, and the same of sorted labels."""
    K = request.param
    X, codes, _ = oracle.draw(4, n=200, p=3, n_classes=K, rare=30)
    names = np.array(["none", "click", "buy"])[3 - K :]
    named = PRESTOClassifier(0.01, categories=list(names)).fit(X, names[codes])
    assert (np.argsort(names) != np.arange(K)).any()
    return named, PRESTOClassifier(0.01).fit(X, codes), X, names, codes


@pytest.mark.parametrize("name", ["neg_log_loss", "roc_auc_ovr", "accuracy", "balanced_accuracy"])
def test_named_scorers_see_sorted_classes(stages, name):
    named, plain, X, names, codes = stages
    scorer = NamedScorer(get_scorer(name))
    assert scorer(named, X, names[codes]) == pytest.approx(scorer(plain, X, codes), rel=1e-12)
    assert scorer(plain, X, codes) == get_scorer(name)(plain, X, codes)
    weights = np.linspace(0, 2, len(codes))
    weighted = scorer(named, X, names[codes], sample_weight=weights)
    assert weighted == pytest.approx(scorer(plain, X, codes, sample_weight=weights), rel=1e-12)
    assert weighted != scorer(named, X, names[codes])


def test_decision_values_go_with_the_sorted_classes(stages):
    named, plain, X, names, codes = stages
    if len(names) == 2:
        settings = {"response_method": "decision_function", "pos_label": "click"}
        scorer = make_scorer(average_precision_score, **settings)
        theirs = average_precision_score(codes == 0, -plain.decision_function(X))
    else:
        scorer = make_scorer(top_k_accuracy_score, response_method="decision_function", k=1)
        theirs = plain.score(X, codes)
    assert NamedScorer(scorer)(named, X, names[codes]) == pytest.approx(theirs, rel=1e-12)
