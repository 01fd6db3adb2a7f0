"""The classifier with decisions that are more than one threshold on the score."""

import pickle
import warnings

import imblearn.over_sampling
import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.ensemble import EasyEnsembleClassifier
from imblearn.pipeline import make_pipeline as imblearn_pipeline
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from imbkit._core.deploy import deploy
from imbkit.calibration import LabelShiftAdapter, ResamplingCorrectedClassifier
from imbkit.exceptions import DataError, InvalidParameterError, ThresholdWarning
from imbkit.pipeline import make_pipeline as make_sampling_pipeline
from imbkit.sampling import SMOTE, RandomUnderSampler
from imbkit.thresholds import (
    AlertBudget,
    BestMetric,
    ClassDecision,
    Constraint,
    LabelsDecision,
    LowestCost,
    PriorRule,
    ThresholdClassifierCV,
)


@pytest.fixture(scope="module")
def rare():
    return make_classification(800, n_features=6, weights=[0.9], flip_y=0.03, random_state=0)


@pytest.fixture(scope="module")
def three():
    X, codes = make_classification(
        900, n_features=8, n_informative=5, n_classes=3, weights=[0.8, 0.15], random_state=0
    )
    return X, np.array(["common", "rare", "middle"])[codes]


@pytest.fixture(scope="module")
def several():
    return make_multilabel_classification(400, n_classes=4, random_state=0)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


# --- decisions that look at the row, or at the batch ----------------------------------------


def test_each_row_is_decided_by_its_own_expected_loss(rare):
    X, y = rare
    amount = np.random.default_rng(0).gamma(2.0, 20.0, size=y.size)
    rule = LowestCost(fp=5.0, fn="amount", decision="expected_loss")
    model = ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y, amount=amount)
    p = model.predict_proba(X)[:, 1]
    alerts = model.predict(X, amount=amount) == 1
    np.testing.assert_array_equal(alerts, p * amount >= (1 - p) * 5.0)
    assert len({bool(a) for a in alerts[np.abs(p - 0.1) < 0.05]}) == 2, "one threshold would do"
    out = cross_val_predict(LogisticRegression(), X, y, cv=5, method="predict_proba")[:, 1]
    flagged = out * amount >= (1 - out) * 5.0
    cost = 5.0 * (flagged & (y == 0)).sum() + amount[~flagged & (y == 1)].sum()
    assert -model.best_score_ == pytest.approx(cost)
    assert model.rule_.n_alerts == flagged.sum()


def test_row_values_may_be_columns_at_predict(rare):
    X, y = rare
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(f=lambda t: t["f"].abs())
    rule = LowestCost(fp=1.0, fn="f", decision="expected_loss")
    model = ThresholdClassifierCV(LogisticRegression(), rule).fit(frame, y)
    named = model.predict(frame, f=frame["f"])
    np.testing.assert_array_equal(model.predict(frame), named)


def test_row_values_missing_at_predict_are_asked_for(rare):
    X, y = rare
    rule = LowestCost(fp=1.0, fn="amount", decision="expected_loss")
    model = ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y, amount=np.ones(y.size))
    with pytest.raises(DataError, match=r"needs amount.*Call predict\(X, amount=\.\.\.\)"):
        model.predict(X)
    with pytest.raises(InvalidParameterError, match=r"depends on 'amount'"):
        model.predict(X, amuont=np.ones(y.size))
    with pytest.raises(InvalidParameterError, match="depends on the score alone"):
        ThresholdClassifierCV(LogisticRegression()).fit(X, y).predict(X, amount=np.ones(y.size))


def test_row_values_are_routed_to_predict(rare, routing):
    X, y = rare
    amount = np.full(y.size, 30.0)
    rule = LowestCost(fp=1.0, fn="amount", decision="expected_loss")
    model = make_pipeline(StandardScaler(), ThresholdClassifierCV(LogisticRegression(), rule))
    predicted = model.fit(X, y, amount=amount).predict(X, amount=amount)
    assert predicted.sum() > y.sum()


def test_a_budget_is_kept_in_every_batch_whatever_its_order(rare):
    X, y = rare
    rule = AlertBudget(20, mode="topk")
    model = ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y)
    predicted = model.predict(X)
    assert predicted.sum() == 20
    order = np.random.default_rng(0).permutation(y.size)
    np.testing.assert_array_equal(model.predict(X[order]), predicted[order])
    ties = np.repeat(X[:30], 4, axis=0)
    assert model.predict(ties).sum() == 20


def test_alerts_by_day_and_customer(rare):
    X, y = rare
    day, customer = np.arange(y.size) // 200, np.arange(y.size) % 37
    rule = AlertBudget(5, mode="topk", period="day", entity="customer")
    model = ThresholdClassifierCV(LogisticRegression(), rule)
    model.fit(X, y, day=day, customer=customer)
    alerts = model.predict(X, day=day, customer=customer) == 1
    assert np.bincount(day[alerts]).tolist() == [5, 5, 5, 5]
    pairs = list(zip(day[alerts], customer[alerts], strict=True))
    assert len(set(pairs)) == 20


def test_the_prior_of_a_resampled_model_is_undone(rare):
    X, y = rare
    under = make_sampling_pipeline(RandomUnderSampler(random_state=0), LogisticRegression())
    model = ThresholdClassifierCV(under, PriorRule()).fit(X, y)
    assert model.threshold_ == pytest.approx(0.5, rel=1e-12)
    plain = ThresholdClassifierCV(LogisticRegression(), PriorRule()).fit(X, y)
    assert plain.threshold_ == pytest.approx(y.mean(), rel=1e-12)


def test_the_prior_of_a_sampler_that_makes_rows_is_the_one_it_reports(rare):
    X, y = rare
    smote = make_sampling_pipeline(SMOTE(random_state=0), LogisticRegression())
    model = ThresholdClassifierCV(smote, PriorRule()).fit(X, y)
    assert model.threshold_ == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize(
    "estimator",
    [
        imblearn_pipeline(imblearn.over_sampling.SMOTE(random_state=0), LogisticRegression()),
        EasyEnsembleClassifier(2, random_state=0),
    ],
    ids=["sampler", "ensemble"],
)
def test_a_prior_that_may_have_changed_is_asked_for(rare, estimator):
    X, y = rare
    with pytest.warns(ThresholdWarning, match=r"which may have changed them.*train_prior="):
        ThresholdClassifierCV(estimator, PriorRule(), cv=2).fit(X, y)
    told = ThresholdClassifierCV(estimator, PriorRule(train_prior=[0.5, 0.5]), cv=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert told.fit(X, y).threshold_ == pytest.approx(0.5, rel=1e-12)


def test_corrected_probabilities_are_not_corrected_twice(rare):
    X, y = rare
    even = ResamplingCorrectedClassifier(LogisticRegression(), target_prior=[0.5, 0.5])
    assert ThresholdClassifierCV(even, PriorRule()).fit(X, y).threshold_ == pytest.approx(0.5)
    natural = ResamplingCorrectedClassifier(LogisticRegression(class_weight="balanced"))
    model = ThresholdClassifierCV(natural, PriorRule()).fit(X, y)
    assert model.threshold_ == pytest.approx(y.mean(), rel=1e-12)
    adapted = LabelShiftAdapter(LogisticRegression()).fit(X, y).adapt(X[y == 1])
    model = ThresholdClassifierCV(adapted, PriorRule(), cv="prefit", refit=False).fit(X, y)
    assert model.threshold_ == pytest.approx(adapted.target_prior_[1], rel=1e-12)


def test_scores_that_are_constant_in_each_fold_are_noticed(rare):
    X, y = rare[0][:397], rare[1][:397]
    with pytest.warns(ThresholdWarning, match="should differ between rows"):
        ThresholdClassifierCV(DummyClassifier(strategy="prior"), "f1").fit(X, y)


@pytest.mark.parametrize("pos_label", [0, 1])
def test_the_prior_rule_knows_which_class_is_positive(rare, pos_label):
    X, y = rare
    model = ThresholdClassifierCV(LogisticRegression(), PriorRule(), pos_label=pos_label)
    share = np.mean(y == pos_label)
    assert model.fit(X, y).threshold_ == pytest.approx(share, rel=1e-12)


@pytest.mark.parametrize("pos_label", [0, 1])
def test_a_cost_matrix_is_read_by_class(rare, pos_label):
    """Whatever class is called positive, the decisions are those of least expected cost."""
    X, y = rare
    matrix = np.array([[0.0, 7.0], [1.0, 0.0]])
    rule = LowestCost(cost_matrix=matrix, decision="expected_loss")
    model = ThresholdClassifierCV(LogisticRegression(), rule, pos_label=pos_label).fit(X, y)
    loss = model.predict_proba(X) @ matrix.T
    np.testing.assert_array_equal(model.predict(X), loss.argmin(axis=1))


@pytest.mark.parametrize("pooling", ["mean", "median"])
def test_averaging_moves_no_analytic_threshold(rare, pooling):
    X, y = rare
    rule = LowestCost(fp=1.0, fn=4.0, decision="expected_loss")
    model = ThresholdClassifierCV(LogisticRegression(), rule, pooling=pooling).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X)[:, 1] >= 0.2)


def test_an_infeasible_constraint_warns_once(rare):
    X, y = rare
    model = ThresholdClassifierCV(LogisticRegression(), Constraint(limit=1.0, confidence=0.99))
    noisy = np.where(np.arange(y.size) % 7 == 0, 1 - y, y)
    with pytest.warns(ThresholdWarning, match="Constraint") as caught:
        model.fit(X, noisy)
    assert len(caught) == 1


def test_rules_of_probabilities_refuse_other_scores(rare):
    X, y = rare
    with pytest.raises(InvalidParameterError, match="must have the method predict_proba"):
        ThresholdClassifierCV(LinearSVC(), PriorRule()).fit(X, y)
    model = ThresholdClassifierCV(
        LogisticRegression(), PriorRule(), response_method="decision_function"
    )
    with pytest.raises(InvalidParameterError, match="PriorRule needs probabilities"):
        model.fit(X, y)


# --- how far the threshold depends on the sample ---------------------------------------------


def test_the_bootstrap_interval(rare):
    X, y = rare
    model = ThresholdClassifierCV(LogisticRegression(), n_bootstrap=60, random_state=0)
    low, high = model.fit(X, y).bootstrap_interval_
    assert low < model.threshold_ < high
    assert clone(model).fit(X, y).bootstrap_interval_ == (low, high)
    assert not hasattr(ThresholdClassifierCV(LogisticRegression()).fit(X, y), "bootstrap_interval_")
    many = np.tile(X, (8, 1)), np.tile(y, 8)
    lower, upper = clone(model).set_params(cv=0.5).fit(*many).bootstrap_interval_
    assert upper - lower < high - low


# --- what ships ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        PriorRule(),
        Constraint("recall_at_precision", 0.5),
        AlertBudget(0.1),
        BestMetric("f1", method="plugin"),
        LowestCost(fp=1.0, fn=9.0, decision="expected_loss"),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_what_is_one_threshold_ships_as_one(rare, rule):
    X, y = rare
    model = ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y)
    np.testing.assert_array_equal(deploy(model).predict(X), model.predict(X))


@pytest.mark.parametrize(
    "rule",
    [AlertBudget(9, mode="topk"), LowestCost(fn="amount", decision="expected_loss")],
    ids=["topk", "row costs"],
)
def test_what_is_no_threshold_says_why_it_cannot_ship(rare, rule):
    X, y = rare
    values = {} if isinstance(rule, AlertBudget) else {"amount": np.ones(y.size)}
    model = ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y, **values)
    with pytest.raises(InvalidParameterError, match=type(rule).__name__):
        deploy(model)


# --- more than two classes -------------------------------------------------------------------


def test_weights_raise_the_macro_f1_on_the_rows_they_were_chosen_on(three):
    X, y = three
    model = ThresholdClassifierCV(LogisticRegression(), "f1", random_state=0).fit(X, y)
    assert isinstance(model.rule_, ClassDecision)
    cv = StratifiedKFold(5)
    p = cross_val_predict(LogisticRegression(), X, y, cv=cv, method="predict_proba")
    chosen = model.classes_[model.rule_(p)]
    assert model.best_score_ == pytest.approx(f1_score(y, chosen, average="macro"), rel=1e-12)
    plain = f1_score(y, model.classes_[p.argmax(axis=1)], average="macro")
    assert model.best_score_ > plain
    weighted = model.predict_proba(X) * model.rule_.weights
    np.testing.assert_array_equal(model.predict(X), model.classes_[weighted.argmax(axis=1)])


def test_many_classes_by_cost_and_by_prior(three):
    X, y = three
    matrix = np.array([[0, 5, 9], [1, 0, 1], [1, 2, 0]], dtype=float)
    rule = LowestCost(cost_matrix=matrix, decision="expected_loss")
    model = ThresholdClassifierCV(LogisticRegression(), rule).fit(X, y)
    loss = model.predict_proba(X) @ matrix.T
    np.testing.assert_array_equal(model.predict(X), model.classes_[loss.argmin(axis=1)])
    balanced = ThresholdClassifierCV(LogisticRegression(), PriorRule()).fit(X, y)
    plain = LogisticRegression().fit(X, y)
    recalls = [recall_score(y, m.predict(X), average="macro") for m in (balanced, plain)]
    assert recalls[0] > recalls[1]


@pytest.mark.parametrize("rule", [Constraint(), AlertBudget()], ids=["Constraint", "AlertBudget"])
def test_a_rule_of_two_classes_says_so(three, rule):
    with pytest.raises(DataError, match="Only binary .* Got 3 classes. Use BestMetric"):
        ThresholdClassifierCV(LogisticRegression(), rule).fit(*three)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"pooling": "mean"}, "pooling has a meaning for two classes only"),
        ({"pos_label": "rare"}, "pos_label has a meaning for two classes only"),
        ({"n_bootstrap": 5}, "n_bootstrap has a meaning for two classes only"),
    ],
)
def test_what_two_classes_alone_have_is_refused(three, parameters, words):
    X, y = three
    with pytest.raises(InvalidParameterError, match=words):
        ThresholdClassifierCV(LogisticRegression(), **parameters).fit(X, y)


def test_many_classes_need_probabilities(three):
    with pytest.raises(InvalidParameterError, match="must have the method predict_proba"):
        ThresholdClassifierCV(LinearSVC()).fit(*three)


def test_many_classes_prefit_weights_pickle_and_search(three):
    X, y = three
    fitted = LogisticRegression().fit(X, y)
    model = ThresholdClassifierCV(fitted, "mcc", cv="prefit", refit=False).fit(X, y)
    assert model.estimator_ is fitted
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(InvalidParameterError, match="one threshold a class"):
        deploy(model)
    twice = ThresholdClassifierCV(LogisticRegression(), cv=[(np.arange(900), np.arange(900))])
    weighted = clone(twice).fit(X, y, sample_weight=np.full(900, 2.0))
    assert weighted.best_score_ == pytest.approx(clone(twice).fit(X, y).best_score_, abs=0.02)
    search = GridSearchCV(
        ThresholdClassifierCV(LogisticRegression(), cv=3),
        {"rule": [BestMetric("f1"), BestMetric("mcc")], "rule__average": ["macro", "weighted"]},
        cv=2,
        scoring="f1_macro",
    )
    assert search.fit(X, y).best_score_ > 0.3


def test_a_class_without_weight_is_refused(three):
    X, y = three
    with pytest.raises(DataError, match="positive weight. Got weight 0 only for class 'rare'"):
        ThresholdClassifierCV(LogisticRegression()).fit(X, y, sample_weight=(y != "rare") * 1.0)


def test_an_estimator_of_other_classes_is_refused(three):
    X, y = three
    fitted = LogisticRegression().fit(X[y != "rare"], y[y != "rare"])
    with pytest.raises(DataError, match="must know the classes"):
        ThresholdClassifierCV(fitted, cv="prefit", refit=False).fit(X, y)


# --- several labels a row ------------------------------------------------------------------


@pytest.mark.parametrize(
    "estimator",
    [OneVsRestClassifier(LogisticRegression()), RandomForestClassifier(20, random_state=0)],
    ids=["one against rest", "forest"],
)
def test_each_label_has_its_threshold(several, estimator):
    X, Y = several
    model = ThresholdClassifierCV(estimator, "f1").fit(X, Y)
    assert isinstance(model.rule_, LabelsDecision)
    assert model.rule_.thresholds.shape == (4,)
    assert model.predict(X).shape == Y.shape
    assert set(np.unique(model.predict(X))) <= {0, 1}


def test_labels_one_by_one_equal_the_binary_rule(several):
    X, Y = several
    inner = OneVsRestClassifier(LogisticRegression())
    splits = list(StratifiedKFold(4).split(X, Y[:, 0]))
    model = ThresholdClassifierCV(inner, "f1", cv=splits).fit(X, Y)
    for label in range(4):
        one = ThresholdClassifierCV(LogisticRegression(), "f1", cv=splits).fit(X, Y[:, label])
        assert model.rule_.thresholds[label] == pytest.approx(one.threshold_, rel=1e-9)


def test_labels_with_a_shared_threshold_or_a_fixed_number(several):
    X, Y = several
    inner = OneVsRestClassifier(LogisticRegression())
    shared = ThresholdClassifierCV(inner, BestMetric("f1", average="micro")).fit(X, Y)
    assert np.unique(shared.rule_.thresholds).size == 1
    two = ThresholdClassifierCV(inner, AlertBudget(2, mode="topk")).fit(X, Y)
    assert (two.predict(X).sum(axis=1) == 2).all()


def test_values_of_rows_say_nothing_of_one_label(several):
    X, Y = several
    inner = OneVsRestClassifier(LogisticRegression())
    model = ThresholdClassifierCV(inner, LowestCost(fn="amount"))
    with pytest.raises(InvalidParameterError, match="row values .*fit one column of y at a time"):
        model.fit(X, Y, amount=np.ones(len(Y)))
