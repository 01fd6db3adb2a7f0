import copy
import inspect
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV

import imbkit.metrics as family
from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import CountMetric, Counts, count_metric, f1_score, gmean_score, sweep

METRICS = [
    getattr(family, n) for n in family.__all__ if isinstance(getattr(family, n), CountMetric)
]
CELL = st.floats(0, 1e6) | st.sampled_from([0.0, 1.0])


@count_metric(bounds=(0, 2), greater_is_better=False, paper="Nobody (2000)")
def misses_score(counts, *, scale=1.0):
    """Count what is missed.

    Parameters
    ----------
    scale : float, default=1.0
        A factor.

    Notes
    -----
    None.
    """
    return scale * counts.fn / counts.positives


@pytest.mark.parametrize("metric", METRICS, ids=repr)
@settings(max_examples=30)
@given(st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=8))
def test_formulas_are_elementwise_and_bounded(metric, cells):
    columns = [np.array(column) for column in zip(*cells, strict=True)]
    together = metric.of(Counts(*columns))
    assert together.shape == (len(cells),)
    assert metric.of(Counts(*(c[:, None] for c in columns))).shape == (len(cells), 1)
    for i, four in enumerate(cells):
        assert metric.of(Counts(*map(np.float64, four))) == pytest.approx(together[i])
    low, high = metric.bounds
    assert (together >= low - 1e-9).all()
    assert (together <= high + 1e-9).all()


@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_the_curve_is_the_metric_of_the_predictions(metric):
    rng = np.random.default_rng(0)
    truth, score, weight = rng.integers(0, 2, 40), rng.integers(0, 9, 40), rng.random(40)
    cuts, counts = sweep(truth, score, weight)
    for cut, value in zip(cuts, metric.of(counts), strict=True):
        guess = (score >= cut).astype(int)
        assert metric(truth, guess, sample_weight=weight, average="binary") == pytest.approx(value)
        assert metric(truth, guess, sample_weight=weight) == pytest.approx(value)


@pytest.mark.parametrize("metric", METRICS, ids=repr)
@pytest.mark.parametrize("average", ["auto", "macro", "micro", "weighted", None])
def test_weights_are_repetitions_and_order_is_nothing(metric, average):
    rng = np.random.default_rng(1)
    size = 3 if metric.over == "classes" or average != "auto" else 2
    truth, guess = rng.integers(0, size, (2, 60))
    times = rng.integers(0, 4, 60)
    times[:3], truth[:3] = 1, [0, 1, size - 1]
    order = rng.permutation(60)
    value = metric(truth, guess, average=average, sample_weight=times)
    repeated = metric(np.repeat(truth, times), np.repeat(guess, times), average=average)
    shuffled = metric(truth[order], guess[order], average=average, sample_weight=times[order])
    assert value == pytest.approx(repeated)
    assert value == pytest.approx(shuffled)


@pytest.mark.parametrize("metric", [m for m in METRICS if m.over == "classes"], ids=repr)
def test_two_of_many_classes_are_the_binary_case(metric):
    rng = np.random.default_rng(2)
    truth, guess, weight = rng.integers(0, 2, 50), rng.integers(0, 2, 50), rng.random(50)
    both = [
        metric(truth, guess, average=average, sample_weight=weight, pos_label=positive)
        for average in ("binary", "multiclass")
        for positive in (0, 1)
    ]
    assert both == pytest.approx([both[0]] * 4)


@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_a_metric_is_itself_after_pickling_and_copying(metric):
    assert pickle.loads(pickle.dumps(metric)) is metric
    assert copy.deepcopy(metric) is metric


def test_a_metric_of_an_interactive_session_travels_with_its_formula():
    def half_recall(counts, *, part=0.5):
        return part * counts.tpr

    metric = count_metric(name="half", bounds=(0, 0.5), greater_is_better=False)(half_recall)
    (facts,) = Parallel(n_jobs=2)(
        delayed(lambda m: (m.name, m.bounds, m.greater_is_better, m([0, 1], [0, 1])))(m)
        for m in [metric]
    )
    assert facts == ("half", (0.0, 0.5), False, 0.5)


def test_grid_search_in_two_processes():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 2)), rng.integers(0, 2, 80)
    search = GridSearchCV(
        LogisticRegression(), {"C": [0.1, 1.0]}, scoring=make_scorer(gmean_score), cv=2, n_jobs=2
    )
    alone = clone(search).set_params(n_jobs=1).fit(X, y)
    assert clone(search).fit(X, y).best_score_ == alone.best_score_


def test_what_a_metric_says_of_itself():
    assert (misses_score.name, misses_score.bounds) == ("misses", (0.0, 2.0))
    assert (misses_score.greater_is_better, misses_score.paper) == (False, "Nobody (2000)")
    assert dict(misses_score.parameters) == {"scale": 1.0}
    assert repr(misses_score) == "misses_score"
    assert misses_score([1, 1], [1, 0], scale=2.0) == 1.0


def test_signature_and_docstring_are_those_of_the_call():
    signature = inspect.signature(misses_score)
    names = ["y_true", "y_pred", "labels", "pos_label", "average", "sample_weight", "scale"]
    assert list(signature.parameters) == names
    assert signature.parameters["scale"].default == 1.0
    doc = misses_score.__doc__
    marks = [
        "Count what",
        "Parameters\n",
        "y_true :",
        "scale :",
        "Returns\n",
        "Raises\n",
        "Notes\n",
    ]
    assert [doc.count(mark) for mark in marks] == [1] * 7
    assert [doc.index(m) for m in marks] == sorted(doc.index(m) for m in marks)
    assert "zero_division :" not in doc
    assert "zero_division :" in f1_score.__doc__


@pytest.mark.parametrize("nothing", [0, 1, 0.0, 1.0, True])
def test_zero_division_may_be_a_whole_number(nothing):
    assert f1_score([0, 0], [0, 0], zero_division=nothing) == nothing
    assert f1_score([0, 1, 1], [0, 1, 0], zero_division=nothing) == pytest.approx(2 / 3)


def test_zero_division_nan_leaves_a_class_out_of_the_average():
    values = f1_score([0, 1], [0, 1], labels=[0, 1, 2], average=None, zero_division=np.nan)
    assert np.isnan(values).tolist() == [False, False, True]
    for average in ("macro", "weighted"):
        options = {"labels": [0, 1, 2], "average": average, "zero_division": np.nan}
        assert f1_score([0, 1], [0, 1], **options) == 1.0
    assert np.isnan(f1_score([0, 0], [0, 0], zero_division=np.nan))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: f1_score([0, 1], [0, 1], average="mean"), "average must be one of"),
        (lambda: f1_score([0, 1], [0, 1], average="multiclass"), "average must be one of"),
        (lambda: f1_score([0, 1], [0, 1], labels=[0]), "labels needs an average"),
        (lambda: gmean_score([0, 1], [0, 1], labels=[0]), "labels needs an average"),
        (lambda: f1_score([0, 1], [0, 1], zero_divison=0), "Did you mean 'zero_division'"),
        (lambda: f1_score([0, 1], [0, 1], zero_division="warn"), "zero_division must be"),
        (lambda: f1_score([0, 1], [0, 1], zero_division=2), "zero_division must be"),
        (lambda: f1_score.of(Counts(1.0, 1.0, 1.0, 1.0), beta=2), "parameters of the formula"),
        (lambda: f1_score.of_classes(Counts(1.0, 1.0, 1.0, 1.0)), "over='classes'"),
    ],
)
def test_bad_parameters(call, words):
    with pytest.raises(InvalidParameterError, match=words):
        call()
