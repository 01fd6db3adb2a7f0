"""Every method of the catalogue, at every setting that its card asks for."""

import inspect
import warnings
from dataclasses import dataclass

import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import SkipTestWarning
from sklearn.linear_model import LogisticRegression

from imbkit._core.catalog import catalog


@dataclass(frozen=True)
class Case:
    """A method class, one of its card's settings, and how to build it."""

    entry: object
    settings: object

    def build(self, **more):
        """Build the method; one that needs an estimator and states none gets a plain one."""
        settings = {**self.settings, **more}
        parameters = inspect.signature(self.entry.obj).parameters
        needed = "estimator" in parameters and parameters["estimator"].default is inspect._empty
        if needed and "estimator" not in settings:
            settings["estimator"] = LogisticRegression(C=0.1)
        return self.entry.obj(**{k: clone(value, safe=False) for k, value in settings.items()})

    @property
    def name(self):
        values = ",".join(f"{k}={v}" for k, v in self.settings.items())
        return f"{self.entry.name}({values})"


def is_estimator(entry):
    """Whether it is a method of scikit-learn's kind; losses have a contract of their own."""
    return entry.kind == "method" and issubclass(entry.obj, BaseEstimator)


def cases():
    """Return the cases of every method that can run here."""
    entries = [entry for entry in catalog() if is_estimator(entry) and entry.available]
    return [Case(entry, settings) for entry in entries for settings in entry.card.cases]


def mark(case):
    return [pytest.mark.slow] if case.entry.card.cost == "slow" else []


def pytest_generate_tests(metafunc):
    """Give a test that asks for ``case`` all cases; ``fitting`` only those that have a fit."""
    wanted = {
        "case": lambda case: True,
        "fitting": lambda case: hasattr(case.entry.obj, "fit"),
    }
    for name in set(wanted) & set(metafunc.fixturenames):
        chosen = [case for case in cases() if wanted[name](case)]
        params = [pytest.param(case, id=case.name, marks=mark(case)) for case in chosen]
        metafunc.parametrize(name, params)
    if "sklearn_check" in metafunc.fixturenames:
        from sklearn.utils.estimator_checks import estimator_checks_generator

        params = []
        for case in filter(wanted["fitting"], cases()):
            for index, each in enumerate(checks_of(case, estimator_checks_generator)):
                estimator, check, marks = each
                name = f"{case.name}-{getattr(check, 'func', check).__name__}-{index}"
                params.append(pytest.param((estimator, check), id=name, marks=marks + mark(case)))
        metafunc.parametrize("sklearn_check", params)
    if "sampler_check" in metafunc.fixturenames:
        from imblearn.utils.estimator_checks import estimator_checks_generator

        params = []
        for case in filter(is_plain, cases()):
            if not hasattr(case.build(), "fit_resample"):
                continue
            for estimator, check, marks in checks_of(case, estimator_checks_generator):
                if "random_state" in estimator.get_params():
                    estimator.set_params(random_state=0)
                name = f"{case.entry.name}-{getattr(check, 'func', check).__name__}"
                params.append(pytest.param((estimator, check), id=name, marks=marks + mark(case)))
        metafunc.parametrize("sampler_check", params)


def is_plain(case):
    """Whether a case is its method with no more than what it cannot do without."""
    parameters = inspect.signature(case.entry.obj).parameters
    return all(parameters[name].default is inspect._empty for name in case.settings)


def checks_of(case, generate):
    """Yield (estimator, check, marks) of a generator of checks, known failures marked as such."""
    known = dict(case.entry.card.known_failures)
    with warnings.catch_warnings():
        # Of what takes no table of features, such as a calibrator, fewer checks are made.
        warnings.simplefilter("ignore", SkipTestWarning)
        # Every xfail of this suite is strict.
        every = list(generate(case.build(), expected_failed_checks=known, mark="xfail"))
    for each in every:
        marked = hasattr(each, "marks")
        estimator, check = each.values if marked else each
        yield estimator, check, list(each.marks) if marked else []
