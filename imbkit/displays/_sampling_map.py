"""A map of what a sampler did: rows kept, removed, repeated and made."""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np

from imbkit._core.containers import plain_array, wrap
from imbkit._core.messages import message, require, shorten
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.displays._plane import Plane, spread
from imbkit.displays._style import COLORS, GREY, MARKERS
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["SamplingMapDisplay"]

_MOST_TICKS = 12


# Artists with their texts in the legend.
_Entries: TypeAlias = list[tuple[Any, str]]


class _Style(NamedTuple):
    """How a class looks."""

    label: str
    color: str
    marker: str

    def entry(self, what: str, rows: IntArray, group: IntArray) -> str:
        """Return the text of an entry of the legend."""
        shown = "" if rows.size == group.size else f"{rows.size:,} of "
        return f"{self.label}: {what} ({shown}{group.size:,}{' drawn' * bool(shown)})"


class SamplingMapDisplay:
    """Draw in two dimensions what a sampler did to a table.

    Rows that were kept are filled, rows that were removed hollow and crossed out, rows that
    were repeated ringed, and new rows small and pale with lines to the rows they were made
    from. Use it to see whether new rows lie where you would believe them, or which rows a
    cleaner takes for noise. Make it with :meth:`from_sampler`; the constructor takes the plain
    arrays.

    Parameters
    ----------
    points : array-like of shape (n_rows, 2)
        Where the rows of the table lie.
    labels : array-like of shape (n_rows,)
        Their classes.
    copies : array-like of int, shape (n_rows,)
        How often each of them is in the resampled table; 0 for a row that was removed.
    new_points : array-like of shape (n_new, 2), default=()
        Where the new rows lie.
    new_labels : array-like of shape (n_new,), default=()
        Their classes.
    parents : array-like of int, shape (n_new, 2), default=()
        The rows of the table that each was made from; the same one twice if there is only one.
    names : tuple of two str, default=("x0", "x1")
        What stands at the axes.
    levels : tuple of two sequences of str, default=((), ())
        Names of the ticks 0, 1, ... of an axis of categories; empty for an axis of numbers.
    title : str, default=""
        What stands above the map.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where :meth:`plot` drew.
    figure_ : matplotlib Figure
        The figure around it.

    See Also
    --------
    imbkit.sampling : The samplers, each of whose pages shows such a map.

    Notes
    -----
    A map of two directions hides the others: rows that look close may be far apart, and a new
    row that seems to lie among the other class may not. The share of the variance at the axes
    says how much is seen. New rows that a combined sampler took away again are not drawn.

    References
    ----------
    M. Okabe, K. Ito, "Color universal design: how to make figures and presentations that are
    friendly to colorblind people", 2008 (the colours).

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.displays import SamplingMapDisplay
    >>> from imbkit.sampling import SMOTE
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 2)), np.repeat(["common", "rare"], [50, 10])
    >>> display = SamplingMapDisplay.from_sampler(SMOTE(random_state=0), X, y)
    >>> display.new_points.shape, display.ax_.get_title()
    ((40, 2), 'SMOTE')
    """

    def __init__(
        self,
        points: Any,
        labels: Any,
        copies: Any,
        *,
        new_points: Any = (),
        new_labels: Any = (),
        parents: Any = (),
        names: Sequence[str] = ("x0", "x1"),
        levels: Sequence[Sequence[str]] = ((), ()),
        title: str = "",
    ) -> None:
        self.points: FloatArray = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        self.labels = np.asarray(labels)
        self.copies = np.asarray(copies, dtype=np.intp)
        self.new_points: FloatArray = np.asarray(new_points, dtype=np.float64).reshape(-1, 2)
        self.new_labels = np.asarray(new_labels) if len(new_labels) else self.labels[:0]
        self.parents = np.asarray(parents, dtype=np.intp).reshape(-1, 2)
        self.names = tuple(names)
        self.levels = tuple(tuple(each) for each in levels)
        self.title = title
        self._check()

    @classmethod
    def from_sampler(
        cls,
        sampler: Any,
        X: Any,
        y: Any,
        *,
        features: Sequence[int | str] | None = None,
        ax: Any = None,
        max_rows: int = 2000,
        legend: bool = True,
        random_state: int = 0,
    ) -> "SamplingMapDisplay":
        """Resample a table with a copy of a sampler and draw what became of the rows.

        Parameters
        ----------
        sampler : sampler
            Of imbkit, or any other that sets ``sample_indices_``; it is not changed.
        X : table of shape (n_rows, n_features)
            DataFrame of pandas or polars, array-like, or sparse matrix in CSR or CSC format.
        y : array-like of shape (n_rows,)
            Labels.
        features : sequence of two int or str, default=None
            The columns to draw, by position or name; columns of categories become levels,
            with the rows of a level spread a little. None takes the two columns of a table of
            two, and else the first two principal directions of the columns of numbers as they
            are, unscaled, because that is how samplers measure distances. A missing value is
            drawn at the mean of its column.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        max_rows : int, default=2000
            At most as many rows and as many new rows are drawn; small groups are drawn whole,
            and the legend says how many of how many.
        legend : bool, default=True
            Whether to draw the legend, below the map.
        random_state : int, default=0
            Seed of the choice of the rows drawn and of the spread within levels.

        Returns
        -------
        SamplingMapDisplay
            The display, drawn.

        Raises
        ------
        InvalidParameterError
            If the sampler cannot say which rows its rows come from, or `features` are not two
            columns.
        DataError
            If there are not two columns to draw.
        """
        who = cls.__name__
        X = X if hasattr(X, "shape") else np.asarray(X)
        rows = wrap(X, who=who)
        plane = Plane.of(rows, features)
        X_out, indices, pairs, steps = _resampled(sampler, X, y)
        before, after = plane.place(rows), plane.place(wrap(X_out, who=who))
        made = _made(before, after, indices, pairs, steps)
        labels = _labels(y)
        rng = np.random.default_rng(random_state)
        display = cls(
            spread(before, plane, rng),
            labels,
            np.bincount(indices[~made], minlength=len(before)),
            new_points=spread(after[made], plane, rng),
            new_labels=labels[indices[made]],
            parents=pairs[made],
            names=plane.names,
            levels=plane.levels,
            title=type(sampler).__name__,
        )
        return display.plot(ax, max_rows=max_rows, legend=legend, random_state=random_state)

    def plot(
        self,
        ax: Any = None,
        *,
        max_rows: int = 2000,
        legend: bool = True,
        random_state: int = 0,
    ) -> Self:
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        max_rows : int, default=2000
            At most as many rows and as many new rows are drawn.
        legend : bool, default=True
            Whether to draw the legend, below the map.
        random_state : int, default=0
            Seed of the choice of the rows drawn.

        Returns
        -------
        self
            With ``ax_`` and ``figure_`` set.

        Raises
        ------
        InvalidParameterError
            If `max_rows` is not positive.
        MissingExtraError
            If matplotlib is not installed.
        """
        who = type(self).__name__
        if max_rows < 1:
            raise InvalidParameterError(message(who, "max_rows must be at least 1", max_rows))
        pyplot = require("matplotlib.pyplot", "plot", who)
        if ax is None:
            _, ax = pyplot.subplots(layout="constrained")
        classes = np.unique(np.concatenate([self.labels, self.new_labels]))
        rng = np.random.default_rng(random_state)
        new = _some(_groups(self.new_labels, classes, True), max_rows, rng)
        shown = np.concatenate([drawn for drawn, _ in new])
        # Parents of the new rows that are drawn come first, so that few lines end in nothing.
        wanted = np.zeros(len(self.points), dtype=bool)
        wanted[self.parents[shown]] = True
        there = self.copies > 0
        parts = [*_groups(self.labels, classes, there), *_groups(self.labels, classes, ~there)]
        old = _some(parts, max_rows, rng, wanted)
        self._draw_lines(ax, shown)
        entries = []
        for k, label in enumerate(classes):
            style = _Style(str(label), COLORS[k % len(COLORS)], MARKERS[k % len(MARKERS)])
            entries += self._draw_kept(ax, style, *old[k])
            entries += self._draw_new(ax, style, *new[k])
            entries += self._draw_removed(ax, style, *old[len(classes) + k])
        self._finish(ax, entries if legend else [])
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_lines(self, ax: Any, shown: IntArray) -> None:
        collections = require("matplotlib.collections", "plot", type(self).__name__)
        ends = self.points[self.parents[shown]]
        starts = np.repeat(self.new_points[shown][:, np.newaxis], 2, axis=1)
        segments = np.stack([starts, ends], axis=2).reshape(-1, 2, 2)
        lines = collections.LineCollection(
            segments, colors=GREY, linewidths=0.6, alpha=0.6, zorder=1
        )
        ax.add_collection(lines)

    def _draw_kept(self, ax: Any, style: _Style, rows: IntArray, group: IntArray) -> _Entries:
        """Draw the rows of a class that were kept, with rings around the repeated ones."""
        if not group.size:
            return []
        x, y = self.points[rows].T
        look = {"marker": style.marker, "facecolors": style.color, "edgecolors": "white"}
        solid = ax.scatter(x, y, s=34, linewidths=0.4, zorder=4, **look)
        entries: _Entries = [(solid, style.entry("kept", rows, group))]
        often = rows[self.copies[rows] > 1]
        if often.size:
            x, y = self.points[often].T
            look = {"facecolors": "none", "edgecolors": style.color}
            sizes = 60.0 * self.copies[often] ** 0.75
            rings = ax.scatter(x, y, s=sizes, linewidths=1.0, zorder=3.5, **look)
            more = int(self.copies[group].sum()) - group.size
            entries.append((rings, f"{style.label}: repeated ({more:,} more rows)"))
        return entries

    def _draw_new(self, ax: Any, style: _Style, rows: IntArray, group: IntArray) -> _Entries:
        """Draw the new rows of a class."""
        if not group.size:
            return []
        x, y = self.new_points[rows].T
        look = {"marker": style.marker, "facecolors": "white", "edgecolors": style.color}
        dots = ax.scatter(x, y, s=15, linewidths=0.9, zorder=3, **look)
        return [(dots, style.entry("new", rows, group))]

    def _draw_removed(self, ax: Any, style: _Style, rows: IntArray, group: IntArray) -> _Entries:
        """Draw the rows of a class that are gone."""
        if not group.size:
            return []
        x, y = self.points[rows].T
        look = {"marker": style.marker, "facecolors": "none", "edgecolors": style.color}
        outline = ax.scatter(x, y, s=34, linewidths=0.8, alpha=0.6, zorder=2, **look)
        cross = ax.scatter(x, y, s=30, marker="x", c=style.color, linewidths=1.0, zorder=2.5)
        return [((outline, cross), style.entry("removed", rows, group))]

    def _finish(self, ax: Any, entries: _Entries) -> None:
        """Name the axes and put the legend below them."""
        ax.set(xlabel=self.names[0], ylabel=self.names[1], title=self.title)
        for axis, levels in zip((ax.xaxis, ax.yaxis), self.levels, strict=True):
            if levels:
                stride = -(-len(levels) // _MOST_TICKS)
                axis.set_ticks(range(0, len(levels), stride), levels[::stride])
        if entries:
            handles, texts = zip(*entries, strict=True)
            ax.legend(
                handles,
                texts,
                loc="upper center",
                bbox_to_anchor=(0.5, -0.14),
                ncols=2,
                frameon=False,
                fontsize="small",
            )

    def _check(self) -> None:
        """Refuse arrays that do not belong together."""
        who, n, m = type(self).__name__, len(self.points), len(self.new_points)
        lengths = {
            "labels": (len(self.labels), n),
            "copies": (len(self.copies), n),
            "new_labels": (len(self.new_labels), m),
            "parents": (len(self.parents), m),
        }
        for name, (got, due) in lengths.items():
            if got != due:
                rule = f"{name} must have one entry for each of {due:,} points"
                raise DataError(message(who, rule, f"{got:,}"))
        if m and not (self.parents.min() >= 0 and self.parents.max() < n):
            rule = f"parents must be positions among the {n:,} rows"
            raise DataError(message(who, rule, f"{self.parents.min()} to {self.parents.max()}"))


def _resampled(sampler: Any, X: Any, y: Any) -> tuple[Any, IntArray, IntArray, FloatArray | None]:
    """Return the resampled table, its base rows, their parents, and the steps if there are any."""
    who = SamplingMapDisplay.__name__
    if isinstance(sampler, type):
        rule, todo = "the sampler must be an object, not a class", f"Write {sampler.__name__}()"
        raise InvalidParameterError(message(who, rule, shorten(sampler), todo))
    if not hasattr(sampler, "fit_resample"):
        rule = "the sampler must have a method fit_resample"
        raise InvalidParameterError(message(who, rule, shorten(sampler)))
    # For a sampler of scikit-learn's kind this is what its `clone` does, and others have none.
    fitted = copy.deepcopy(sampler)
    X_out, _ = fitted.fit_resample(X, y)
    indices = getattr(fitted, "sample_indices_", None)
    if indices is None:
        rule = "the sampler must say which rows its rows come from, by sample_indices_"
        got = f"{type(sampler).__module__.partition('.')[0]}'s {type(sampler).__name__}"
        raise InvalidParameterError(message(who, rule, got, "Use a sampler of imbkit.sampling"))
    base = np.asarray(indices, dtype=np.intp)
    parents = getattr(fitted, "parents_", None)
    pairs = np.column_stack([base, base]) if parents is None else np.asarray(parents)
    return X_out, base, pairs, getattr(fitted, "steps_", None)


def _made(
    before: FloatArray,
    after: FloatArray,
    base: IntArray,
    pairs: IntArray,
    steps: FloatArray | None,
) -> BoolArray:
    """Return which rows of the output are new rather than copies."""
    if steps is not None:
        made: BoolArray = (pairs[:, 0] != pairs[:, 1]) | (steps != 0)
        return made
    # Projections of equal rows may differ in their last digits.
    tiny = 1e-9 * np.ptp(before, axis=0)
    return np.asarray(np.any(np.abs(after - before[base]) > tiny, axis=1))


def _labels(y: Any) -> AnyArray:
    """Return labels of one dimension; of an indicator matrix the column that is set."""
    labels = plain_array(y)
    if labels.ndim == 2:
        return np.asarray(labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0])
    return labels


def _groups(labels: AnyArray, classes: AnyArray, there: BoolArray | bool) -> list[IntArray]:
    """Return the positions of each class's members among those that are `there`."""
    return [np.flatnonzero((labels == label) & there) for label in classes]


def _some(
    groups: list[IntArray], limit: int, rng: np.random.Generator, wanted: BoolArray | None = None
) -> list[tuple[IntArray, IntArray]]:
    """Choose at most `limit` members of all groups; small groups stay whole.

    Returns the chosen members of every group, the `wanted` ones first, and the group.
    """
    sizes = np.array([group.size for group in groups])
    chosen = []
    shares = _shares(sizes, limit)
    for group, share in zip(groups, shares, strict=True):
        order = rng.permutation(group)
        if wanted is not None:
            order = order[np.argsort(~wanted[order], kind="stable")]
        chosen.append((np.sort(order[:share]), group))
    return chosen


def _shares(sizes: IntArray, limit: int) -> IntArray:
    """Deal `limit` places out evenly, none to a group beyond its size."""
    shares = np.zeros_like(sizes)
    left = limit
    for done, k in enumerate(np.argsort(sizes, kind="stable")):
        shares[k] = min(sizes[k], left // (sizes.size - done))
        left -= shares[k]
    return shares
