"""A plan of rows: what it says, and that parts of parts are parts."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbkit._core.plan import Plan

positions = st.lists(st.integers(0, 10**6), max_size=20)


@st.composite
def plans(draw):
    """A plan of copies and new rows in any order, with two extras."""
    size = draw(st.integers(1, 15))
    made = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    base, mate = (
        np.array(draw(st.lists(st.integers(0, 9), min_size=size, max_size=size))) for _ in range(2)
    )
    number = np.arange(np.count_nonzero(made))
    step = np.where(made, np.linspace(0.1, 0.9, size), 0.0)
    extras = {"number": number, "pairs": np.column_stack([number, -number])}
    return Plan(base, np.where(made, mate, base), step, made, extras)


def assert_equal(one, two):
    for name in ("base", "mate", "step", "made", "parents"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.extras.keys() == two.extras.keys()
    for name, values in one.extras.items():
        np.testing.assert_array_equal(values, two.extras[name])


def within(chosen, size):
    return np.array(chosen, dtype=np.intp) % size if size else np.empty(0, dtype=np.intp)


@given(plans(), positions)
def test_a_part_holds_the_chosen_rows(plan, chosen):
    chosen = within(chosen, plan.n_rows)
    part = plan.take(chosen)
    assert part.n_rows == chosen.size
    assert part.n_made == np.count_nonzero(plan.made[chosen])
    np.testing.assert_array_equal(part.parents, plan.parents[chosen])
    np.testing.assert_array_equal(part.step, plan.step[chosen])
    # Extras by row instead of by new row, which is another way to the same.
    spread = np.full(plan.n_rows, -1)
    spread[plan.made] = plan.extras["number"]
    np.testing.assert_array_equal(part.extras["number"], spread[chosen][part.made])
    np.testing.assert_array_equal(part.extras["pairs"][:, 1], -part.extras["number"])


@given(plans(), positions, positions)
def test_a_part_of_a_part_is_the_part_at_those_places(plan, first, second):
    first = within(first, plan.n_rows)
    second = within(second, first.size)
    assert_equal(plan.take(first).take(second), plan.take(first[second]))


@given(plans())
def test_all_rows_are_the_plan_itself(plan):
    assert_equal(plan.take(np.arange(plan.n_rows)), plan)


@given(st.lists(st.integers(0, 9)))
def test_copies_have_one_parent_and_no_step(rows):
    plan = Plan.copies(rows)
    assert plan.base.dtype == np.intp
    assert plan.base.tolist() == plan.mate.tolist() == rows
    assert plan.n_rows == len(rows)
    assert plan.n_made == 0
    assert plan.parents.shape == (len(rows), 2)
    assert not plan.step.any()
    assert not plan.made.any()
    assert dict(plan.extras) == {}


def test_new_rows_stand_below_the_old_ones():
    plan = Plan.grown(3, [2, 0], [1, 0], [0.25, np.nan], noise=np.array([7.0, 8.0]))
    assert plan.base.tolist() == [0, 1, 2, 2, 0]
    assert plan.mate.tolist() == [0, 1, 2, 1, 0]
    np.testing.assert_array_equal(plan.step, [0, 0, 0, 0.25, np.nan])
    assert plan.made.tolist() == [False, False, False, True, True]
    assert (plan.n_rows, plan.n_made) == (5, 2)
    assert plan.parents.tolist() == [[0, 0], [1, 1], [2, 2], [2, 1], [0, 0]]
    assert plan.take([4, 1, 3]).extras["noise"].tolist() == [8.0, 7.0]
    assert plan.take([1]).extras["noise"].size == 0


def test_no_new_rows_is_a_plan_too():
    plan = Plan.grown(2, [], [], [])
    assert (plan.n_rows, plan.n_made) == (2, 0)
    assert plan.base.dtype == plan.mate.dtype == np.intp
    assert plan.step.dtype == np.float64


def test_a_plan_cannot_be_changed():
    plan = Plan.copies([0, 1])
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.base = np.array([1, 0])
    with pytest.raises(TypeError):
        plan.extras["noise"] = np.zeros(2)
