"""Every method of the catalogue, at every setting that its card asks for."""

import inspect
from dataclasses import dataclass

import pytest
from sklearn.base import clone
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


def cases():
    """Return the cases of every method that can run here."""
    entries = [entry for entry in catalog() if entry.kind == "method" and entry.available]
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


def checks_of(case, generate):
    """Yield (estimator, check, marks): scikit-learn's own, known failures marked as such."""
    known = dict(case.entry.card.known_failures)
    for each in generate(
        case.build(), expected_failed_checks=known, mark="xfail", xfail_strict=True
    ):
        marked = hasattr(each, "marks")
        estimator, check = each.values if marked else each
        yield estimator, check, list(each.marks) if marked else []
