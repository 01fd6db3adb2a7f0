import pickle

import imblearn.metrics
import numpy as np
import pytest
import sklearn
import sklearn.metrics
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.svm import LinearSVC

import imbkit.metrics as ours
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import CountMetric, get_metric, get_scorer, metric_names

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 3))
Y2 = (X[:, 0] + RNG.normal(size=150) > 0.8).astype(int)
Y3 = np.digitize(X[:, 0] + RNG.normal(size=150), [-0.5, 0.5])
MODEL2, MODEL3 = LogisticRegression().fit(X, Y2), LogisticRegression().fit(X, Y3)
NEEDS_MORE = {
    "precision_at_budget": {"budget": 20},
    "recall_at_budget": {"budget": 0.2},
    "captured_amount_at_budget": {"budget": 20, "amount": np.ones(150)},
}


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("f1", ours.f1_score),
        ("f1_score", ours.f1_score),
        ("mcc", ours.matthews_corrcoef),
        ("matthews_corrcoef", ours.matthews_corrcoef),
        ("gmean", ours.gmean_score),
        ("geometric_mean_score", ours.gmean_score),
        ("sensitivity", ours.recall_score),
        ("iba", ours.iba_score),
        (ours.npv_score, ours.npv_score),
        (sklearn.metrics.f1_score, ours.f1_score),
        (sklearn.metrics.matthews_corrcoef, ours.matthews_corrcoef),
        (imblearn.metrics.specificity_score, ours.specificity_score),
        (imblearn.metrics.geometric_mean_score, ours.gmean_score),
    ],
)
def test_get_metric(name, metric):
    assert get_metric(name) is metric


def test_every_public_count_metric_has_a_name_of_its_own():
    metrics = {m for n in ours.__all__ if isinstance(m := getattr(ours, n), CountMetric)}
    assert len({metric.name for metric in metrics}) == len(metrics)
    for metric in metrics:
        assert get_metric(metric.name) is metric
        assert metric.name in metric_names()


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("f11", "Did you mean 'f1'"),
        ("Gmean", "Did you mean 'gmean'"),
        ("roc_auc", "must be a count metric"),
        ("zzz", "Known are 'accuracy'"),
        (sklearn.metrics.fowlkes_mallows_score, "must be a count metric"),
        (sklearn.metrics.log_loss, "must be a count metric"),
        (max, "must be a count metric"),
        (None, "must be a count metric"),
    ],
)
def test_get_metric_refuses(metric, words):
    with pytest.raises(InvalidParameterError, match=f"get_metric: .*{words}"):
        get_metric(metric)


@pytest.mark.parametrize("name", metric_names())
def test_every_name_scores_two_classes_and_can_be_pickled(name):
    scorer = get_scorer(name, **NEEDS_MORE.get(name, {}))
    value = scorer(MODEL2, X, Y2)
    assert isinstance(float(value), float)
    assert pickle.loads(pickle.dumps(scorer))(MODEL2, X, Y2) == value
    assert clone(GridSearchCV(MODEL2, {}, scoring=scorer)).scoring is not None


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("f1", "f1"),
        ("balanced_accuracy", "balanced_accuracy"),
        ("mcc", "matthews_corrcoef"),
        ("average_precision", "average_precision"),
        ("roc_auc", "roc_auc"),
        ("brier", "neg_brier_score"),
        ("log_loss", "neg_log_loss"),
    ],
)
def test_scorers_equal_scikit_learn(name, theirs):
    assert get_scorer(name)(MODEL2, X, Y2) == pytest.approx(
        sklearn.metrics.get_scorer(theirs)(MODEL2, X, Y2)
    )


@pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "c"]])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("f1_macro", "f1_macro"),
        ("recall_weighted", "recall_weighted"),
        ("precision_micro", "precision_micro"),
        ("accuracy", "accuracy"),
        ("roc_auc", "roc_auc_ovr"),
        ("log_loss", "neg_log_loss"),
        ("brier", "neg_brier_score"),
    ],
)
def test_scorers_of_many_classes_equal_scikit_learn(name, theirs, labels):
    y = np.array(labels)[Y3]
    model = LogisticRegression().fit(X, y)
    expected = sklearn.metrics.get_scorer(theirs)(model, X, y)
    assert get_scorer(name)(model, X, y) == pytest.approx(expected)


@pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "c"]])
def test_average_precision_of_many_classes_is_the_mean_against_the_rest(labels):
    y = np.array(labels)[Y3]
    model = LogisticRegression().fit(X, y)
    scores = model.decision_function(X)
    parts = [sklearn.metrics.average_precision_score(Y3 == k, scores[:, k]) for k in range(3)]
    assert get_scorer("average_precision")(model, X, y) == pytest.approx(np.mean(parts))
    assert get_scorer("gmean")(model, X, y) == ours.gmean_score(y, model.predict(X))


@pytest.mark.parametrize(
    "name", ["f1", "average_precision", "recall_at_fpr", "expected_cost", "brier"]
)
def test_the_rare_class_may_be_the_first_label(name):
    named = np.array(["z", "fraud"])[Y2]
    model = LogisticRegression().fit(X, named)
    scorer = get_scorer(name, pos_label="fraud")
    assert scorer(model, X, named) == pytest.approx(get_scorer(name)(MODEL2, X, Y2))
    with pytest.raises(ValueError, match="pos_label"):
        get_scorer(name)(model, X, named)


@pytest.mark.parametrize("name", ["gmean", "mcc", "accuracy", "f1_macro"])
def test_metrics_of_all_classes_need_no_positive_label(name):
    named = np.array(["z", "fraud"])[Y2]
    model = LogisticRegression().fit(X, named)
    assert get_scorer(name)(model, X, named) == pytest.approx(get_scorer(name)(MODEL2, X, Y2))


def test_one_and_two_are_ambiguous_labels():
    model = LogisticRegression().fit(X, Y2 + 1)
    with pytest.raises(ValueError, match="pos_label may be left out only"):
        get_scorer("f1")(model, X, Y2 + 1)
    expected = get_scorer("f1")(MODEL2, X, Y2)
    assert get_scorer("f1", pos_label=2)(model, X, Y2 + 1) == expected


def test_numbers_behind_names():
    scores = MODEL2.decision_function(X)
    assert get_scorer("recall_at_fpr_0.05")(MODEL2, X, Y2) == ours.recall_at_fpr(Y2, scores, 0.05)
    assert get_scorer("precision_at_budget_20")(MODEL2, X, Y2) == ours.precision_at_budget(
        Y2, scores, budget=20
    )
    assert get_scorer("lift_1")(MODEL2, X, Y2) == ours.lift_score(Y2, scores, budget=1)
    assert get_scorer("lift_1.0")(MODEL2, X, Y2) == pytest.approx(1.0)
    assert get_scorer("fbeta_2")(MODEL2, X, Y2) == get_scorer("fbeta", beta=2.0)(MODEL2, X, Y2)


def test_numbers_behind_names_of_areas_and_errors():
    scores, prob = MODEL2.decision_function(X), MODEL2.predict_proba(X)[:, 1]
    for name, expected in (
        ("partial_roc_auc_0.2", ours.partial_roc_auc_score(Y2, scores, 0.2)),
        ("detection_cost_at_fpr_0.2", -ours.detection_cost_at_fpr(Y2, scores, 0.2)),
        ("classwise_calibration_error_7", -ours.classwise_calibration_error(Y2, prob, n_bins=7)),
        (
            "predicted_positive_calibration_error_0.3",
            -ours.predicted_positive_calibration_error(Y2, prob, threshold=0.3),
        ),
        ("stratified_brier", -ours.stratified_brier_score(Y2, prob)),
        ("equal_error_rate", -ours.equal_error_rate(Y2, scores)),
        ("macro_mae", -ours.macro_mae_score(Y2, MODEL2.predict(X))),
        ("max_mae", -ours.max_mae_score(Y2, MODEL2.predict(X))),
        ("rare_brier", -ours.rare_brier_loss(Y2, prob)),
        ("rare_log_loss", -ours.rare_log_loss(Y2, prob)),
        ("ranked_probability", -ours.ranked_probability_loss(Y2, prob)),
        ("confusion_spectral_norm", -ours.confusion_spectral_norm(Y2, MODEL2.predict(X))),
        ("h_measure", ours.h_measure_score(Y2, scores)),
    ):
        assert get_scorer(name)(MODEL2, X, Y2) == pytest.approx(expected), name
    cost = ours.expected_cost(Y2, MODEL2.predict(X), fn=10, normalize="constant")
    assert get_scorer("normalized_expected_cost", fn=10)(MODEL2, X, Y2) == -cost


@pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "c"]])
@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("brier_skill", ours.brier_skill_score),
        ("log_loss_skill", ours.log_loss_skill_score),
        ("average_precision_skill", ours.average_precision_skill_score),
        ("partial_roc_auc", ours.partial_roc_auc_score),
        ("h_measure", ours.h_measure_score),
        ("ks", ours.ks_score),
    ],
)
def test_scorers_of_many_classes_equal_the_metric(name, metric, labels):
    y = np.array(labels)[Y3]
    model = LogisticRegression().fit(X, y)
    native = name in ("brier_skill", "log_loss_skill")
    response = model.predict_proba(X) if native else model.decision_function(X)
    expected = metric(y, response)
    if not native:
        each = [metric(y == label, response[:, k]) for k, label in enumerate(labels)]
        assert expected == pytest.approx(np.mean(each))
    assert get_scorer(name)(model, X, y) == pytest.approx(expected)


def test_costs_pass_through_and_are_negated():
    expected = -ours.expected_cost(Y2, MODEL2.predict(X), fn=10)
    assert get_scorer("expected_cost", fn=10)(MODEL2, X, Y2) == expected


def test_a_model_without_probabilities():
    model = LinearSVC().fit(X, Y2)
    for name in ("roc_auc", "average_precision", "recall_at_fpr_0.1"):
        assert 0 < get_scorer(name)(model, X, Y2) <= 1


def test_weights_and_costs_a_row_are_routed():
    amount = RNG.random(150) * 100
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = get_scorer("expected_cost").set_score_request(fn=True, sample_weight=True)
        got = cross_validate(
            LogisticRegression().set_fit_request(sample_weight=False),
            X,
            Y2,
            cv=3,
            scoring=scorer,
            params={"fn": amount, "sample_weight": amount + 1},
            return_indices=True,
            return_estimator=True,
        )
    for value, model, test in zip(
        got["test_score"], got["estimator"], got["indices"]["test"], strict=True
    ):
        guess = model.predict(X[test])
        weight = amount[test] + 1
        expected = ours.expected_cost(Y2[test], guess, fn=amount[test], sample_weight=weight)
        assert value == pytest.approx(-expected)


@pytest.mark.parametrize("name", ["gmean", "average_precision", "recall_at_fpr_0.1"])
def test_grid_search_in_two_processes(name):
    grid = {"C": [0.01, 1.0]}
    one, two = (
        GridSearchCV(LogisticRegression(), grid, scoring=get_scorer(name), cv=3, n_jobs=n).fit(
            X, Y2
        )
        for n in (1, 2)
    )
    assert one.best_score_ == two.best_score_


def test_the_list_of_scikit_learn_is_left_alone():
    before = sklearn.metrics.get_scorer_names()
    get_scorer("gmean")
    assert sklearn.metrics.get_scorer_names() == before
    assert "gmean" not in before


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("gmaen", {}, "Did you mean 'gmean'"),
        ("average_precison", {}, "Did you mean 'average_precision'"),
        ("f1_2", {}, "must be a known name"),
        ("roc_auc_macro", {}, "must be a known name"),
        ("recall_at_fpr_x", {}, "Did you mean 'recall_at_fpr'"),
        (None, {}, "must be a known name"),
        ("f1", {"betta": 2}, "must be those of 'f1'"),
        ("fbeta", {"betta": 2}, "Did you mean 'beta'"),
        ("expected_cost", {"fm": 2}, "Known are .*'fn'"),
    ],
)
def test_get_scorer_refuses(name, parameters, words):
    with pytest.raises(InvalidParameterError, match=f"get_scorer: .*{words}"):
        get_scorer(name, **parameters)
