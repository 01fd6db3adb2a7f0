"""tau-normalisation: the choice of tau, what becomes of the head, and which estimators serve."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from imbkit._core.deploy import deploy
from imbkit.calibration import TauNormClassifier
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.pipeline import make_pipeline as make_carrying_pipeline
from imbkit.sampling import RandomUnderSampler

LINEAR = [
    LogisticRegression(C=0.1),
    LinearSVC(random_state=0),
    RidgeClassifier(),
    SGDClassifier(random_state=0),
    LinearDiscriminantAnalysis(),
]
names = [type(each).__name__ for each in LINEAR]


@pytest.fixture(scope="module")
def data():
    return make_classification(
        600, n_features=6, n_informative=5, n_redundant=0, n_classes=3, weights=[0.8, 0.15],
        random_state=0,
    )  # fmt: skip


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("inner", LINEAR, ids=names)
def test_the_scores_are_those_of_the_normalised_weights(data, inner):
    X, y = data
    plain = clone(inner).fit(X, y)
    norms = np.linalg.norm(plain.coef_, axis=1, keepdims=True)
    for tau in (0.0, 0.7, 1.0):
        model = TauNormClassifier(inner, tau).fit(X, y)
        scores = X @ (plain.coef_ / norms**tau).T
        np.testing.assert_allclose(model.decision_function(X), scores, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(model.predict(X), plain.classes_[scores.argmax(axis=1)])
        np.testing.assert_allclose(model.predict_proba(X), softmax(scores, axis=1), rtol=1e-8)
        np.testing.assert_allclose(model.coef_ @ X.T + model.intercept_[:, None], scores.T)
    same = TauNormClassifier(inner, 0.0, bias="keep").fit(X, y)
    np.testing.assert_allclose(same.decision_function(X), plain.decision_function(X), rtol=1e-9)


def test_kept_intercepts_keep_their_part(data):
    X, y = data
    plain = LogisticRegression().fit(X, y)
    norms = np.linalg.norm(plain.coef_, axis=1, keepdims=True)
    geometric = np.exp(np.log(norms).mean())
    model = TauNormClassifier(LogisticRegression(), 0.5, bias="keep").fit(X, y)
    expected = X @ (plain.coef_ * (geometric / norms) ** 0.5).T + plain.intercept_
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-10)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_prior_is_that_of_the_training_rows(data, weighted):
    X, y = data
    weight = np.random.default_rng(0).integers(1, 5, y.size) if weighted else None
    balance = None if weighted else {0: 1.0, 1: 5.0, 2: 9.0}
    plain = LogisticRegression(class_weight=balance).fit(X, y, sample_weight=weight)
    model = TauNormClassifier(LogisticRegression(class_weight=balance), 0.0, bias="prior")
    model.fit(X, y, sample_weight=weight)
    each = np.array([balance[k] for k in y]) if weight is None else weight
    shares = np.bincount(y, weights=each) / each.sum()
    np.testing.assert_allclose(model.intercept_, plain.intercept_ - np.log(shares), rtol=1e-10)


def test_the_prior_of_an_unknown_or_wrong_kind_of_score_is_a_warning(data):
    X, y = data
    with pytest.warns(ImbkitWarning, match="log-probabilities"):
        TauNormClassifier(LinearSVC(), 0.0, bias="prior").fit(X, y)


def test_the_prior_of_a_fold_is_that_of_its_own_training_rows(data):
    """A sampler inside remembers positions among the rows of the fold."""
    X, y = data
    order = np.argsort(y, kind="stable")[::-1]  # sorted rows: wrong positions mean wrong shares
    X, y = X[order], y[order]
    inner = make_carrying_pipeline(RandomUnderSampler(random_state=0), LogisticRegression())
    model = TauNormClassifier(inner, taus=[0.0], bias="prior", cv=3).fit(X, y)
    guesses = np.empty_like(y)
    for train, test in StratifiedKFold(3).split(X, y):
        # Equal shares of the classes: the intercepts stay as they are.
        guesses[test] = clone(inner).fit(X[train], y[train]).predict(X[test])
    expected = balanced_accuracy_score(y, guesses)
    np.testing.assert_allclose(model.cv_results_["scores"], [expected], rtol=1e-12)


def test_the_prior_of_a_fitted_model(data):
    """Of a fitted model the labels given stand for its own, unless training changed shares."""
    X, y = data
    shares = np.bincount(y[::2]) / y[::2].size
    plain = LogisticRegression().fit(X[1::2], y[1::2])
    model = TauNormClassifier(plain, 0.0, bias="prior", cv="prefit").fit(X[::2], y[::2])
    np.testing.assert_allclose(model.intercept_, plain.intercept_ - np.log(shares), rtol=1e-12)
    resampled = make_carrying_pipeline(RandomUnderSampler(random_state=0), LogisticRegression())
    resampled.fit(X[1::2], y[1::2])
    with pytest.warns(ImbkitWarning, match="it should be known what class shares"):
        TauNormClassifier(resampled, 0.0, bias="prior", cv="prefit").fit(X[::2], y[::2])


@pytest.mark.parametrize("bias", ["prior", "keep"])
def test_weights_that_a_pipeline_hands_on_count_in_the_prior(data, bias):
    X, y = data
    weight = np.random.default_rng(0).integers(1, 5, y.size).astype(float)
    carrying = make_carrying_pipeline(LogisticRegression())
    given = TauNormClassifier(carrying, 0.0, bias=bias).fit(X, y, sample_weight=weight)
    named = TauNormClassifier(make_pipeline(LogisticRegression()), 0.0, bias=bias)
    named.fit(X, y, logisticregression__sample_weight=weight)
    plain = TauNormClassifier(LogisticRegression(), 0.0, bias=bias).fit(X, y, sample_weight=weight)
    for model in (given, named):
        np.testing.assert_allclose(model.intercept_, plain.intercept_, rtol=1e-10)
        np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-10)


def test_tau_is_the_best_on_out_of_fold_rows(data):
    X, y = data
    inner = make_pipeline(StandardScaler(), LogisticRegression())
    model = TauNormClassifier(inner, cv=4).fit(X, y)
    scores = []
    for tau in np.linspace(0, 2, 21):
        guesses = np.empty_like(y)
        for train, test in StratifiedKFold(4).split(X, y):
            scaler = StandardScaler().fit(X[train])
            plain = LogisticRegression().fit(scaler.transform(X[train]), y[train])
            weights = plain.coef_ / np.linalg.norm(plain.coef_, axis=1, keepdims=True) ** tau
            guesses[test] = (scaler.transform(X[test]) @ weights.T).argmax(axis=1)
        scores.append(balanced_accuracy_score(y, guesses))
    np.testing.assert_allclose(model.cv_results_["scores"], scores, rtol=1e-12)
    assert model.tau_ == np.linspace(0, 2, 21)[np.argmax(scores)]


def test_another_scoring_and_taus(data):
    X, y = data
    model = TauNormClassifier(LogisticRegression(), taus=[1.0, 0.0, 0.5, 1.0], scoring="f1")
    model.fit(X, y)
    assert model.cv_results_["taus"].tolist() == [0.0, 0.5, 1.0]
    guesses = np.empty_like(y)
    for train, test in StratifiedKFold(5).split(X, y):
        plain = LogisticRegression().fit(X[train], y[train])
        guesses[test] = (X[test] @ plain.coef_.T).argmax(axis=1)
    expected = f1_score(y, guesses, average="macro")
    assert model.cv_results_["scores"][0] == pytest.approx(expected, rel=1e-12)


def test_integer_weights_are_repeated_rows(data):
    X, y = data
    weight = np.random.default_rng(1).integers(0, 3, size=y.size)
    again = np.repeat(np.arange(y.size), weight)
    fold = np.arange(y.size) % 3
    splits = [[(np.flatnonzero(f != k), np.flatnonzero(f == k)) for k in range(3)]
              for f in (fold, fold[again])]  # fmt: skip
    solver = LogisticRegression(tol=1e-10, max_iter=1000)
    weighted = TauNormClassifier(solver, cv=splits[0]).fit(X, y, sample_weight=weight)
    repeated = TauNormClassifier(solver, cv=splits[1]).fit(X[again], y[again])
    np.testing.assert_allclose(
        weighted.cv_results_["scores"], repeated.cv_results_["scores"], rtol=1e-10
    )
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-4)


def test_two_classes_change_by_the_intercept_alone():
    X, y = make_classification(300, weights=[0.9], random_state=0)
    plain = LogisticRegression().fit(X, y)
    with pytest.warns(ImbkitWarning, match="three classes"):
        kept = TauNormClassifier(LogisticRegression(), 1.0, bias="keep").fit(X, y)
    np.testing.assert_allclose(kept.decision_function(X), plain.decision_function(X), rtol=1e-10)
    assert kept.coef_.shape == (1, 20)
    with pytest.warns(ImbkitWarning, match="three classes"):
        bare = TauNormClassifier(LogisticRegression()).fit(X, y)
    assert bare.tau_ == 0.0
    np.testing.assert_array_equal(bare.predict(X), X @ plain.coef_[0] > 0)
    assert bare.predict_proba(X).shape == (300, 2)


def test_a_pipeline_with_a_sampler_and_a_frame(data):
    X, y = data
    frame = pd.DataFrame(X, columns=list("abcdef"))
    inner = make_sampling_pipeline(
        StandardScaler(), RandomOverSampler(random_state=0), LogisticRegression()
    )
    model = TauNormClassifier(inner, 0.5).fit(frame, y)
    plain = clone(inner).fit(frame, y)
    rows = plain[0].transform(frame)
    coef = plain[-1].coef_
    expected = rows @ (coef / np.linalg.norm(coef, axis=1, keepdims=True) ** 0.5).T
    np.testing.assert_allclose(model.decision_function(frame), expected, rtol=1e-10)
    assert model.feature_names_in_.tolist() == list("abcdef")
    shipped = deploy(model)
    assert type(shipped).__module__.startswith("sklearn.")
    np.testing.assert_array_equal(shipped.predict_proba(frame), model.predict_proba(frame))
    np.testing.assert_array_equal(shipped.predict(frame), model.predict(frame))


@pytest.mark.parametrize("inner", LINEAR, ids=names)
def test_what_ships_is_a_plain_logistic_regression(data, inner):
    X, y = data
    model = TauNormClassifier(inner, 0.5, bias="keep").fit(X, np.array(["a", "b", "c"])[y])
    shipped = deploy(pickle.loads(pickle.dumps(model)))
    assert type(shipped) is LogisticRegression
    np.testing.assert_array_equal(shipped.predict(X), model.predict(X))
    np.testing.assert_array_equal(shipped.predict_proba(X), model.predict_proba(X))


def test_sparse_rows(data):
    X, y = data
    assert sklearn.utils.get_tags(TauNormClassifier(LogisticRegression())).input_tags.sparse
    dense, thin = (
        TauNormClassifier(LogisticRegression()).fit(Z, y) for Z in (X, sparse.csr_array(X))
    )
    assert thin.tau_ == dense.tau_
    np.testing.assert_allclose(
        thin.decision_function(sparse.csr_array(X)),
        dense.decision_function(X),
        rtol=1e-3,
        atol=1e-3,
    )


@pytest.mark.parametrize("how", ["prefit", "frozen"])
def test_a_fitted_model_is_not_trained_again(data, how):
    X, y = data
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:300], y[:300])
    before = fitted[-1].coef_.copy()
    if how == "prefit":
        model = TauNormClassifier(fitted, cv="prefit")
    else:
        model = TauNormClassifier(FrozenEstimator(fitted), cv=3)
    model.fit(X[300:], y[300:])
    np.testing.assert_array_equal(fitted[-1].coef_, before)
    rows = fitted[0].transform(X[300:])
    norms = np.linalg.norm(before, axis=1, keepdims=True)
    scores = [
        balanced_accuracy_score(y[300:], (rows @ (before / norms**tau).T).argmax(axis=1))
        for tau in model.cv_results_["taus"]
    ]
    np.testing.assert_allclose(model.cv_results_["scores"], scores, rtol=1e-12)


def test_a_search_over_tau(data):
    X, y = data
    search = GridSearchCV(
        TauNormClassifier(LogisticRegression()), {"tau": [0.0, 1.0], "bias": ["zero", "keep"]}, cv=2
    )
    search.fit(X, y)
    assert set(search.best_params_) == {"tau", "bias"}
    assert search.predict_proba(X).shape == (y.size, 3)


def test_routing_hands_weights_and_groups_on(data, routing):
    X, y = data
    weight, groups = np.arange(y.size) % 3 + 1.0, np.arange(y.size) % 7
    inner = LogisticRegression().set_fit_request(sample_weight=True)
    model = TauNormClassifier(inner, cv=GroupKFold(3)).fit(
        X, y, sample_weight=weight, groups=groups
    )
    expected = LogisticRegression().fit(X, y, sample_weight=weight)
    coef = expected.coef_ / np.linalg.norm(expected.coef_, axis=1, keepdims=True) ** model.tau_
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-10)
    alone = TauNormClassifier(LogisticRegression().set_fit_request(sample_weight=False), 0.0).fit(
        X, y, sample_weight=weight
    )
    np.testing.assert_allclose(alone.coef_, LogisticRegression().fit(X, y).coef_, rtol=1e-10)


def test_groups_without_routing(data):
    X, y = data
    groups = np.arange(y.size) % 7
    model = TauNormClassifier(LogisticRegression(), cv=GroupKFold(3)).fit(X, y, groups=groups)
    splits = list(GroupKFold(3).split(X, y, groups))
    same = TauNormClassifier(LogisticRegression(), cv=splits).fit(X, y)
    np.testing.assert_array_equal(model.cv_results_["scores"], same.cv_results_["scores"])


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        (DecisionTreeClassifier(), "linear classifier"),
        (SVC(kernel="linear"), "one linear score for each class"),
        (GridSearchCV(LogisticRegression(), {"C": [1.0]}), "linear classifier"),
    ],
)
def test_other_estimators_are_refused(data, inner, text):
    X, y = data
    for tau in (None, 0.5):
        with pytest.raises(InvalidParameterError, match=text):
            TauNormClassifier(inner, tau).fit(X, y)


@pytest.mark.parametrize("taus", [[], [-1.0], [np.nan], ["a"], [[1.0]]])
def test_bad_taus(data, taus):
    with pytest.raises(InvalidParameterError, match="taus must hold"):
        TauNormClassifier(LogisticRegression(), taus=taus).fit(*data)


def test_bad_input(data):
    X, y = data
    with pytest.raises(NotFittedError, match="must be fitted"):
        TauNormClassifier(LogisticRegression(), cv="prefit").fit(X, y)
    with pytest.raises(DataError, match="two classes"):
        TauNormClassifier(LogisticRegression()).fit(X, np.zeros(y.size))
    fitted = LogisticRegression().fit(X[y < 2], y[y < 2])
    with pytest.raises(DataError, match="know every class"):
        TauNormClassifier(fitted, cv="prefit").fit(X, y)
    with pytest.raises(InvalidParameterError, match="there is no|must be"):
        TauNormClassifier(LogisticRegression(), scoring="nosuch").fit(X, y)


def unfit_for_weights(inner):
    """Checks that an estimator without exact sample weights cannot pass in any wrapper."""
    exact = isinstance(inner, LogisticRegression | RidgeClassifier)
    kinds = [] if exact else ["dense", "sparse"]
    return {f"check_sample_weight_equivalence_on_{kind}_data" for kind in kinds}


# The first is that of the whole catalogue's checks, which take the default number of folds.
@pytest.mark.parametrize(
    "inner", [pytest.param(LINEAR[0], marks=pytest.mark.slow), *LINEAR[1:]], ids=names
)
def test_estimator_checks(inner):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Three folds save time.
        model = TauNormClassifier(inner, cv=3)
        results = check_estimator(model, on_fail=None, on_skip=None)
    failed = {each["check_name"] for each in results if each["status"] == "failed"}
    assert failed <= unfit_for_weights(inner)
