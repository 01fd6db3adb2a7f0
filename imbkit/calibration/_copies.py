"""Slightly changed copies of rows, the same for the same row in every batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import ndtri

from imbkit._core.columns import NUMERIC
from imbkit._core.containers import Rows, wrap
from imbkit._core.messages import listing, message
from imbkit._core.rng import RowStream
from imbkit._core.row_hash import hash_rows
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError

__all__ = ["KINDS", "Copies", "learn_copies"]

KINDS = ("jitter", "swap", "median")
"""Ways to change a row."""

_LEVELS = 256


@dataclass(frozen=True, slots=True)
class Copies:
    """How to change rows; what it knows of the columns was learned once.

    Parameters
    ----------
    kinds : tuple of str
        Members of `KINDS`, one a copy.
    jitter : float
        Noise in standard deviations.
    share : float
        Share of the columns that "swap" and "median" change in each row.
    seed : int
        Together with a row's contents it decides on the change.
    positions : tuple of int
        Columns that can change.
    spread, median : ndarray of shape (n_changing,)
        Standard deviation and median of each of them.
    levels : ndarray of shape (n_levels, n_changing)
        Values of each of them at evenly spaced shares of the rows.
    """

    kinds: tuple[str, ...]
    jitter: float
    share: float
    seed: int
    positions: tuple[int, ...]
    spread: FloatArray
    median: FloatArray
    levels: FloatArray

    def __call__(self, X: Any, who: str) -> list[Any]:
        """Return the changed copies of a table, each of its own kind."""
        table = wrap(X, who=who)
        values = _numbers(table, self.positions)
        hashes = hash_rows(table.native, who)
        rows = np.arange(table.n_rows)
        out = []
        for number, kind in enumerate(self.kinds):
            stream = RowStream(self.seed, kind, number)
            draw = np.column_stack([stream.uniform(hashes, j) for j in range(values.shape[1])])
            changed = self._changed(kind, values, draw, stream, hashes)
            made = table.rebuild(changed, columns=self.positions, base=rows)
            out.append(made.native)
        return out

    def _changed(
        self, kind: str, values: FloatArray, draw: FloatArray, stream: RowStream, hashes: Any
    ) -> FloatArray:
        """Change the values by one uniform number each."""
        if kind == "jitter":
            # Half a step of the generator keeps the normal quantile finite.
            return np.asarray(values + self.jitter * self.spread * ndtri(draw + 2.0**-54))
        n_columns = values.shape[1]
        n_changed = max(1, round(self.share * n_columns))
        chosen = draw <= np.partition(draw, n_changed - 1, axis=1)[:, n_changed - 1, None]
        if kind == "median":
            return np.where(chosen, self.median, values)
        donors = [stream.integers(hashes, n_columns + j, _LEVELS) for j in range(n_columns)]
        return np.where(chosen, self.levels[np.column_stack(donors), np.arange(n_columns)], values)


def learn_copies(
    X: Any,
    kinds: Sequence[str],
    *,
    jitter: float,
    share: float,
    seed: int,
    weight: FloatArray | None,
    who: str,
) -> Copies:
    """Look at the columns of a table, and fix how its rows are to be changed.

    Parameters
    ----------
    X : {array-like, frame} of shape (n_rows, n_columns)
        Rows.
    kinds : sequence of str
        Members of `KINDS`.
    jitter, share, seed
        As of :class:`Copies`.
    weight : ndarray of shape (n_rows,) or None
        Weights of the rows.
    who : str
        The class that messages speak for.

    Returns
    -------
    Copies
        Changes numbers and booleans; text, categories and times stay as they are. Missing
        values are left out of what is learned.

    Raises
    ------
    DataError
        If the table is sparse, or no column holds numbers or booleans.
    """
    if sparse.issparse(X):
        rule = "changed copies need a dense table, but X is sparse"
        raise DataError(message(who, rule, todo="Call X.toarray(), or calibrate in another way"))
    table = wrap(X, who=who)
    found = table.kinds()
    positions = tuple(j for j, kind in enumerate(found) if kind in NUMERIC)
    if not positions:
        rule = "at least one column must hold numbers or booleans, or nothing can be changed"
        raise DataError(message(who, rule, f"columns of kind {listing(sorted(set(found)))}"))
    mass = np.ones(table.n_rows) if weight is None else weight
    known = [_learn(column, mass) for column in _numbers(table, positions).T]
    spread, median, levels = zip(*known, strict=True)
    return Copies(
        kinds=tuple(kinds),
        jitter=float(jitter),
        share=float(share),
        seed=seed,
        positions=positions,
        spread=np.array(spread),
        median=np.array(median),
        levels=np.column_stack(levels),
    )


def _learn(column: FloatArray, mass: FloatArray) -> tuple[float, float, FloatArray]:
    """Standard deviation, median and evenly spaced quantiles of a weighted column."""
    there = np.isfinite(column) & (mass > 0)
    if not there.any():
        return 0.0, np.nan, np.full(_LEVELS, np.nan)
    values, weights = column[there], mass[there] / mass[there].sum()
    order = np.argsort(values, kind="stable")
    values, below = values[order], np.cumsum(weights[order])
    shares = np.append((np.arange(_LEVELS) + 0.5) / _LEVELS, 0.5)
    # A hair below each share, so that rounded sums of weights find the same value.
    place = np.searchsorted(below, shares * (1 - 1e-12), side="left")
    found = values[np.minimum(place, values.size - 1)]
    centre = float(weights[order] @ values)
    return float(np.sqrt(weights[order] @ (values - centre) ** 2)), float(found[-1]), found[:-1]


def _numbers(table: Rows[Any], positions: Sequence[int]) -> FloatArray:
    """Columns as floats, side by side."""
    return np.column_stack([np.asarray(table.column(j), dtype=float) for j in positions])
