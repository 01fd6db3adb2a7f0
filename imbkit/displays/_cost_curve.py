"""Cost curves: the expected cost of the best threshold, whatever the costs and the base rate."""

from numbers import Real
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message, require
from imbkit._core.types import FloatArray
from imbkit.displays._inputs import Scored, of_cv_results, of_estimator, of_predictions
from imbkit.displays._style import (
    COLORS,
    axes_for,
    check_choice,
    drawn_before,
    frozen,
    legend_below,
    line_look,
    number_text,
    reference,
    signed,
    words,
)
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._hull import roc_hull

__all__ = ["CostCurveDisplay"]

Scale: TypeAlias = Literal["auto", "linear", "logit"]
# Of a false alarm, of a miss, and the share of positive rows.
_Costs: TypeAlias = tuple[float | None, float | None, float | None]

_KIND = "cost curve"
_SCALES = ("auto", "linear", "logit")
# So near to an end of the axis an operating point cannot be read on a linear one.
_NEAR = 0.05
_MOST_LINES = 25


class CostCurveDisplay:
    """Draw the lowest expected cost that scores allow, for every ratio of costs.

    Choose it when costs or the base rate are not known yet, or will change: every point of
    the axis is one combination of both, a straight line is one fixed threshold, and the curve
    is the best of all thresholds. Below the triangle of the two trivial decisions a model is
    worth having. Make it with :meth:`from_estimator`, :meth:`from_predictions` or
    :meth:`from_cv_results`; the constructor takes the plain arrays.

    Parameters
    ----------
    fpr, fnr : array-like of shape (n_lines,)
        False-positive and false-negative rates of the thresholds that are best somewhere,
        from alerting nothing (0 and 1) to alerting everything (1 and 0).
    thresholds : array-like of shape (n_lines,), default=None
        These thresholds.
    fixed : tuple of two floats, default=None
        False-positive and false-negative rate of the threshold in use.
    threshold : float, default=None
        The threshold in use, for the legend.
    operating_point : float, default=None
        The probability cost at which the model is to work, marked by an upright line.
    scale : {"auto", "linear", "logit"}, default="auto"
        "logit" spreads both ends of the axis and takes the logarithm of the cost; "auto" does
        so where the operating point lies below 0.05 or above 0.95.
    name : str, default=None
        Whose curve it is, for the legend.

    Attributes
    ----------
    probability_cost : ndarray of shape (n_lines + 1,)
        Where the curve has its corners: 0, the places at which another threshold becomes the
        best, and 1.
    normalized_cost : ndarray of shape (n_lines + 1,)
        The curve there; straight in between.
    ax_ : matplotlib Axes
        Where :meth:`plot` drew.
    figure_ : matplotlib Figure
        The figure around it.
    line_ : matplotlib Line2D
        The curve.
    fixed_line_ : matplotlib Line2D or None
        The line of the threshold in use.

    See Also
    --------
    imbkit.thresholds.LowestCost : The threshold for known costs.
    imbkit.metrics.expected_cost : The cost of decisions.

    Notes
    -----
    With p the share of positive rows, the probability cost is
    PC = p C_fn / (p C_fn + (1 - p) C_fp), and the expected cost divided by its worst,
    NE = FNR PC + FPR (1 - PC). With equal costs PC is the share of positive rows. The curve
    is the dual of the convex hull of the ROC curve; the area under it is the expected cost where
    every probability cost is as likely as any other. O(n log n).

    References
    ----------
    C. Drummond, R. C. Holte, "Cost curves: An improved method for visualizing classifier
    performance", Machine Learning 65, 2006, doi:10.1007/s10994-006-8199-5.

    Examples
    --------
    >>> from imbkit.displays import CostCurveDisplay
    >>> y, scores = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
    >>> display = CostCurveDisplay.from_predictions(y, scores)
    >>> display.fpr.tolist(), display.fnr.tolist()
    ([0.0, 0.0, 0.5, 1.0], [1.0, 0.5, 0.0, 0.0])
    >>> display.at(0.5)
    0.25
    """

    def __init__(
        self,
        fpr: ArrayLike,
        fnr: ArrayLike,
        *,
        thresholds: ArrayLike | None = None,
        fixed: tuple[float, float] | None = None,
        threshold: float | None = None,
        operating_point: float | None = None,
        scale: Scale = "auto",
        name: str | None = None,
    ) -> None:
        who = type(self).__name__
        check_choice(who, "scale", scale, _SCALES)
        self.fpr: FloatArray = frozen(fpr)
        self.fnr: FloatArray = frozen(fnr)
        gaps = np.full(self.fpr.shape, np.nan)
        self.thresholds: FloatArray = frozen(gaps if thresholds is None else thresholds)
        self.fixed = None if fixed is None else (float(fixed[0]), float(fixed[1]))
        self.threshold = threshold
        self.operating_point = operating_point
        self.scale = scale
        self.name = name
        self._check(who)
        corners = _corners(self.fpr, self.fnr)
        self.probability_cost: FloatArray = frozen(corners)
        self.normalized_cost: FloatArray = frozen(self.at(corners))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        fp: float | None = None,
        fn: float | None = None,
        prevalence: float | None = None,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        threshold: float | None = None,
        scale: Scale = "auto",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "CostCurveDisplay":
        """Draw the cost curve of a fitted estimator on rows that it has not seen.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier of two classes.
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Their labels.
        fp, fn : float, default=None
            Costs of a false alarm and of a miss, over those of a right decision; if one is
            given, both. They mark the operating point.
        prevalence : float, default=None
            Share of positive rows where the model is to work; that of `y` if None.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        pos_label : int, float, bool or str, default=None
            The positive class. None takes the estimator's own, or 1 of {0, 1} and {-1, 1}, or
            the rarer label with a warning.
        response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
            Where the scores come from.
        threshold : float, default=None
            The threshold whose line is drawn; None takes the estimator's own, if it has one.
        scale : {"auto", "linear", "logit"}, default="auto"
            How both axes are spaced.
        name : str, default=None
            For the legend; the estimator's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the line, such as ``linewidth=2``.

        Returns
        -------
        CostCurveDisplay
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
        return cls._of(scored, (fp, fn, prevalence), scale).plot(ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        fp: float | None = None,
        fn: float | None = None,
        prevalence: float | None = None,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        threshold: float | None = None,
        scale: Scale = "auto",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "CostCurveDisplay":
        """Draw the cost curve of given scores.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            Labels of two classes.
        y_score : array-like of shape (n_rows,)
            Scores of the positive class, larger meaning more likely positive.
        fp, fn : float, default=None
            Costs of a false alarm and of a miss, over those of a right decision; if one is
            given, both. They mark the operating point.
        prevalence : float, default=None
            Share of positive rows where the model is to work; that of `y_true` if None.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        pos_label : int, float, bool or str, default=None
            The positive class. None takes 1 of {0, 1} and {-1, 1}, or the rarer label with a
            warning.
        threshold : float, default=None
            A threshold whose line is drawn.
        scale : {"auto", "linear", "logit"}, default="auto"
            How both axes are spaced.
        name : str, default=None
            For the legend.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the line.

        Returns
        -------
        CostCurveDisplay
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
        return cls._of(scored, (fp, fn, prevalence), scale).plot(ax, **kwargs)

    @classmethod
    def from_cv_results(
        cls,
        model: Any,
        *,
        fp: float | None = None,
        fn: float | None = None,
        prevalence: float | None = None,
        scale: Scale = "auto",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "CostCurveDisplay":
        """Draw the cost curve of out-of-fold scores, with the line of the chosen threshold.

        Parameters
        ----------
        model : ThresholdClassifierCV
            Fitted with ``store_cv_results=True``. No sample weights are kept with the scores,
            so every row counts the same.
        fp, fn : float, default=None
            Costs of a false alarm and of a miss; they mark the operating point.
        prevalence : float, default=None
            Share of positive rows where the model is to work; that of the kept rows if None.
        scale : {"auto", "linear", "logit"}, default="auto"
            How both axes are spaced.
        name : str, default=None
            For the legend; the inner estimator's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the line.

        Returns
        -------
        CostCurveDisplay
            The display, drawn.

        Raises
        ------
        InvalidParameterError
            If the model has not kept its scores.
        """
        scored = of_cv_results(cls.__name__, model, name=name)
        return cls._of(scored, (fp, fn, prevalence), scale).plot(ax, **kwargs)

    def at(self, probability_cost: ArrayLike) -> Any:
        """Return the normalised expected cost of the best threshold.

        Parameters
        ----------
        probability_cost : array-like of any shape
            Places on the axis, from 0 to 1.

        Returns
        -------
        float or ndarray of the shape of `probability_cost`
            The curve.
        """
        places = np.asarray(probability_cost, dtype=float)
        corners = _corners(self.fpr, self.fnr)
        best = np.clip(np.searchsorted(corners, places, side="right") - 1, 0, self.fpr.size - 1)
        # Lines are sorted by slope, and the steepest is the best at the left.
        values = self.fnr[best] * places + self.fpr[best] * (1 - places)
        return float(values) if places.ndim == 0 else values

    def plot(
        self, ax: Any = None, *, name: str | None = None, lines: bool = True, **kwargs: Any
    ) -> "CostCurveDisplay":
        """Draw the curve; on axes with such a curve already, beside it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        name : str, default=None
            For the legend; None takes the display's own.
        lines : bool, default=True
            Whether to draw some of the single thresholds' lines, pale, where the axes have no
            cost curve yet.
        **kwargs
            Settings of the curve, such as ``linewidth=2``.

        Returns
        -------
        CostCurveDisplay
            The display itself.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        who = type(self).__name__
        ax = axes_for(ax, who)
        turn = drawn_before(ax, _KIND)
        scale = self._scale(ax, turn)
        caption = words(name or self.name or "")
        look = line_look(
            kwargs,
            color=COLORS[turn % len(COLORS)],
            linewidth=1.8,
            label=caption or "best threshold",
        )
        x = self.probability_cost
        if scale == "logit":
            inner = 1 / (1 + np.exp(-np.linspace(-18, 18, 2000)))
            x = np.union1d(x[(x > 0) & (x < 1)], inner)
        (line,) = ax.plot(x, self.at(x), zorder=4, **look)
        self.line_ = signed(line, _KIND)
        color = line.get_color()
        if lines and not turn:
            self._draw_lines(ax, x, color)
        for text, y, dash in (("alert nothing", x, "--"), ("alert everything", 1 - x, "-.")):
            reference(ax, x.tolist(), y.tolist(), text, linestyle=dash, sign=text)
        whose = f"{caption}: " if caption and turn else ""
        self.fixed_line_ = self._draw_fixed(ax, x, color, whose)
        self._draw_point(ax, color, whose)
        self._name_axes(ax, scale, turn, who)
        legend_below(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def frame(self) -> Any:
        """Return what is drawn as a table.

        Returns
        -------
        DataFrame
            Columns "from" and "to" (the stretch of the probability cost on which a threshold
            is the best), "cost_from" and "cost_to" (the curve at both ends), "threshold",
            "fpr" and "fnr"; a row for every line of which the curve is made.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = require("pandas", "compare", type(self).__name__)
        x, y = self.probability_cost, self.normalized_cost
        return pandas.DataFrame(
            {
                "from": x[:-1],
                "to": x[1:],
                "cost_from": y[:-1],
                "cost_to": y[1:],
                "threshold": self.thresholds,
                "fpr": self.fpr,
                "fnr": self.fnr,
            }
        )

    @classmethod
    def _of(cls, scored: Scored, costs: _Costs, scale: Scale) -> "CostCurveDisplay":
        who = cls.__name__
        rows = scored.weighted_rows()
        weight, positive = rows.weights(), rows.positive
        hull = roc_hull(positive, rows.scores, weight)
        n_positive, n_negative = weight[positive].sum(), weight[~positive].sum()
        fpr = np.append(0.0, np.cumsum(hull.alarms)) / hull.alarms.sum()
        fnr = np.append(np.cumsum(hull.hits[::-1])[::-1], 0.0) / hull.hits.sum()
        fixed = None
        if scored.threshold is not None:
            alert = rows.scores >= scored.threshold
            fixed = (
                float(weight[alert & ~positive].sum() / n_negative),
                float(weight[~alert & positive].sum() / n_positive),
            )
        return cls(
            fpr,
            fnr,
            thresholds=np.append(np.inf, hull.lowest),
            fixed=fixed,
            threshold=scored.threshold,
            operating_point=_point(who, costs, float(n_positive / (n_positive + n_negative))),
            scale=scale,
            name=scored.name,
        )

    def _check(self, who: str) -> None:
        """Refuse rates that make no curve."""
        shapes = self.fpr.shape, self.fnr.shape, self.thresholds.shape
        if self.fpr.ndim != 1 or len(set(shapes)) > 1 or self.fpr.size < 2:
            rule = "fpr, fnr and thresholds must have one entry for each of two or more lines"
            raise DataError(message(who, rule, f"shapes {shapes}"))
        rates = np.concatenate([self.fpr, self.fnr])
        ends = self.fpr[0] == 0 and self.fnr[0] == 1 and self.fpr[-1] == 1 and self.fnr[-1] == 0
        ordered = (np.diff(self.fpr) >= 0).all() and (np.diff(self.fnr) <= 0).all()
        if not (ends and ordered and ((rates >= 0) & (rates <= 1)).all()):
            rule = "fpr must rise from 0 to 1 while fnr falls from 1 to 0"
            raise DataError(message(who, rule, f"{self.fpr[:3]} and {self.fnr[:3]}"))
        steps = np.diff(_corners(self.fpr, self.fnr))
        if (steps < -1e-9).any():
            rule = "the rates must be corners of a convex hull, without thresholds never the best"
            raise DataError(message(who, rule, f"{np.count_nonzero(steps < -1e-9)} others"))
        point = self.operating_point
        if point is not None and not 0 <= point <= 1:
            rule = "operating_point must be between 0 and 1"
            raise InvalidParameterError(message(who, rule, point))

    def _scale(self, ax: Any, turn: int) -> str:
        """Return the scale; a second display follows the first."""
        if self.scale != "auto":
            return self.scale
        if turn:
            return str(ax.get_xscale())
        point = self.operating_point
        near = point is not None and min(point, 1 - point) < _NEAR
        return "logit" if near else "linear"

    def _draw_lines(self, ax: Any, x: FloatArray, color: Any) -> None:
        """Draw some of the lines of which the curve is made."""
        inner = np.arange(1, self.fpr.size - 1)
        if inner.size > _MOST_LINES:
            # Evenly along the curve rather than by number: most thresholds lie close together.
            wanted = np.linspace(0, 1, _MOST_LINES)
            along = np.append(0, np.cumsum(np.hypot(np.diff(self.fpr), np.diff(self.fnr))))
            inner = np.unique(np.searchsorted(along / along[-1], wanted).clip(1, inner[-1]))
        for k in inner:
            y = self.fnr[k] * x + self.fpr[k] * (1 - x)
            ax.plot(x, y, color=color, alpha=0.15, linewidth=0.7, zorder=1.2, label="_")

    def _draw_fixed(self, ax: Any, x: FloatArray, color: Any, whose: str) -> Any:
        if self.fixed is None:
            return None
        fpr, fnr = self.fixed
        digits = "" if self.threshold is None else f" {self.threshold:.3g}"
        text = f"{whose}threshold{digits}"
        look = {"color": color, "linestyle": ":", "linewidth": 1.4, "zorder": 3}
        return ax.plot(x, fnr * x + fpr * (1 - x), label=text, **look)[0]

    def _draw_point(self, ax: Any, color: Any, whose: str) -> None:
        """Draw the operating point."""
        point = self.operating_point
        if point is None:
            return
        cost = self.at(point)
        ax.axvline(point, color=color, linewidth=0.9, alpha=0.6, zorder=2, label="_")
        text = f"{whose}cost {cost:.3g} at {point:.3g}"
        ax.plot([point], [cost], "o", color=color, markersize=6, zorder=5, label=text)

    def _name_axes(self, ax: Any, scale: str, turn: int, who: str) -> None:
        ax.set(
            xlabel="Probability cost (share of positive rows, weighted by cost)",
            ylabel="Normalised expected cost",
            xscale=scale,
        )
        if scale == "linear":
            # The trivial decisions meet at one half.
            ax.set(xlim=(0.0, 1.0), ylim=(0.0, 0.55))
            return
        ticker = require("matplotlib.ticker", "plot", who)
        point = self.operating_point
        ends = [1e-3, 1e-2] if point is None else [1e-3, point / 20, (1 - point) / 20]
        end = max(min(e for e in ends if e > 0), 1e-7)
        floor = float(self.at(np.array([end, 1 - end])).min()) / 3
        if turn:
            end = min(end, ax.get_xlim()[0])
            floor = min(floor, ax.get_ylim()[0])
        ax.set(yscale="log", xlim=(end, 1 - end), ylim=(max(floor, end / 1e3), 0.7))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(ticker.FuncFormatter(number_text))
            axis.set_minor_formatter(ticker.NullFormatter())


def _corners(fpr: FloatArray, fnr: FloatArray) -> FloatArray:
    """Return where neighbouring lines meet, with 0 in front and 1 behind."""
    alarms, misses = np.diff(fpr), -np.diff(fnr)
    with np.errstate(invalid="ignore", divide="ignore"):
        meets = np.nan_to_num(alarms / (alarms + misses), nan=0.5)
    return np.concatenate(([0.0], meets, [1.0]))


def _point(
    who: str,
    asked: _Costs,
    own: float,
) -> float | None:
    """Return the probability cost of given costs and a share of positive rows."""
    fp, fn, prevalence = asked
    if fp is None and fn is None and prevalence is None:
        return None
    if (fp is None) != (fn is None):
        raise InvalidParameterError(message(who, "fp and fn must be given together", "one of them"))
    costs = (1.0, 1.0) if fp is None or fn is None else (fp, fn)
    for name, cost in zip(("fp", "fn"), costs, strict=True):
        number = isinstance(cost, Real) and not isinstance(cost, bool)
        if not number or not 0 < cost < np.inf:
            raise InvalidParameterError(message(who, f"{name} must be a positive number", cost))
    share = own if prevalence is None else prevalence
    number = isinstance(share, Real) and not isinstance(share, bool)
    if not number or not 0 < share < 1:
        rule = "prevalence must be between 0 and 1, ends excluded"
        raise InvalidParameterError(message(who, rule, share))
    return share * costs[1] / (share * costs[1] + (1 - share) * costs[0])
