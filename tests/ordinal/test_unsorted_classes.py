"""Models around one with unsorted classes decide as around the same one of numbers."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer as scorer_of_scikit_learn
from sklearn.model_selection import StratifiedKFold

from imbkit._core.class_codes import class_codes
from imbkit._core.prior import class_shares, induced_prior
from imbkit.bench._scores import scores_of
from imbkit.calibration import (
    CorrectnessAwareCalibrator,
    LabelShiftAdapter,
    ResamplingCorrectedClassifier,
    TauNormClassifier,
    WeightAligner,
)
from imbkit.exceptions import DataError
from imbkit.metrics import get_scorer
from imbkit.ordinal import PRESTOClassifier, PRESTOClassifierCV, ProportionalOddsClassifier
from imbkit.thresholds import (
    BestMetric,
    FrechetMeanClassifier,
    LowestCost,
    PriorRule,
    ThresholdClassifierCV,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
LATENT = X[:, 0] + 0.5 * X[:, 1] + RNG.logistic(size=400)
CODES = np.digitize(LATENT, [0.3, 1.5, 2.8])
STAGES = np.array(["none", "click", "cart", "buy"])
TWO = np.digitize(LATENT, [1.5])
PAIR = np.array(["z", "a"])
CV = StratifiedKFold(3, shuffle=True, random_state=0)
COST = np.where(np.eye(4) > 0, 0.0, 1.0 + 3 * np.arange(4.0))


def stages(labels):
    """A model of stages with these labels."""
    return PRESTOClassifier(alpha=0.005, categories=list(labels))


def pair(labels):
    """A model of two classes with these labels."""
    return ProportionalOddsClassifier(alpha=0.01, categories=list(labels))


def compared(make, inner, labels, codes):
    """Return codes of predictions and probabilities in the order of the stages, for two models.

    Around a model of labels, and around the same one of the numbers from 0.
    """
    found = []
    for names in (labels, np.arange(len(labels))):
        model = make(inner(names), names).fit(X, names[codes])
        if isinstance(model, LabelShiftAdapter):
            model.adapt(X[LATENT > 0.5])
        columns = [model.classes_.tolist().index(name) for name in names.tolist()]
        predicted = class_codes(model.predict(X), names)
        found.append((predicted, model.predict_proba(X)[:, columns]))
    return found


AROUND = {
    "prior shift": lambda model, names: ResamplingCorrectedClassifier(
        model, target_prior={name: 1 / len(names) for name in names.tolist()}
    ),
    "label shift": lambda model, names: LabelShiftAdapter(model, cv=CV, n_bootstrap=0),
    "correctness": lambda model, names: CorrectnessAwareCalibrator(model, cv=CV, random_state=0),
    "frechet": lambda model, names: FrechetMeanClassifier(
        model,
        metric="ordinal",
        labels=names.tolist(),
        target_prior={name: 1 / len(names) for name in names.tolist()},
    ),
}


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("which", ["stages", "pair"])
def test_around_a_model(name, which):
    inner, labels, codes = (stages, STAGES, CODES) if which == "stages" else (pair, PAIR, TWO)
    (got, P), (expected, Q) = compared(AROUND[name], inner, labels, codes)
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_allclose(P, Q, atol=1e-9)


class Linear(LogisticRegression):
    """A linear model with one score a class, classes in the order of the stages."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        if self.classes_.tolist() == sorted(STAGES):
            order = class_codes(STAGES, self.classes_)
            self.classes_, self.coef_ = self.classes_[order], self.coef_[order]
            self.intercept_ = self.intercept_[order]
        return self


@pytest.mark.filterwarnings("ignore::imbkit.exceptions.ImbkitWarning")
@pytest.mark.parametrize(
    "make",
    [
        lambda model, names: TauNormClassifier(model, cv=CV),
        lambda model, names: TauNormClassifier(model, cv=CV, bias="prior"),
        lambda model, names: WeightAligner(model),
        lambda model, names: WeightAligner(model, mode="learned"),
    ],
    ids=["tau", "tau and prior", "group", "learned"],
)
def test_around_a_linear_head(make):
    (got, P), (expected, Q) = compared(make, pair, PAIR, TWO)
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_allclose(P, Q, atol=1e-9)
    (got, P), (expected, Q) = compared(make, lambda names: Linear(tol=1e-8, C=0.1), STAGES, CODES)
    assert (got == expected).mean() > 0.99
    np.testing.assert_allclose(P, Q, atol=1e-4)


@pytest.mark.parametrize("rule", [BestMetric("f1"), LowestCost(fn=7.0), PriorRule()])
@pytest.mark.parametrize("positive", [0, 1])
def test_threshold_of_two_classes(rule, positive):
    def around(model, names):
        return ThresholdClassifierCV(model, clone(rule), cv=CV, pos_label=names[positive])

    (got, P), (expected, Q) = compared(around, pair, PAIR, TWO)
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(P, Q)
    assert 0 < got.mean() < 1


def test_threshold_ships():
    y = PAIR[TWO]
    model = ThresholdClassifierCV(pair(PAIR), LowestCost(fn=7.0), cv=CV, pos_label="a").fit(X, y)
    np.testing.assert_array_equal(model.__deploy__().predict(X), model.predict(X))


@pytest.mark.parametrize("rule", ["metric", "cost", "loss", "prior"])
def test_weights_of_many_classes(rule):
    # Matrices and the search go through the sorted classes; ranks sort as the stages do.
    ranks = class_codes(STAGES, np.sort(STAGES))
    cost = COST[np.ix_(class_codes(np.sort(STAGES), STAGES), class_codes(np.sort(STAGES), STAGES))]
    rules = {
        "metric": BestMetric("f1"),
        "cost": LowestCost(cost_matrix=cost),
        "loss": LowestCost(cost_matrix=cost, decision="expected_loss"),
        "prior": PriorRule(),
    }
    found = []
    for names in (STAGES, ranks):
        model = ThresholdClassifierCV(stages(names), clone(rules[rule]), cv=CV, random_state=0)
        found.append(class_codes(model.fit(X, names[CODES]).predict(X), names))
        assert model.classes_.tolist() == names.tolist()
    np.testing.assert_array_equal(*found)
    if rule in ("loss", "prior"):
        # The others search for weights, whose order leads to another of several good ones.
        plain = PriorRule() if rule == "prior" else rules["loss"].set_params(cost_matrix=COST)
        plain = ThresholdClassifierCV(stages(range(4)), plain, cv=CV)
        np.testing.assert_array_equal(found[0], plain.fit(X, CODES).predict(X))
    assert len(set(found[0].tolist())) > 1


def test_a_model_that_is_fitted_already():
    model = stages(STAGES).fit(X, STAGES[CODES])
    plain = stages(range(4)).fit(X, CODES)
    for make in (
        lambda each: ThresholdClassifierCV(each, PriorRule(), cv="prefit", refit=False),
        lambda each: LabelShiftAdapter(each, cv="prefit", n_bootstrap=0),
    ):
        got = make(model).fit(X, STAGES[CODES]).predict(X)
        np.testing.assert_array_equal(got, STAGES[make(plain).fit(X, CODES).predict(X)])


def test_another_set_of_classes_is_still_refused():
    model = stages(STAGES).fit(X, STAGES[CODES])
    with pytest.raises(DataError, match="classes"):
        LabelShiftAdapter(model, cv="prefit").fit(X, STAGES[np.minimum(CODES, 2)])
    with pytest.raises(DataError, match="classes"):
        ThresholdClassifierCV(model, PriorRule(), cv="prefit", refit=False).fit(
            X, STAGES[np.minimum(CODES, 2)]
        )


def test_shares_and_codes_follow_the_order_given():
    y = STAGES[CODES]
    np.testing.assert_array_equal(class_codes(y, STAGES), CODES)
    np.testing.assert_allclose(class_shares(y, STAGES), np.bincount(CODES) / 400)
    factors = dict(zip(STAGES.tolist(), [1.0, 2.0, 3.0, 4.0], strict=True))
    mass = np.bincount(CODES) * [1.0, 2.0, 3.0, 4.0]
    model = Linear(class_weight=factors).fit(X, y)
    np.testing.assert_allclose(induced_prior(model, y, STAGES), mass / mass.sum())


def test_scores_of_a_learner_with_class_1_first():
    model = pair([1, 0]).fit(X, TWO)
    got, _ = scores_of(model, X, 2)
    np.testing.assert_array_equal(got, model.predict_proba(X)[:, 0])


@pytest.mark.parametrize(
    "scoring", ["neg_log_loss", "neg_brier_score", "roc_auc_ovr", "roc_auc_ovo", "accuracy"]
)
def test_cross_validation_by_a_name_of_scikit_learn(scoring):
    found = [
        PRESTOClassifierCV(alphas=4, eps=0.05, cv=CV, scoring=scoring, categories=list(names))
        .fit(X, names[CODES])
        .cv_scores_
        for names in (STAGES, np.arange(4))
    ]
    np.testing.assert_allclose(*found, rtol=1e-9)
    plain = scorer_of_scikit_learn(scoring)
    assert found[0].shape == (4, 3)
    train, test = next(CV.split(X, CODES))
    model = PRESTOClassifierCV(alphas=4, eps=0.05, cv=CV).fit(X, CODES)
    alone = PRESTOClassifier(alpha=model.alphas_[2]).fit(X[train], CODES[train])
    assert found[0][2, 0] == pytest.approx(plain(alone, X[test], CODES[test]), rel=1e-3)


def test_cross_validation_by_a_scorer_of_ours():
    by_name, by_scorer = (
        PRESTOClassifierCV(alphas=4, eps=0.05, cv=CV, scoring=each, categories=STAGES)
        .fit(X, STAGES[CODES])
        .cv_scores_
        for each in ("neg_rare_log_loss", get_scorer("rare_log_loss"))
    )
    np.testing.assert_allclose(by_scorer, by_name, rtol=1e-9)
