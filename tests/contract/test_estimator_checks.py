"""scikit-learn's checks for whatever learns, imbalanced-learn's for whatever resamples.

A known failure must still fail.
"""

import inspect
import warnings

from imblearn.utils.estimator_checks import (
    estimator_checks_generator as imblearn_checks_generator,
)
from sklearn.exceptions import SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import estimator_checks_generator

from imbkit._core.catalog import catalog


def test_scikit_learn_check(sklearn_check):
    estimator, check = sklearn_check
    with warnings.catch_warnings():
        # The checks feed tiny and odd tables; whether a warning fits is tested elsewhere.
        warnings.simplefilter("ignore")
        check(estimator)


def test_imbalanced_learn_check(sampler_check):
    estimator, check = sampler_check
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_known_failures_name_checks_that_run(fitting):
    generators = [estimator_checks_generator]
    if hasattr(fitting.entry.obj, "fit_resample"):
        generators.append(imblearn_checks_generator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        names = {
            check.func.__name__
            for generate in generators
            for _, check in generate(fitting.build(), mark=None)
        }
    assert set(fitting.entry.card.known_failures) <= names
    for reason in fitting.entry.card.known_failures.values():
        assert len(reason.split()) > 2, "a known failure needs a true reason"


def test_something_is_checked():
    methods = [entry for entry in catalog() if entry.kind == "method"]
    assert [entry for entry in methods if hasattr(entry.obj, "fit")]
    # An engine for modules of the user's own has no settings that could be named.
    own = [entry for entry in methods if "module" in inspect.signature(entry.obj).parameters]
    assert all(entry.card.cases for entry in methods if entry not in own)


def test_a_stale_known_failure_fails():
    """A check that is declared a known failure is marked so that passing is a failure."""
    name = "check_estimator_repr"
    marked = [
        each
        for each in estimator_checks_generator(
            LogisticRegression(),
            expected_failed_checks={name: "it does not fail"},
            mark="xfail",
            xfail_strict=True,
        )
        if hasattr(each, "marks")
    ]
    ((estimator, check),) = [each.values for each in marked]
    assert check.func.__name__ == name
    assert [mark.kwargs["strict"] for mark in marked[0].marks] == [True]
    check(estimator)
