"""How far the scores of both classes lie apart, each class drawn at its own size."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message, require
from imbkit._core.types import FloatArray
from imbkit.displays._inputs import Scored, of_cv_results, of_estimator, of_predictions
from imbkit.displays._score_axis import SCALES, ScoreAxis, usual_scale
from imbkit.displays._style import (
    COLORS,
    DASHES,
    axes_for,
    check_choice,
    drawn_before,
    frozen,
    legend_below,
    number_text,
    share_text,
    signed,
    words,
)
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["ScoreSeparationDisplay"]

Binning: TypeAlias = Literal["width", "mass"]
XScale: TypeAlias = Literal["auto", "linear", "log", "logit"]

_KIND = "score separation"
_BINNINGS = ("width", "mass")
_FEWEST, _MOST = 8, 60
# Nearly all rows of a large table may have a smaller probability than a millionth.
_LEAST = 1e-9
# No bin of equal mass is narrower than this part of the axis: it would be a needle.
_NARROWEST = 1 / 200


class ScoreSeparationDisplay:
    """Draw the distributions of the scores of both classes, and the threshold between them.

    Choose it to see why a threshold is hard to place, or whether a model separates anything.
    Each class is drawn as shares of its own rows, so that a class of one row in a thousand is
    as large as the other, and probabilities stand on a scale of log-odds, on which small ones
    differ. Make it with :meth:`from_estimator`, :meth:`from_predictions` or
    :meth:`from_cv_results`; the constructor takes the plain arrays.

    Parameters
    ----------
    edges : array-like of shape (n_bins + 1,)
        Ends of the bins, ascending. The outer bins hold what lies beyond them, too.
    negative, positive : array-like of shape (n_bins,)
        Shares of the rows of each class (of their weight) in each bin; both add up to 1.
    xscale : {"linear", "log", "logit"}, default="linear"
        How scores are spaced.
    labels : tuple of two objects, default=("negative", "positive")
        The classes' names.
    n_rows : tuple of two ints, default=None
        How many rows each class has, for the legend.
    threshold : float, default=None
        The threshold, drawn as an upright line.
    above : tuple of two floats, default=None
        Share of each class at or above the threshold, for the legend.
    name : str, default=None
        Whose scores they are, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where :meth:`plot` drew.
    figure_ : matplotlib Figure
        The figure around it.
    patches_ : tuple of two matplotlib StepPatch
        The histograms of the negative and of the positive class.
    threshold_line_ : matplotlib Line2D or None
        The upright line.

    See Also
    --------
    ReliabilityDisplay : Whether the probabilities are right.
    ThresholdCurveDisplay : What each threshold is worth.

    Notes
    -----
    With ``binning="width"`` all bins are equally wide on the axis as drawn, and heights are the
    shares of the class. With ``binning="mass"`` the bins hold equal shares of both classes
    taken at equal size (half the share of the one class and half that of the other), narrow
    where scores are dense but not narrower than a 200th of the axis; then areas on the axis are
    the shares, and heights are shares for each hundredth of its width. Equal scores stay in one
    bin.

    Examples
    --------
    >>> from imbkit.displays import ScoreSeparationDisplay
    >>> y, scores = [0, 0, 0, 1, 1], [-1.0, 0.0, 1.0, 0.5, 2.0]
    >>> display = ScoreSeparationDisplay.from_predictions(y, scores, bins=3, threshold=0.2)
    >>> display.negative.round(2).tolist(), display.positive.tolist()
    ([0.33, 0.67, 0.0], [0.0, 0.5, 0.5])
    >>> display.above[1]
    1.0
    """

    def __init__(
        self,
        edges: ArrayLike,
        negative: ArrayLike,
        positive: ArrayLike,
        *,
        xscale: Literal["linear", "log", "logit"] = "linear",
        labels: tuple[Any, Any] = ("negative", "positive"),
        n_rows: tuple[int, int] | None = None,
        threshold: float | None = None,
        above: tuple[float, float] | None = None,
        name: str | None = None,
    ) -> None:
        who = type(self).__name__
        check_choice(who, "xscale", xscale, SCALES[1:])
        self.edges: FloatArray = frozen(edges)
        self.negative: FloatArray = frozen(negative)
        self.positive: FloatArray = frozen(positive)
        self.xscale = xscale
        self.labels = tuple(labels)
        self.n_rows = n_rows
        self.threshold = threshold
        self.above = above
        self.name = name
        n = self.edges.size - 1
        shapes = self.negative.shape, self.positive.shape
        if n < 1 or set(shapes) != {(n,)} or not (np.diff(self.edges) > 0).all():
            rule = "edges must ascend, with one share of each class for each bin between them"
            raise DataError(message(who, rule, f"{n + 1} edges and shapes {shapes}"))
        for shares in (self.negative, self.positive):
            if not (shares >= 0).all() or abs(shares.sum() - 1) > 1e-6:
                rule = "the shares of a class must be 0 or more and add up to 1"
                raise DataError(message(who, rule, f"a sum of {shares.sum():.6g}"))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        bins: int | Sequence[float] | Literal["auto"] = "auto",
        binning: Binning = "width",
        xscale: XScale = "auto",
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        threshold: float | None = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ScoreSeparationDisplay":
        """Draw the scores of a fitted estimator on rows that it has not seen.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier of two classes.
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Their labels.
        bins : int, sequence of float or "auto", default="auto"
            How many bins, or their edges. "auto" takes more the more rows the smaller class
            has, from 8 to 60.
        binning : {"width", "mass"}, default="width"
            Whether bins are equally wide on the axis, or hold equal shares.
        xscale : {"auto", "linear", "log", "logit"}, default="auto"
            How scores are spaced. "auto" takes "logit" for probabilities of which most lie
            below 0.05 or above 0.95, and otherwise "linear".
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        pos_label : int, float, bool or str, default=None
            The positive class. None takes the estimator's own, or 1 of {0, 1} and {-1, 1}, or
            the rarer label with a warning.
        response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
            Where the scores come from.
        threshold : float, default=None
            The threshold to mark; None takes the estimator's own, if it has one.
        name : str, default=None
            For the legend; the estimator's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the histograms, such as ``linewidth=2``.

        Returns
        -------
        ScoreSeparationDisplay
            The display, drawn.
        """
        scored = of_estimator(
            cls.__name__,
            estimator,
            X,
            y,
            sample_weight=sample_weight,
            pos_label=pos_label,
            response_method=response_method,
            threshold=threshold,
            name=name,
        )
        return cls._of(scored, bins, binning, xscale).plot(ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        bins: int | Sequence[float] | Literal["auto"] = "auto",
        binning: Binning = "width",
        xscale: XScale = "auto",
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        threshold: float | None = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ScoreSeparationDisplay":
        """Draw given scores.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            Labels of two classes.
        y_score : array-like of shape (n_rows,)
            Scores of the positive class, larger meaning more likely positive.
        bins : int, sequence of float or "auto", default="auto"
            How many bins, or their edges. "auto" takes more the more rows the smaller class
            has, from 8 to 60.
        binning : {"width", "mass"}, default="width"
            Whether bins are equally wide on the axis, or hold equal shares.
        xscale : {"auto", "linear", "log", "logit"}, default="auto"
            How scores are spaced.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        pos_label : int, float, bool or str, default=None
            The positive class. None takes 1 of {0, 1} and {-1, 1}, or the rarer label with a
            warning.
        threshold : float, default=None
            A threshold to mark.
        name : str, default=None
            For the legend.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the histograms.

        Returns
        -------
        ScoreSeparationDisplay
            The display, drawn.
        """
        scored = of_predictions(
            cls.__name__,
            y_true,
            y_score,
            sample_weight=sample_weight,
            pos_label=pos_label,
            threshold=threshold,
            name=name,
        )
        return cls._of(scored, bins, binning, xscale).plot(ax, **kwargs)

    @classmethod
    def from_cv_results(
        cls,
        model: Any,
        *,
        bins: int | Sequence[float] | Literal["auto"] = "auto",
        binning: Binning = "width",
        xscale: XScale = "auto",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ScoreSeparationDisplay":
        """Draw the out-of-fold scores that a model has kept, with its threshold.

        Parameters
        ----------
        model : ThresholdClassifierCV
            Fitted with ``store_cv_results=True``. No sample weights are kept with the scores,
            so every row counts the same.
        bins : int, sequence of float or "auto", default="auto"
            How many bins, or their edges.
        binning : {"width", "mass"}, default="width"
            Whether bins are equally wide on the axis, or hold equal shares.
        xscale : {"auto", "linear", "log", "logit"}, default="auto"
            How scores are spaced.
        name : str, default=None
            For the legend; the inner estimator's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the histograms.

        Returns
        -------
        ScoreSeparationDisplay
            The display, drawn.

        Raises
        ------
        InvalidParameterError
            If the model has not kept its scores.
        """
        scored = of_cv_results(cls.__name__, model, name=name)
        return cls._of(scored, bins, binning, xscale).plot(ax, **kwargs)

    def plot(
        self, ax: Any = None, *, name: str | None = None, **kwargs: Any
    ) -> "ScoreSeparationDisplay":
        """Draw both histograms; on axes with such a display already, their outlines only.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        name : str, default=None
            For the legend; None takes the display's own.
        **kwargs
            Settings of the histograms, such as ``linewidth=2``.

        Returns
        -------
        ScoreSeparationDisplay
            The display itself.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        who = type(self).__name__
        ax = axes_for(ax, who)
        turn = drawn_before(ax, _KIND)
        caption = words(name or self.name or "", 40)
        whose = f"{caption}: " if caption else ""
        axis = self._axis()
        widths = np.diff(axis.place(self.edges))
        even = bool(np.allclose(widths, widths.mean(), rtol=1e-3))
        patches = []
        for k, shares in enumerate((self.negative, self.positive)):
            look: dict[str, Any] = {
                "edgecolor": COLORS[k],
                "facecolor": "none" if turn else (COLORS[k], 0.3),
                "linestyle": DASHES[turn % len(DASHES)],
                "linewidth": 1.3,
                "hatch": None if turn or not k else "//",
                "label": f"{whose}{self._class_text(k)}",
                "zorder": 2 + 0.1 * k,
                **kwargs,
            }
            heights = shares if even else shares / (100 * widths)
            patches.append(ax.stairs(heights, self.edges, fill=True, **look))
        self.patches_ = (signed(patches[0], _KIND), patches[1])
        self.threshold_line_ = self._draw_threshold(ax, turn, whose)
        axis.show(ax, who, shared=turn > 0)
        self._name_axes(ax, even, who)
        legend_below(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def frame(self) -> Any:
        """Return what is drawn as a table.

        Returns
        -------
        DataFrame
            Columns "from", "to", "negative" and "positive" (shares of each class); a row for
            every bin.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = require("pandas", "compare", type(self).__name__)
        ends = {"from": self.edges[:-1], "to": self.edges[1:]}
        return pandas.DataFrame({**ends, "negative": self.negative, "positive": self.positive})

    @classmethod
    def _of(
        cls, scored: Scored, bins: Any, binning: Binning, xscale: XScale
    ) -> "ScoreSeparationDisplay":
        who = cls.__name__
        check_choice(who, "binning", binning, _BINNINGS)
        check_choice(who, "xscale", xscale, SCALES)
        rows = scored.weighted_rows()
        inside = rows.scores[np.isfinite(rows.scores)]
        scale = usual_scale(inside) if xscale == "auto" else xscale
        marks = () if rows.threshold is None else (rows.threshold,)
        axis = ScoreAxis.over(scale, inside, marks, who, least=_LEAST)
        edges = _edges(who, rows, axis, bins, binning)
        shares, above = [], []
        for own in (~rows.positive, rows.positive):
            weight = rows.weights()[own]
            place = np.searchsorted(edges, rows.scores[own], side="right") - 1
            counts = np.bincount(place.clip(0, edges.size - 2), weight, edges.size - 1)
            shares.append(counts / counts.sum())
            if rows.threshold is not None:
                reached = rows.scores[own] >= rows.threshold
                above.append(float(weight[reached].sum() / weight.sum()))
        n_positive = int(np.count_nonzero(rows.positive))
        return cls(
            edges,
            *shares,
            xscale=scale,  # type: ignore[arg-type]
            labels=rows.labels,
            n_rows=(rows.positive.size - n_positive, n_positive),
            threshold=rows.threshold,
            above=(above[0], above[1]) if above else None,
            name=rows.name,
        )

    def _axis(self) -> ScoreAxis:
        """Return an axis from the first edge to the last, and to the threshold."""
        inside = [] if self.threshold is None else [self.threshold]
        inside = [v for v in inside if np.isfinite(v)]
        if self.xscale != "linear":
            inside = [v for v in inside if v > 0]
        if self.xscale == "logit":
            inside = [v for v in inside if v < 1]
        ends = [*inside, float(self.edges[0]), float(self.edges[-1])]
        return ScoreAxis(self.xscale, min(ends), max(ends))

    def _class_text(self, k: int) -> str:
        text = f"class {words(self.labels[k], 40)}"
        return text if self.n_rows is None else f"{text} ({self.n_rows[k]:,} rows)"

    def _draw_threshold(self, ax: Any, turn: int, whose: str) -> Any:
        if self.threshold is None:
            return None
        digits = number_text(float(f"{self.threshold:.3g}"))
        text = f"{whose if turn else ''}threshold {digits}"
        if self.above is not None:
            parts = [
                f"{share_text(float(f'{100 * share:.3g}') / 100)} of class {words(label, 25)}"
                for share, label in zip(self.above[::-1], self.labels[::-1], strict=True)
            ]
            text += f" reached by {' and '.join(parts)}"
        look = {"color": "black", "linewidth": 1.2, "linestyle": DASHES[turn % len(DASHES)]}
        if not np.isfinite(self.threshold):
            return ax.plot([], [], label=text, **look)[0]
        return ax.axvline(self.threshold, label=text, zorder=4, **look)

    def _name_axes(self, ax: Any, even: bool, who: str) -> None:
        ticker = require("matplotlib.ticker", "plot", who)
        ax.set_xlabel("Score")
        text = "Share of the class in each bin"
        ax.set_ylabel(text if even else "Share of the class per 1% of the axis")
        ax.yaxis.set_major_formatter(ticker.FuncFormatter(share_text))


def _edges(who: str, rows: Scored, axis: ScoreAxis, bins: Any, binning: Binning) -> FloatArray:
    """Return the ends of the bins."""
    if isinstance(bins, str) and bins == "auto":
        rarest = min(np.count_nonzero(rows.positive), np.count_nonzero(~rows.positive))
        bins = int(np.clip(round(4 * rarest ** (1 / 3)), _FEWEST, _MOST))
    if isinstance(bins, bool) or (np.ndim(bins) == 0 and not isinstance(bins, Integral)):
        rule = "bins must be a whole number, edges in ascending order, or 'auto'"
        raise InvalidParameterError(message(who, rule, bins))
    if np.ndim(bins):
        edges = np.asarray(bins, dtype=float)
        if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all():
            rule = "bins as edges must ascend, two or more of them"
            raise InvalidParameterError(message(who, rule, edges.tolist()[:5]))
        return edges
    if bins < 1:
        raise InvalidParameterError(message(who, "bins must be at least 1", bins))
    if binning == "width":
        return axis.value(np.linspace(0, 1, int(bins) + 1))
    return _mass_edges(rows, axis, int(bins))


def _mass_edges(rows: Scored, axis: ScoreAxis, n_bins: int) -> FloatArray:
    """Return edges between equal shares of both classes taken at equal size."""
    weight = rows.weights().copy()
    for own in (rows.positive, ~rows.positive):
        weight[own] /= 2 * weight[own].sum()
    order = np.argsort(rows.scores, kind="stable")
    scores = np.clip(rows.scores[order], axis.low, axis.high)
    upto = np.cumsum(weight[order])
    cut = np.searchsorted(upto, np.arange(1, n_bins) / n_bins, side="right")
    inner = scores[cut.clip(0, scores.size - 1)]
    kept = [axis.low]
    places = axis.place(inner)
    at = 0.0
    for place, edge in zip(places.tolist(), inner.tolist(), strict=True):
        if place - at >= _NARROWEST and 1 - place >= _NARROWEST:
            kept.append(edge)
            at = place
    return np.array([*kept, axis.high])
