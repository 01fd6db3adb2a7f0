"""Where a card says that a method equals another one, it does."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from imbkit._core.card import Card, Limit
from imbkit._core.catalog import Entry, catalog


def observed(method):
    """What a method does, on data made here: rows, predictions, or the threshold it chooses."""
    X, y = make_classification(200, n_features=5, weights=[0.8], flip_y=0.1, random_state=0)
    if hasattr(method, "random_state"):
        method.set_params(random_state=0)
    if hasattr(method, "fit_resample"):
        return np.column_stack(method.fit_resample(X, y))
    if hasattr(method, "fit"):
        fitted = method.fit(X, y)
        names = ("predict_proba", "decision_function", "predict", "transform")
        return getattr(fitted, next(name for name in names if hasattr(fitted, name)))(X)
    if hasattr(method, "curve"):
        return np.array(method.threshold(method.curve(y == 1, X[:, 0].round(1))))
    pytest.fail(f"say in this function what {type(method).__name__} does")


def built(cls, settings):
    try:
        return cls(**settings)
    except TypeError:
        return cls(**{"estimator": LogisticRegression(C=0.1), **settings})


def limits(entries):
    # Losses and batch samplers are compared in tests of their own, tests/losses and tests/nets.
    carded = [entry for entry in entries if entry.card and issubclass(entry.obj, BaseEstimator)]
    return [(entry, limit) for entry in carded for limit in entry.card.limits]


def check(entry, limit, entries):
    family = [other for other in entries if other.family == entry.family]
    (other,) = [other.obj for other in family if other.name == limit.equals]
    mine = observed(built(entry.obj, limit.when))
    np.testing.assert_array_equal(mine, observed(built(other, limit.other)))


@pytest.mark.parametrize(
    ("entry", "limit"),
    [pytest.param(*pair, id=f"{pair[0].name}={pair[1].equals}") for pair in limits(catalog())],
)
def test_declared_limit_holds(entry, limit):
    check(entry, limit, catalog())


@pytest.mark.parametrize(("strength", "holds"), [(0.1, True), (5.0, False)])
def test_a_limit_that_does_not_hold_is_noticed(strength, holds):
    limit = Limit(when={"C": 0.1}, equals="LogisticRegression", other={"C": strength})
    card = Card(limits=(limit,))
    entry = Entry("LogisticRegression", "planted", "method", LogisticRegression, card)
    others = [entry, replace(entry, family="elsewhere")]
    ((_, found),) = limits([entry])
    if holds:
        check(entry, found, others)
    else:
        with pytest.raises(AssertionError):
            check(entry, found, others)
