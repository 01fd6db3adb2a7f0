"""What is kept of rows: the rows while they are few, then sums; on any device, through pickles."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from imbkit.rvfl._device import NumpyDevice
from imbkit.rvfl._gathered import Gathered, Rows
from imbkit.rvfl._hidden import HiddenLayer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
GROUPS = np.arange(60) % 2
WEIGHTS = RNG.integers(1, 4, 60).astype(float)
SCORES = RNG.random(60) * (RNG.random(60) < 0.8)
LAYER = HiddenLayer.drawn(
    3,
    10,
    1.0,
    np.random.RandomState(0),
    activation="tanh",
    direct_link=True,
    output_bias=True,
)


class Elsewhere(np.ndarray):
    """An array of a device, which no pickle can hold."""

    def __reduce__(self):
        raise pickle.PicklingError("it lies on a device")


class Other(NumpyDevice):
    """A device of its own."""

    name = "other"

    def put(self, values):
        return np.array(values, dtype=np.float64).view(Elsewhere)

    def zeros(self, rows, columns):
        return self.put(np.zeros((rows, columns)))

    def get(self, values):
        assert isinstance(values, Elsewhere)
        return np.asarray(values).view(np.ndarray)


def gathered(solver, cuts, device=None, **how):
    settings = {"power": 1, "scatter": True, "solver": solver, **how}
    made = Gathered(2, LAYER.width, 0, **settings)
    for rows in np.split(np.arange(60), cuts):
        each = (GROUPS[rows], WEIGHTS[rows], SCORES[rows], None)
        made.add(LAYER, X[rows], each, size=7, device=device or NumpyDevice())
    return made


def test_rows_are_held_until_they_are_as_many_as_columns():
    assert LAYER.width == 14
    made = gathered("auto", [13, 14])
    assert made.held is None
    assert len(gathered("dual", [13, 14]).held.groups) == 60
    assert gathered("primal", [13]).held is None
    few = Gathered(2, 14, 0, power=1, scatter=False, solver="auto")
    assert_array_equal(few.mass, [0, 0])
    few.add(
        LAYER, X[:13], (GROUPS[:13], WEIGHTS[:13], SCORES[:13], None), size=5, device=NumpyDevice()
    )
    assert few.sums is None
    assert_allclose(few.mass, np.bincount(GROUPS[:13], WEIGHTS[:13]))


@pytest.mark.parametrize("solver", ["auto", "dual", "primal"])
def test_sums_do_not_depend_on_what_was_held(solver):
    known = gathered("primal", []).summed(NumpyDevice(), 60)
    made = gathered(solver, [5, 12, 40])
    sums = made.summed(NumpyDevice(), 9)
    for one, other in zip(
        sums.grams() + sums.rights(), known.grams() + known.rights(), strict=True
    ):
        assert_allclose(one, other, atol=1e-11)
    assert_allclose(made.mass, known.mass)
    # Asking for sums leaves rows that are held where they are.
    assert (made.held is None) == (solver != "dual")


@pytest.mark.parametrize("power", [1, 2])
def test_scaled_rows_have_the_gram_matrix_and_the_right_side(power):
    made = gathered("dual", [20], power=power)
    of_gram, of_right = np.array([2.0, 0.5]), np.array([3.0, 0.7])
    A, Y = made.held.rooted(of_gram, of_right, power)
    sums = made.summed(NumpyDevice(), 60)
    gram = sum(w * each for w, each in zip(of_gram, sums.grams(), strict=True))
    assert_allclose(A.T @ A, gram, atol=1e-11)
    right = np.hstack([w * each for w, each in zip(of_right, sums.rights(), strict=True)])
    assert_allclose(A.T @ Y, right, atol=1e-11)
    # Rows without a score are in neither.
    assert len(A) == np.count_nonzero(SCORES)


def test_targets_are_joined():
    one = Rows(np.ones((2, 1)), GROUPS[:2], WEIGHTS[:2], SCORES[:2], np.ones((2, 3)))
    assert one.joined(one).targets.shape == (4, 3)


def test_sums_move_between_devices_and_leave_them_in_pickles():
    known = gathered("primal", [30])
    made = gathered("primal", [], device=Other())
    assert isinstance(made.sums._gram[0], Elsewhere)
    loaded = pickle.loads(pickle.dumps(made))
    assert loaded.sums.device.name == NumpyDevice.name
    assert isinstance(made.sums._gram[0], Elsewhere)
    for each in (made, loaded):
        more = (GROUPS, WEIGHTS, SCORES, None)
        each.add(LAYER, X, more, size=20, device=NumpyDevice())
        for name in ("grams", "rights"):
            for one, other in zip(
                getattr(each.sums, name)(), getattr(known.sums, name)(), strict=True
            ):
                assert_allclose(one, 2 * other, atol=1e-10)
        assert_allclose(each.mass, 2 * known.mass)
        assert np.isfinite(each.sums.moment()).all()
