"""Which points of a long line need drawing: those that change a picture."""

import numpy as np

from imbkit._core.types import BoolArray, FloatArray, IntArray

__all__ = ["thin"]

# More columns than a printed figure has dots across.
_COLUMNS = 2000


def thin(x: FloatArray, y: FloatArray, columns: int = _COLUMNS) -> IntArray:
    """Return the positions of the points that a line needs to look the same.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        Places along the axis, as drawn: 0 at its one end, 1 at the other; ascending or
        descending.
    y : ndarray of shape (n_points,)
        Heights; NaN is a gap.
    columns : int, default=2000
        Into how many columns the axis is cut.

    Returns
    -------
    ndarray of shape (n_kept,)
        In each column the first and the last point, the lowest and the highest: everything
        that lies between neighbouring points of different columns, and the reach of a
        column. At most four points a column, plus those beyond the axis' ends; all points if
        these are as few.
    """
    if x.size <= 4 * columns:
        return np.arange(x.size)
    column = np.floor(np.clip(x, -1.0, 2.0) * columns)
    starts = np.flatnonzero(np.concatenate(([True], column[1:] != column[:-1])))
    ends = np.append(starts[1:], x.size) - 1
    sizes = ends - starts + 1
    lowest = np.repeat(np.fmin.reduceat(y, starts), sizes)
    highest = np.repeat(np.fmax.reduceat(y, starts), sizes)
    chosen = [starts, ends, _first(y == lowest, starts), _first(y == highest, starts)]
    return np.unique(np.concatenate(chosen))


def _first(wanted: BoolArray, starts: IntArray) -> IntArray:
    """Return the first wanted position at or after each start; runs without one give none."""
    places = np.flatnonzero(wanted)
    at = np.searchsorted(places, starts)
    return places[at[at < places.size]]
