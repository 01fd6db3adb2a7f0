"""Which weight each feature has at each boundary between ordered classes."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message, require
from imbkit._core.types import FloatArray, IntArray
from imbkit.displays._boundaries import (
    boundary_colors,
    boundary_names,
    named_features,
    per_scale,
    read_fitted,
    whole_number,
)
from imbkit.displays._direct_labels import cut_middle
from imbkit.displays._style import (
    GREY,
    MARKERS,
    axes_for,
    check_choice,
    drawn_before,
    frozen,
    legend_below,
    signed,
    words,
)
from imbkit.exceptions import DataError

__all__ = ["OrdinalSlopesDisplay"]

By: TypeAlias = Literal["weight", "change"]

_KIND = "ordinal slopes"
_ORDERS = ("weight", "change")
# So many boundaries have an entry of the legend each; of more, the first and the last.
_MOST_ENTRIES = 8
_LARGE, _SMALL = 95.0, 26.0
# Rows of a second model lie this far below those of the first.
_BESIDE = 0.3
_LONGEST_NAME = 36


class OrdinalSlopesDisplay:
    """Draw the weight of each feature at every boundary between ordered classes.

    Choose it to see what a relaxed model has found: a feature whose dots lie on each other
    works alike at every stage, as proportional odds assume, and one whose dots part works
    otherwise for the rare last stage. Each feature is a row, each boundary a dot, from pale to
    dark and the last in a colour of its own. Make it with :meth:`from_estimator`; the
    constructor takes the plain arrays.

    Parameters
    ----------
    coef : array-like of shape (n_boundaries, n_features)
        Weights; positive ones push towards later classes. One row for weights that all
        boundaries share.
    feature_names : sequence of n_features str, default=None
        Names of the features; "x0", "x1", ... if None.
    classes : array-like of shape (n_classes,), default=None
        The classes from first to last, which name the boundaries; they are numbered if None.
    n_features : int, default=12
        How many features are drawn, those with the largest weights or changes.
    by : {"weight", "change"}, default="weight"
        Whether features are ranked by the largest weight that they have anywhere, or by how
        much it differs between boundaries.
    name : str, default=None
        Whose weights they are, for the legend.

    Attributes
    ----------
    boundaries : tuple of n_boundaries str
        "y > label" for each boundary.
    shown : ndarray of int, shape (n_shown,)
        Positions of the features that are drawn, the top row first.
    ax_ : matplotlib Axes
        Where :meth:`plot` drew.
    figure_ : matplotlib Figure
        The figure around it.
    points_ : list of n_boundaries matplotlib PathCollection
        The dots of each boundary.

    See Also
    --------
    RegularizationPathDisplay : How the penalty brings the weights of boundaries together.
    imbkit.ordinal.PRESTOClassifier : Weights that differ only where the data ask for it.

    Notes
    -----
    A weight belongs to one unit of its feature. For features of different units ranks mean
    little: standardise them before the fit, or give their standard deviations as ``scale``.
    Dots of later boundaries are smaller and lie above, so that equal weights show as rings.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.displays import OrdinalSlopesDisplay
    >>> coef = np.array([[0.5, 0.0, -1.0], [0.5, 0.2, -1.0], [0.9, 0.2, -1.0]])
    >>> display = OrdinalSlopesDisplay(coef, classes=["look", "click", "cart", "buy"], by="change")
    >>> display.boundaries, display.shown.tolist()
    (('y > look', 'y > click', 'y > cart'), [0, 1, 2])
    """

    def __init__(
        self,
        coef: ArrayLike,
        *,
        feature_names: Sequence[str] | None = None,
        classes: ArrayLike | None = None,
        n_features: int = 12,
        by: By = "weight",
        name: str | None = None,
    ) -> None:
        who = type(self).__name__
        check_choice(who, "by", by, _ORDERS)
        self.coef: FloatArray = frozen(per_scale(who, coef, None, -1))
        if self.coef.ndim != 2 or not self.coef.size:
            rule = "coef must have one row for each boundary and one column for each feature"
            raise DataError(message(who, rule, f"shape {self.coef.shape}"))
        self.features = named_features(who, feature_names, self.coef.shape[1])
        self.boundaries = boundary_names(who, classes, self.coef.shape[0])
        self.n_features = whole_number(who, "n_features", n_features, 1)
        self.by = by
        self.name = name
        self.shown: IntArray = frozen(self._ranked()[: self.n_features], np.intp)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        feature_names: Sequence[str] | None = None,
        *,
        n_features: int = 12,
        by: By = "weight",
        scale: ArrayLike | None = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "OrdinalSlopesDisplay":
        """Draw the weights of a fitted model.

        Parameters
        ----------
        estimator : estimator
            A fitted model with ``coef_`` and ``classes_``, such as PRESTOClassifier, a pipeline
            that ends in one, or a search that has found one.
        feature_names : sequence of str, default=None
            Names of the features; None takes the model's, or what the steps before it say.
        n_features : int, default=12
            How many features are drawn.
        by : {"weight", "change"}, default="weight"
            Whether features are ranked by their largest weight, or by how much it differs
            between boundaries.
        scale : array-like of shape (n_features_in,), default=None
            Multiplies the weights of each feature: with the features' standard deviations
            weights are those of one standard deviation.
        name : str, default=None
            For the legend; the model's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the dots, such as ``alpha=0.8``.

        Returns
        -------
        OrdinalSlopesDisplay
            The display, drawn.

        Raises
        ------
        InvalidParameterError
            If the estimator has no such weights, or a setting is not permitted.
        """
        who = cls.__name__
        fitted = read_fitted(who, estimator, "coef_", feature_names)
        display = cls(
            per_scale(who, fitted.model.coef_, scale, -1),
            feature_names=fitted.features,
            classes=getattr(fitted.model, "classes_", None),
            n_features=n_features,
            by=by,
            name=fitted.name if name is None else name,
        )
        return display.plot(ax, **kwargs)

    def plot(
        self, ax: Any = None, *, name: str | None = None, **kwargs: Any
    ) -> "OrdinalSlopesDisplay":
        """Draw the dots; on axes with such a display already, below its dots.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure, as tall as the rows need.
        name : str, default=None
            For the legend; None takes the display's own.
        **kwargs
            Settings of the dots, such as ``alpha=0.8``.

        Returns
        -------
        OrdinalSlopesDisplay
            The display itself. Beside another display its rows are the features drawn there;
            those of other names are left out.

        Raises
        ------
        DataError
            If no feature has the name of one drawn before.
        MissingExtraError
            If matplotlib is not installed.
        """
        who = type(self).__name__
        new = ax is None
        ax = axes_for(ax, who)
        turn = drawn_before(ax, _KIND)
        rows, columns = self._rows(ax, who)
        if new:
            ax.figure.set_figheight(max(2.6, 1.7 + 0.27 * rows.size))
        places = rows + _BESIDE * turn
        coef = self.coef[:, columns]
        color = GREY if not turn else "#5A4A78"
        ends = coef.min(axis=0), coef.max(axis=0)
        look = {"color": color, "linewidth": 1.4 if not turn else 1.0, "alpha": 0.7, "zorder": 2}
        ax.hlines(places, *ends, linestyle="-" if not turn else "--", **look)
        self.points_ = self._draw_points(ax, coef, places, turn, kwargs)
        self._name_points(ax, turn, words(name or self.name or "", 40))
        if not turn:
            ax.axvline(0.0, color="black", linewidth=0.8, zorder=1)
            self._name_axes(ax, places)
        # The first row stands at the top.
        ax.set_ylim(max(places.max() + 0.6, ax.get_ylim()[0] if turn else 0.0), -0.6)
        legend_below(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def frame(self) -> Any:
        """Return the weights as a table.

        Returns
        -------
        DataFrame
            Columns "feature", one for each boundary, and "change" (the largest weight less the
            smallest); a row for every feature, in the order in which they are ranked, the ones
            drawn first.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = require("pandas", "compare", type(self).__name__)
        order = self._ranked()
        columns = {name: self.coef[k, order] for k, name in enumerate(self.boundaries)}
        names = [self.features[j] for j in order]
        change = np.ptp(self.coef[:, order], axis=0)
        return pandas.DataFrame({"feature": names, **columns, "change": change})

    def _ranked(self) -> IntArray:
        """Return the features, the most interesting first."""
        largest, change = np.abs(self.coef).max(axis=0), np.ptp(self.coef, axis=0)
        keys = (change, largest) if self.by == "weight" else (largest, change)
        # Of equal ones the first stays the first.
        return np.lexsort((-keys[0], -keys[1]))

    def _rows(self, ax: Any, who: str) -> tuple[FloatArray, IntArray]:
        """Return the rows to draw in and their features, those of the axes if there are any."""
        before = [artist for artist in ax.get_children() if hasattr(artist, "imbkit_features")]
        if not before:
            return np.arange(self.shown.size, dtype=float), self.shown
        there = before[0].imbkit_features
        found = [(row, self.features.index(f)) for row, f in enumerate(there) if f in self.features]
        if not found:
            rule = "displays drawn together must have features of the same names"
            raise DataError(message(who, rule, f"{self.features[0]} and {there[0]}"))
        rows, columns = np.array(found).T
        return rows.astype(float), columns

    def _draw_points(
        self,
        ax: Any,
        coef: FloatArray,
        places: FloatArray,
        turn: int,
        given: dict[str, Any],
    ) -> list[Any]:
        """Draw the dots of each boundary, later ones smaller and above."""
        n = coef.shape[0]
        sizes = np.linspace(_LARGE, _SMALL, n) if n > 1 else np.array([_LARGE / 2])
        named = range(n) if n <= _MOST_ENTRIES else (0, n - 1)
        points = []
        for k, color in enumerate(boundary_colors(n)):
            look: dict[str, Any] = {
                "s": sizes[k],
                "marker": "D" if k == n - 1 and n > 1 else MARKERS[turn % len(MARKERS)],
                "facecolors": "white" if turn else color,
                "edgecolors": color if turn else "white",
                "linewidths": 1.4 if turn else 0.6,
                "zorder": 3 + k / n,
                "label": words(self.boundaries[k], 40) if k in named else "_",
                **given,
            }
            points.append(ax.scatter(coef[k], places, **look))
        signed(points[0], _KIND)
        if not turn:
            points[0].imbkit_features = [self.features[j] for j in self.shown]
        return points

    def _name_points(self, ax: Any, turn: int, whose: str) -> None:
        """Say in the legend whose dots these are, and whose the first, once there are several."""
        points = self.points_
        points[0].imbkit_unnamed = [(each, whose) for each in points]
        if not turn:
            return
        for artist in ax.get_children():
            for each, name in getattr(artist, "imbkit_unnamed", ()):
                text = each.get_label()
                if name and not text.startswith("_"):
                    each.set_label(f"{name}: {text}")
            artist.imbkit_unnamed = ()

    def _name_axes(self, ax: Any, places: FloatArray) -> None:
        names = [cut_middle(self.features[j], _LONGEST_NAME) for j in self.shown]
        ax.set_yticks(places, names)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y", color=GREY, alpha=0.2, linewidth=0.6)
        ax.set_axisbelow(True)
        left = self.coef.shape[1] - self.shown.size
        if left:
            every = left + self.shown.size
            ax.set_ylabel(f"{self.shown.size:,} of {every:,} features, by {self.by}")
        ax.set_xlabel("Weight (above 0: towards later classes)")
