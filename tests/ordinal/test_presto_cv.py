"""Cross-validation: scores are those of the fold's own models, and the best penalty is taken."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, get_scorer, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.ordinal import PRESTOClassifier, PRESTOClassifierCV, presto_path
from imbkit.ordinal._presto_cv import _chosen
from imbkit.ordinal._solve import SOLVERS

EXACT = {"tol": 1e-10, "max_iter": 500}
NAMES = np.array(["none", "look", "cart", "buy"])


@pytest.fixture(scope="module")
def rows(oracle):
    X, codes, weights = oracle.draw(7, n=240, p=4, n_classes=4, rare=24)
    # every class has weight in every training part
    return X, codes, np.where(codes == 3, np.maximum(weights, 0.5), weights)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def by_hand(X, y, alphas, folds, score, weights=None, **settings):
    """Fit a classifier for every penalty on every fold, and score it."""
    out = np.empty((len(alphas), len(folds)))
    for number, (train, test) in enumerate(folds):
        parts = (None, None) if weights is None else (weights[train], weights[test])
        for at, alpha in enumerate(alphas):
            model = PRESTOClassifier(alpha, **settings)
            model.fit(X[train], y[train], sample_weight=parts[0])
            out[at, number] = score(model, X[test], y[test], parts[1])
    return out


def log_score(model, X, y, weights):
    codes = np.searchsorted(model.classes_, y)
    own = model.predict_log_proba(X)[np.arange(len(y)), codes]
    return np.average(np.maximum(own, np.log(np.finfo(float).eps)), weights=weights)


def rare_brier(model, X, y, weights):
    said = model.predict_proba(X)[:, -1]
    return -np.average((said - (y == model.classes_[-1])) ** 2, weights=weights)


def accuracy(model, X, y, weights):
    return accuracy_score(y, model.predict(X), sample_weight=weights)


# --- the scores


@pytest.mark.parametrize(
    ("scoring", "score"),
    [
        ("neg_log_loss", log_score),
        ("rare_brier", rare_brier),
        ("accuracy", accuracy),
        (get_scorer("accuracy"), accuracy),
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_scores_are_those_of_classifiers_fitted_on_the_fold(rows, scoring, score, weighted):
    X, codes, weights = rows
    weights = weights if weighted else None
    # The columns' means differ from fold to fold, and the weights of boundaries differ.
    model = PRESTOClassifierCV(alphas=5, eps=1e-2, cv=3, scoring=scoring, **EXACT)
    model.fit(X, codes, sample_weight=weights)
    folds = list(StratifiedKFold(3).split(X, codes))
    expected = by_hand(X, codes, model.alphas_, folds, score, weights, **EXACT)
    np.testing.assert_allclose(model.cv_scores_, expected, rtol=1e-7)
    assert (np.diff(model.coefs_path_, axis=1) != 0).any()


@pytest.mark.parametrize(
    "settings",
    [
        {"link": "probit", "l1_ratio": 0.5, "class_weight": "balanced"},
        {"link": "cloglog", "level_penalty": 0.0, "class_weight": {3: 5.0}},
        {"standardize": False, "crossing": "isotonic"},
        {"crossing": "raw", "level_penalty": 3.0},
        *({"solver": name, "max_iter": 20_000, "tol": 1e-8} for name in SOLVERS),
    ],
)
def test_every_parameter_reaches_the_folds_and_the_model(rows, settings):
    X, codes, _ = rows
    alphas = [0.1, 0.02, 0.004]
    more = {**EXACT, **settings}
    model = PRESTOClassifierCV(alphas=alphas, cv=3, **more).fit(X, codes)
    folds = list(StratifiedKFold(3).split(X, codes))
    expected = by_hand(X, codes, alphas, folds, log_score, **more)
    np.testing.assert_allclose(model.cv_scores_, expected, rtol=1e-5)
    alone = PRESTOClassifier(model.alpha_, **more).fit(X, codes)
    np.testing.assert_allclose(model.predict_proba(X), alone.predict_proba(X), atol=1e-5)


@pytest.fixture(scope="module")
def uneven(rows):
    """Two folds that differ: in the shares of the classes, and so that test rows cross."""
    X, codes, _ = rows
    order = np.argsort(codes + np.arange(240) % 7, kind="stable")
    return X[order], codes[order], list(KFold(2).split(X))


@pytest.mark.parametrize("crossing", ["keep_last", "isotonic", "raw"])
def test_rows_that_cross_are_scored_as_the_classifier_predicts_them(uneven, crossing):
    X, codes, folds = uneven
    each = [PRESTOClassifier(0.003).fit(X[train], codes[train]) for train, _ in folds]
    assert sum(one.crossing_rate(X[test]) for one, (_, test) in zip(each, folds, strict=True)) > 0

    def brier(one, X, y, weights):
        return -np.mean(np.sum((one.predict_proba(X) - np.eye(4)[y]) ** 2, axis=1))

    expected = by_hand(X, codes, [0.003], folds, brier, crossing=crossing, **EXACT)
    model = PRESTOClassifierCV(alphas=[0.003], cv=folds, scoring="neg_brier_score", **EXACT)
    model.set_params(crossing=crossing).fit(X, codes)
    np.testing.assert_allclose(model.cv_scores_, expected, rtol=1e-7)


def test_balanced_classes_are_those_of_the_fold(uneven):
    X, codes, folds = uneven
    settings = {"class_weight": "balanced", **EXACT}
    model = PRESTOClassifierCV(alphas=[0.05, 0.01], cv=folds, **settings).fit(X, codes)
    expected = by_hand(X, codes, [0.05, 0.01], folds, log_score, **settings)
    np.testing.assert_allclose(model.cv_scores_, expected, rtol=1e-7)


def test_a_grid_search_finds_the_same(rows):
    X, codes, _ = rows
    model = PRESTOClassifierCV(alphas=4, eps=0.02, cv=4, scoring="neg_brier_score", **EXACT)
    model.fit(X, codes)
    search = GridSearchCV(
        PRESTOClassifier(**EXACT),
        {"alpha": model.alphas_.tolist()},
        cv=4,
        scoring="neg_brier_score",
    ).fit(X, codes)
    assert search.best_params_ == {"alpha": model.alpha_}
    found = search.cv_results_["mean_test_score"]
    np.testing.assert_allclose(model.cv_scores_.mean(axis=1), found, rtol=1e-7)


def test_the_model_is_the_one_of_the_path_on_all_rows(rows):
    X, codes, weights = rows
    model = PRESTOClassifierCV(alphas=8, eps=1e-2, **EXACT).fit(X, codes, sample_weight=weights)
    path = presto_path(X, codes, alphas=8, eps=1e-2, sample_weight=weights, **EXACT)
    np.testing.assert_array_equal(model.alphas_, path[0])
    np.testing.assert_array_equal(model.coefs_path_, np.moveaxis(path[1], -1, 0))
    np.testing.assert_array_equal(model.intercepts_path_, path[2].T)
    at = model.alphas_.tolist().index(model.alpha_)
    assert 0 < at < 7
    np.testing.assert_array_equal(model.coef_, model.coefs_path_[at])
    np.testing.assert_array_equal(model.intercept_, model.intercepts_path_[at])
    assert model.n_iter_ == path[3][at]
    alone = PRESTOClassifier(model.alpha_, **EXACT).fit(X, codes, sample_weight=weights)
    for name in ("objective_", "alpha_max_", "n_crossings_"):
        assert getattr(model, name) == pytest.approx(getattr(alone, name), rel=1e-9), name
    np.testing.assert_allclose(model.delta_, alone.delta_, atol=1e-8)
    assert model.kkt_violation_ < 1e-9
    assert abs(model.duality_gap_) < 1e-8
    assert model.l1_ratio_ == 1.0


def test_the_defaults(rows):
    X, codes, _ = rows
    model = PRESTOClassifierCV(alphas=4, eps=0.1).fit(X, codes)
    said = PRESTOClassifierCV(
        alphas=4, eps=0.1, cv=StratifiedKFold(5), scoring="log_loss", selection="min"
    )
    np.testing.assert_array_equal(model.cv_scores_, said.fit(X, codes).cv_scores_)
    assert model.cv_scores_.shape == (4, 5)
    assert PRESTOClassifierCV().get_params()["alphas"] == 100


# --- the choice


def test_the_best_mean_is_taken_and_of_equals_the_largest_penalty():
    scores = np.array([[[1.0, 3.0], [5.0, 1.0], [4.0, 2.0], [0.0, 0.0]]])
    assert _chosen(scores, "min") == (0, 1)
    assert _chosen(scores[:, ::-1], "min") == (0, 1)
    flat = np.zeros((2, 3, 4))
    assert _chosen(flat, "min") == _chosen(flat, "1se") == (0, 0)


def test_one_standard_error():
    # The best is the fourth: mean 0, standard error 1.
    spread = np.array([-np.sqrt(3), np.sqrt(3), -1.0, 1.0]) * np.sqrt(3 / 8) * 2
    best = spread / spread.std(ddof=1) * 2
    assert best.std(ddof=1) / 2 == pytest.approx(1)
    means = np.array([-3.0, -1.001, -0.999, 0.0, -0.5])
    scores = np.where(np.arange(5)[:, None] == 3, best, means[:, None])[None]
    assert _chosen(scores, "min") == (0, 3)
    assert _chosen(scores, "1se") == (0, 2)
    # a single fold has no standard error
    assert _chosen(scores[:, :, :1] + means[:, None], "1se") == _chosen(
        scores[:, :, :1] + means[:, None], "min"
    )


def test_one_standard_error_of_a_fit(rows):
    X, codes, _ = rows
    best = PRESTOClassifierCV(alphas=15, eps=1e-2).fit(X, codes)
    model = PRESTOClassifierCV(alphas=15, eps=1e-2, selection="1se").fit(X, codes)
    np.testing.assert_array_equal(model.cv_scores_, best.cv_scores_)
    means = model.cv_scores_.mean(axis=1)
    limit = means.max() - model.cv_scores_[means.argmax()].std(ddof=1) / np.sqrt(5)
    assert model.alpha_ == max(model.alphas_[means >= limit]) > best.alpha_
    assert (model.coef_ != 0).sum() <= (best.coef_ != 0).sum()


def test_penalties_too_large_to_matter_tie(rows):
    X, codes, _ = rows
    model = PRESTOClassifierCV(alphas=[50.0, 20.0, 90.0], scoring="brier").fit(X, codes)
    assert model.alpha_ == 90.0
    np.testing.assert_array_equal(model.alphas_, [90, 50, 20])
    assert (model.coefs_path_ == 0).all()


def test_several_l1_ratios(rows):
    X, codes, _ = rows
    ratios = [0.0, 0.2, 1.0, 0.2]
    settings = {"alphas": 6, "eps": 1e-2, "cv": 3, "level_penalty": 0.5}
    model = PRESTOClassifierCV(l1_ratio=ratios, **settings).fit(X, codes)
    assert model.cv_scores_.shape == (4, 6, 3)
    each = [PRESTOClassifierCV(l1_ratio=ratio, **settings).fit(X, codes) for ratio in ratios]
    for scores, one in zip(model.cv_scores_, each, strict=True):
        np.testing.assert_allclose(scores, one.cv_scores_, rtol=1e-5)
    means = [one.cv_scores_.mean(axis=1).max() for one in each]
    winner = each[int(np.argmax(means))]
    assert model.l1_ratio_ == winner.l1_ratio_
    np.testing.assert_allclose(model.alphas_, winner.alphas_, rtol=1e-6)
    assert model.alpha_ == pytest.approx(winner.alpha_, rel=1e-6)
    np.testing.assert_allclose(model.coefs_path_, winner.coefs_path_, atol=1e-3)
    # as the docstring says of the other ratios' penalties
    for ratio, one in zip(ratios, each, strict=True):
        others = model.alphas_ * max(model.l1_ratio_, 0.01) / max(ratio, 0.01)
        np.testing.assert_allclose(one.alphas_, others, rtol=1e-6)
    listed = PRESTOClassifierCV(l1_ratio=[1.0], **settings).fit(X, codes)
    assert listed.cv_scores_.shape == (1, 6, 3)
    assert listed.l1_ratio_ == 1.0


# --- folds


@pytest.mark.parametrize(
    "cv",
    [
        3,
        KFold(4, shuffle=True, random_state=0),
        StratifiedShuffleSplit(2, test_size=0.3, random_state=1),
        PredefinedSplit(np.arange(240) % 3),
        "list",
        "masks",
    ],
)
def test_any_splitter(rows, cv):
    X, codes, _ = rows
    if cv in ("list", "masks"):
        test = [np.arange(0, 240, 2), np.arange(1, 240, 2)]
        cv = [(np.setdiff1d(np.arange(240), part), part) for part in test]
        folds = cv
        if isinstance(cv, str):
            cv = [tuple(np.isin(np.arange(240), part) for part in pair) for pair in folds]
    else:
        splitter = StratifiedKFold(3) if cv == 3 else cv
        folds = list(splitter.split(X, codes))
    model = PRESTOClassifierCV(alphas=[0.1, 0.01], cv=cv, **EXACT).fit(X, codes)
    expected = by_hand(X, codes, [0.1, 0.01], folds, log_score, **EXACT)
    np.testing.assert_allclose(model.cv_scores_, expected, rtol=1e-7)


def test_a_row_that_is_drawn_twice_counts_twice(rows):
    X, codes, weights = rows
    rng = np.random.default_rng(0)
    folds = [(rng.integers(0, 240, size=300), rng.integers(0, 240, size=60)) for _ in range(2)]
    model = PRESTOClassifierCV(alphas=[0.03, 0.01], cv=folds, **EXACT)
    model.fit(X, codes, sample_weight=weights)
    expected = by_hand(X, codes, [0.03, 0.01], folds, log_score, weights, **EXACT)
    np.testing.assert_allclose(model.cv_scores_, expected, rtol=1e-7)


def test_a_class_that_a_training_part_lacks_is_named(rows):
    X, codes, weights = rows
    one = np.flatnonzero(codes == 3)[:1]
    few = np.sort(np.append(np.flatnonzero(codes < 3), one))
    lacking = int(np.flatnonzero([one[0] in few[test] for _, test in KFold(4).split(few)])[0])
    model = PRESTOClassifierCV(alphas=3, cv=KFold(4), categories=NAMES)
    with pytest.raises(DataError, match=rf"'buy' \(0 rows\).* in fold {lacking}"):
        model.fit(X[few], NAMES[codes[few]])
    # all rows of weight in one fold are as good as none
    weights = np.where((codes == 2) & (np.arange(240) >= 60), 0.0, weights + 0.1)
    with pytest.raises(DataError, match="none of class 'cart' in fold 0"):
        model.fit(X, NAMES[codes], sample_weight=weights)
    weights = np.where(np.arange(240) < 60, 0.0, 1.0)
    with pytest.raises(DataError, match="test fold .* none in fold 0"):
        model.fit(X, NAMES[codes], sample_weight=weights)


def test_more_folds_than_rows_of_any_class_are_refused(rows):
    X, codes, _ = rows
    few = np.concatenate([np.flatnonzero(codes == k)[:4] for k in range(4)])
    with pytest.raises(
        DataError,
        match="PRESTOClassifierCV: every class must have a row .* 4 of class 0 for 5 folds",
    ):
        PRESTOClassifierCV(alphas=3, cv=5).fit(X[few], codes[few])
    PRESTOClassifierCV(alphas=3, cv=4).fit(X[few], codes[few])


def test_groups(rows):
    X, codes, weights = rows
    groups = np.arange(240) // 12
    model = PRESTOClassifierCV(alphas=[0.1, 0.01], cv=StratifiedGroupKFold(3), **EXACT)
    with pytest.raises(DataError, match="groups"):
        # Older versions of the stratified splitter do not look whether there are groups.
        clone(model).set_params(cv=GroupKFold(3)).fit(X, codes)
    folds = list(StratifiedGroupKFold(3).split(X, codes, groups))
    expected = by_hand(X, codes, [0.1, 0.01], folds, log_score, weights, **EXACT)
    model.fit(X, codes, sample_weight=weights, groups=groups)
    np.testing.assert_allclose(model.cv_scores_, expected, rtol=1e-7)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(model).fit(X, codes, sample_weight=weights, groups=groups)
    np.testing.assert_array_equal(routed.cv_scores_, model.cv_scores_)


# --- routing


def test_an_argument_that_nobody_takes_is_refused(rows):
    X, codes, _ = rows
    with pytest.raises(InvalidParameterError, match="'amounts'"):
        PRESTOClassifierCV().fit(X, codes, amounts=codes)


@pytest.mark.usefixtures("routing")
def test_an_argument_that_nobody_takes_is_refused_by_routing(rows):
    X, codes, _ = rows
    with pytest.raises(TypeError, match="amounts"):
        PRESTOClassifierCV().fit(X, codes, amounts=codes)


@pytest.mark.usefixtures("routing")
def test_what_the_scorer_requests_is_routed(rows):
    X, codes, weights = rows
    settings = {"alphas": [0.1, 0.01], "cv": 3}
    plain = make_scorer(accuracy_score)
    model = PRESTOClassifierCV(scoring=plain.set_score_request(sample_weight=True), **settings)
    model.fit(X, codes, sample_weight=weights)
    folds = list(StratifiedKFold(3).split(X, codes))
    expected = by_hand(X, codes, [0.1, 0.01], folds, accuracy, weights)
    np.testing.assert_allclose(model.cv_scores_, expected, rtol=1e-12)
    # refused by the scorer, the weights enter the fits only
    model.set_params(scoring=make_scorer(accuracy_score).set_score_request(sample_weight=False))
    model.fit(X, codes, sample_weight=weights)

    def unweighted(each, X, y, weights):
        return each.score(X, y)

    expected = by_hand(X, codes, [0.1, 0.01], folds, unweighted, weights)
    np.testing.assert_allclose(model.cv_scores_, expected, rtol=1e-12)


@pytest.mark.usefixtures("routing")
def test_weights_and_groups_pass_through_a_pipeline(rows):
    X, codes, weights = rows
    groups = np.arange(240) // 12
    model = PRESTOClassifierCV(alphas=[0.1, 0.01], cv=GroupKFold(3))
    whole = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False),
        model.set_fit_request(sample_weight=True),
    )
    whole.fit(X, codes, sample_weight=weights, groups=groups)
    scaled = StandardScaler().fit_transform(X)
    alone = clone(model).fit(scaled, codes, sample_weight=weights, groups=groups)
    np.testing.assert_array_equal(whole[-1].cv_scores_, alone.cv_scores_)


def test_a_scorer_without_weights(rows):
    X, codes, weights = rows

    def share(model, X, y):
        return float(np.mean(model.predict(X) == y))

    model = PRESTOClassifierCV(alphas=[0.1, 0.01], cv=3, scoring=share)
    with pytest.warns(ImbkitWarning, match="PRESTOClassifierCV: .* sample_weight"):
        model.fit(X, codes, sample_weight=weights)
    folds = list(StratifiedKFold(3).split(X, codes))
    expected = by_hand(X, codes, [0.1, 0.01], folds, lambda m, X, y, _: share(m, X, y), weights)
    np.testing.assert_array_equal(model.cv_scores_, expected)
    model.fit(X, codes)


def test_a_scorer_sees_a_fitted_classifier(rows):
    X, codes, _ = rows
    seen = []

    def scorer(model, X, y):
        seen.append((type(model), model.alpha, model.l1_ratio, model.link, list(model.classes_)))
        model.crossing_rate(X)
        assert model.predict_exceedance(X).shape == (len(X), 3)
        np.testing.assert_allclose(np.cumsum(model.delta_, axis=0), model.coef_, atol=1e-12)
        assert set(y) <= set(NAMES)
        return 0.0

    model = PRESTOClassifierCV(
        alphas=[0.1, 0.01], l1_ratio=[0.5, 1.0], cv=2, link="probit", scoring=scorer
    )
    model.set_params(categories=NAMES).fit(pd.DataFrame(X, columns=list("abcd")), NAMES[codes])
    per_fold = [
        (PRESTOClassifier, alpha, ratio, "probit", list(NAMES))
        for ratio in (0.5, 1.0)
        for alpha in (0.1, 0.01)
    ]
    assert seen == 2 * per_fold
    assert list(model.feature_names_in_) == list("abcd")


def test_a_score_that_is_no_number_is_refused(rows):
    X, codes, _ = rows
    for odd, shown in ((np.nan, "none"), ("high", "none"), ({"a": 1.0}, "none"), (np.inf, "inf")):
        words = f"scoring must give a finite number .* {shown} in fold 0"
        with pytest.raises(DataError, match=words):
            PRESTOClassifierCV(alphas=2, scoring=lambda model, X, y, odd=odd: odd).fit(X, codes)


# --- what does not matter


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_the_number_of_jobs_does_not_matter(rows, n_jobs):
    X, codes, weights = rows
    settings = {"alphas": 6, "eps": 1e-2, "l1_ratio": [0.5, 1.0]}
    one = PRESTOClassifierCV(**settings).fit(X, codes, sample_weight=weights)
    more = PRESTOClassifierCV(**settings, n_jobs=n_jobs).fit(X, codes, sample_weight=weights)
    for name in ("cv_scores_", "coefs_path_", "intercepts_path_", "coef_", "alphas_"):
        np.testing.assert_array_equal(getattr(one, name), getattr(more, name))
    assert one.alpha_ == more.alpha_


def test_tables_of_any_kind_give_the_same(rows):
    X, codes, _ = rows
    X = np.where(np.abs(X) > 4, X, 0)
    model = PRESTOClassifierCV(alphas=3, eps=0.05, cv=3, **EXACT).fit(X, codes)
    names = list("abcd")
    tables = [sparse.csr_array(X), sparse.csc_matrix(X), pd.DataFrame(X, columns=names)]
    for table in tables:
        other = clone(model).fit(table, codes)
        np.testing.assert_allclose(other.cv_scores_, model.cv_scores_, rtol=1e-7)
        np.testing.assert_allclose(other.predict_proba(table), model.predict_proba(X), atol=1e-6)
    narrow = clone(model).fit(X.astype(np.float32), codes)
    np.testing.assert_allclose(narrow.cv_scores_, model.cv_scores_, rtol=1e-4)


def test_blocks_of_rows_do_not_matter(rows, monkeypatch):
    from imbkit.ordinal import _fold_path

    X, codes, weights = rows
    model = PRESTOClassifierCV(alphas=4).fit(X, codes, sample_weight=weights)
    for name, value in (("_ROWS", 7), ("_CELLS", 1)):
        monkeypatch.setattr(_fold_path, name, value)
        other = clone(model).fit(X, codes, sample_weight=weights)
        np.testing.assert_allclose(other.cv_scores_, model.cv_scores_, rtol=1e-13)


def test_integer_weights_are_repetitions(rows):
    X, codes, _ = rows
    times = np.arange(240) % 3
    times[codes == 3] = 2
    rows_of = np.repeat(np.arange(240), times)
    half = np.arange(240) % 2
    settings = {"alphas": 5, "scoring": "neg_rare_log_loss", **EXACT}
    weighted = PRESTOClassifierCV(cv=PredefinedSplit(half), **settings)
    weighted.fit(X, codes, sample_weight=times)
    repeated = PRESTOClassifierCV(cv=PredefinedSplit(half[rows_of]), **settings)
    repeated.fit(X[rows_of], codes[rows_of])
    np.testing.assert_allclose(weighted.cv_scores_, repeated.cv_scores_, rtol=1e-7)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-7)


def test_pickling_keeps_the_model(rows):
    X, codes, _ = rows
    model = PRESTOClassifierCV(alphas=3).fit(X, codes)
    back = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))


def test_two_classes_and_fifty(oracle):
    X, codes, _ = oracle.draw(3, n=120, p=3, n_classes=2, rare=30)
    model = PRESTOClassifierCV(alphas=4, scoring="roc_auc").fit(X, codes)
    assert model.coefs_path_.shape == (4, 1, 3)
    X, codes, _ = oracle.draw(3, n=600, p=3, n_classes=50, rare=6)
    keep = np.isin(codes, np.flatnonzero(np.bincount(codes, minlength=50) > 2))
    model = PRESTOClassifierCV(alphas=3, eps=0.1, cv=2).fit(X[keep], codes[keep])
    assert model.coefs_path_.shape[1] == len(np.unique(codes[keep])) - 1 > 40


# --- bad input


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"alphas": [-1.0]}, "PRESTOClassifierCV: alphas must be"),
        ({"alphas": 0}, "alphas"),
        ({"l1_ratio": []}, "PRESTOClassifierCV: l1_ratio must be"),
        ({"l1_ratio": [0.5, 1.5]}, "PRESTOClassifierCV: l1_ratio must be"),
        ({"l1_ratio": [0.5, np.nan]}, "PRESTOClassifierCV: l1_ratio must be"),
        ({"l1_ratio": ["half"]}, "PRESTOClassifierCV: l1_ratio must be"),
        ({"scoring": "nosuch"}, "scoring"),
        ({"selection": "max"}, "selection"),
        ({"cv": "five"}, "cv"),
        ({"alpha": 0.1}, None),
    ],
)
def test_a_wrong_parameter_is_refused(rows, wrong, match):
    X, codes, _ = rows
    with pytest.raises((ValueError, TypeError), match=match):
        PRESTOClassifierCV(**wrong).fit(X, codes)


def test_a_line_is_printed_if_asked_for(rows, capsys):
    X, codes, _ = rows
    model = PRESTOClassifierCV(alphas=[0.0123, 0.5], cv=2, verbose=1).fit(X, codes)
    assert f"PRESTOClassifierCV: alpha {model.alpha_:.3g}," in capsys.readouterr().out


def test_unfinished_fits_are_told_once(rows):
    X, codes, _ = rows
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        PRESTOClassifierCV(alphas=4, cv=3, max_iter=1, tol=1e-12).fit(X, codes)
    texts = [str(each.message) for each in seen]
    assert all(each.category is ConvergenceWarning for each in seen)
    assert sum("along the path" in text for text in texts) == 1
    assert len(texts) <= 2
    assert all(text.startswith("PRESTOClassifierCV: ") for text in texts)


@pytest.mark.parametrize(("cv", "n_folds"), [(None, 5), (4, 4)])
def test_a_class_with_fewer_rows_than_folds_is_named(cv, n_folds):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.arange(60) % 3
    y[(y == 2) & (np.arange(60) > 8)] = 1
    with pytest.raises(DataError, match=f"Got 3 of class 2 for {n_folds} folds. Use fewer folds"):
        PRESTOClassifierCV(alphas=3, cv=cv).fit(X, y)
    PRESTOClassifierCV(alphas=3, cv=3).fit(X, y)


def test_a_truth_value_is_no_number_of_penalties():
    with pytest.raises(InvalidParameterError, match="alphas must be"):
        PRESTOClassifierCV(alphas=True).fit(np.arange(20.0)[:, None], np.arange(20) % 2)
