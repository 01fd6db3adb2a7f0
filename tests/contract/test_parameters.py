"""What holds of every method, with or without a fit: parameters are stored, shown and copied."""

import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from imbkit._core.catalog import catalog
from imbkit.exceptions import InvalidParameterError


def same(a, b):
    """Whether two objects are of one class and have the same parameters, all the way down."""
    if hasattr(a, "get_params") and not inspect.isclass(a):
        mine, other = a.get_params(deep=False), b.get_params(deep=False)
        return type(a) is type(b) and all(same(mine[k], other[k]) for k in {*mine, *other})
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or a != a)


def test_the_constructor_only_stores(case):
    names = list(inspect.signature(case.entry.obj).parameters)
    stored = {name: object() for name in names}
    made = case.entry.obj(**stored)
    assert {name: getattr(made, name) for name in names} == stored
    assert set(vars(made)) == set(names)


def test_parameters_are_keywords_after_the_first_ones(case):
    parameters = list(inspect.signature(case.entry.obj).parameters.values())
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters[2:])
    assert not any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def test_parameters_come_back_and_can_be_set(case):
    made = case.build()
    parameters = made.get_params(deep=False)
    assert set(parameters) == set(inspect.signature(case.entry.obj).parameters)
    assert same(case.build().set_params(**parameters), made)
    with pytest.raises(ValueError, match="nosuch"):
        made.set_params(nosuch=1)


def test_a_clone_and_a_pickle_are_the_same(case):
    made = case.build()
    assert same(clone(made), made)
    assert same(pickle.loads(pickle.dumps(made)), made)


def test_the_repr_builds_it_again(case):
    made = case.build()
    names = {entry.name: entry.obj for entry in catalog() if entry.available}
    names |= {type(value).__name__: type(value) for value in made.get_params().values()}
    assert same(eval(repr(made), names), made)


def test_every_parameter_has_a_constraint(case):
    declared = case.entry.obj._parameter_constraints
    assert set(inspect.signature(case.entry.obj).parameters) <= set(declared)


def test_the_class_has_its_own_card_and_docstring(case):
    assert vars(case.entry.obj)["card"] is case.entry.card
    assert vars(case.entry.obj)["__doc__"]


def test_an_invalid_parameter_is_refused_before_the_data_is_looked_at(fitting):
    for name in inspect.signature(fitting.entry.obj).parameters:
        if name in fitting.settings:
            continue
        made = fitting.build(**{name: _Odd()})
        with pytest.raises((InvalidParameterError, ValueError, TypeError), match=name):
            made.fit(np.zeros((4, 1)), [0, 1, 0, 1])


class _Odd:
    """No parameter accepts this."""
