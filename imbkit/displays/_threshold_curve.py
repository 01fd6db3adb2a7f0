"""Metrics and objectives against the threshold."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message, require, shorten
from imbkit._core.types import AnyArray, FloatArray
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
    line_look,
    number_text,
    signed,
    words,
)
from imbkit.displays._thin import thin
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.thresholds import Curve, LowestCost
from imbkit.thresholds._base import BaseRule
from imbkit.thresholds._best_metric import as_rule

__all__ = ["ThresholdCurveDisplay"]

XScale: TypeAlias = Literal["auto", "linear", "log", "logit"]

_KIND = "threshold curve"
_USUAL = ("precision", "recall", "f1")
# Where curves change by less than this part of their reach, the axis may end.
_FLAT = 0.002
# Each of several folds' pale curves needs fewer points than the main one.
_FOLD_COLUMNS = 600


class ThresholdCurveDisplay:
    """Draw metrics, costs or a rule's objective against the threshold.

    Choose it to see how much depends on the threshold: a flat top forgives a wrong one, a
    narrow peak does not, and folds whose peaks lie apart say that it is not well known. Make
    it with :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_cv_results`; the
    constructor takes the plain arrays.

    Parameters
    ----------
    thresholds : array-like of shape (n_entries,)
        Strictly descending from ``inf``; a row is alerted where its score is at least the
        threshold.
    values : mapping of str to array-like of shape (n_entries,)
        What each metric is for every threshold above the next smaller entry, up to this one.
        NaN leaves a gap.
    folds : sequence of tuples (str, array-like, array-like), default=()
        Curves of single folds, drawn pale: the metric's name, thresholds and values.
    folds_name : str, default="single folds"
        What these are, for the legend.
    threshold : float, default=None
        The threshold in use, drawn as an upright line.
    interval : tuple of two floats, default=None
        How far the threshold depends on the sample, drawn as a pale stripe.
    interval_name : str, default="single folds"
        Where the interval comes from, for the legend.
    xscale : {"auto", "linear", "log", "logit"}, default="auto"
        How thresholds are spaced. "auto" takes "logit" for probabilities of which most lie
        below 0.05 or above 0.95, as those of a rare class do, and otherwise "linear".
    name : str, default=None
        Whose curves they are, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where :meth:`plot` drew.
    figure_ : matplotlib Figure
        The figure around it.
    ax_right_ : matplotlib Axes or None
        The axis at the right for what is not a share, such as a cost, if shares are drawn too.
    lines_ : dict of str to matplotlib Line2D
        The line of each metric.
    fold_lines_ : list of matplotlib Line2D
        The pale lines.
    threshold_line_ : matplotlib Line2D or None
        The upright line.

    See Also
    --------
    imbkit.thresholds.ThresholdClassifierCV : Chooses the threshold.
    CostCurveDisplay : The best that any threshold can do, whatever the costs.

    Notes
    -----
    The curves are exact step functions with a step at every distinct score; nothing is
    interpolated. Beyond some thousand steps only those are drawn that show at the size of a
    page; the arrays and :meth:`frame` hold all of them.

    Examples
    --------
    >>> from imbkit.displays import ThresholdCurveDisplay
    >>> y, scores = [0, 0, 1, 0, 1], [0.1, 0.2, 0.4, 0.6, 0.9]
    >>> display = ThresholdCurveDisplay.from_predictions(y, scores, metrics="f1")
    >>> display.thresholds.tolist()
    [inf, 0.9, 0.6, 0.4, 0.2, 0.1]
    >>> display.values["f1"].round(2).tolist()
    [0.0, 0.67, 0.5, 0.8, 0.67, 0.57]
    """

    def __init__(
        self,
        thresholds: ArrayLike,
        values: Mapping[str, ArrayLike],
        *,
        folds: Iterable[tuple[str, ArrayLike, ArrayLike]] = (),
        folds_name: str = "single folds",
        threshold: float | None = None,
        interval: tuple[float, float] | None = None,
        interval_name: str = "single folds",
        xscale: XScale = "auto",
        name: str | None = None,
    ) -> None:
        who = type(self).__name__
        check_choice(who, "xscale", xscale, SCALES)
        self.thresholds: FloatArray = frozen(thresholds)
        self.values: dict[str, FloatArray] = {str(k): frozen(v) for k, v in values.items()}
        self.folds = tuple((str(k), frozen(x), frozen(y)) for k, x, y in folds)
        self.folds_name = folds_name
        self.threshold = threshold
        self.interval = None if interval is None else (float(interval[0]), float(interval[1]))
        self.interval_name = interval_name
        self.xscale = xscale
        self.name = name
        if not self.values:
            raise DataError(message(who, "values must hold one metric or more", "none"))
        for each in self.values.values():
            Curve(self.thresholds, each, 0.5)
        for metric, x, y in self.folds:
            Curve(x, y, 0.5)
            if metric not in self.values:
                rule = f"a fold's metric must be one of {listing(self.values)}"
                raise DataError(message(who, rule, metric))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        metrics: Any = _USUAL,
        row_values: Mapping[str, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        threshold: float | None = None,
        xscale: XScale = "auto",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ThresholdCurveDisplay":
        """Draw the curves of a fitted estimator on rows that it has not seen.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier of two classes.
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Their labels.
        metrics : str, count metric, rule, callable, or sequence or mapping of them, \
default=("precision", "recall", "f1")
            What to draw: whatever ``ThresholdClassifierCV`` takes as a rule. A mapping gives
            them names.
        row_values : mapping of str to array-like of shape (n_rows,), default=None
            The values of each row that rules ask for, such as ``{"amount": amounts}``.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        pos_label : int, float, bool or str, default=None
            The positive class. None takes the estimator's own, or 1 of {0, 1} and {-1, 1}, or
            the rarer label with a warning.
        response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
            Where the scores come from; "auto" takes what the estimator's own threshold is
            for, or else the first that the estimator has.
        threshold : float, default=None
            The threshold to mark; None takes the estimator's own, if it has one.
        xscale : {"auto", "linear", "log", "logit"}, default="auto"
            How thresholds are spaced.
        name : str, default=None
            For the legend; the estimator's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the lines, such as ``linewidth=2``.

        Returns
        -------
        ThresholdCurveDisplay
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
        values = _values(cls.__name__, metrics, scored, row_values)
        return cls._of(scored, values, xscale).plot(ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        metrics: Any = _USUAL,
        row_values: Mapping[str, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        threshold: float | None = None,
        xscale: XScale = "auto",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ThresholdCurveDisplay":
        """Draw the curves of given scores.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            Labels of two classes.
        y_score : array-like of shape (n_rows,)
            Scores of the positive class, larger meaning more likely positive.
        metrics : str, count metric, rule, callable, or sequence or mapping of them, \
default=("precision", "recall", "f1")
            What to draw: whatever ``ThresholdClassifierCV`` takes as a rule. A mapping gives
            them names.
        row_values : mapping of str to array-like of shape (n_rows,), default=None
            The values of each row that rules ask for.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        pos_label : int, float, bool or str, default=None
            The positive class. None takes 1 of {0, 1} and {-1, 1}, or the rarer label with a
            warning.
        threshold : float, default=None
            A threshold to mark.
        xscale : {"auto", "linear", "log", "logit"}, default="auto"
            How thresholds are spaced.
        name : str, default=None
            For the legend.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the lines.

        Returns
        -------
        ThresholdCurveDisplay
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
        values = _values(cls.__name__, metrics, scored, row_values)
        return cls._of(scored, values, xscale).plot(ax, **kwargs)

    @classmethod
    def from_cv_results(
        cls,
        model: Any,
        *,
        metrics: Any = (),
        xscale: XScale = "auto",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ThresholdCurveDisplay":
        """Draw the objective by which a model chose its threshold, on out-of-fold scores.

        The curve of all folds is drawn in full, those of single folds pale, the chosen
        threshold as a line and its interval as a stripe: the bootstrap's where there is one,
        else the spread over the folds. A cost is a total; those of single folds are multiplied
        by the number of folds.

        Parameters
        ----------
        model : ThresholdClassifierCV
            Fitted with ``store_cv_results=True``.
        metrics : str, count metric, rule, callable, or sequence or mapping of them, default=()
            What to draw beside the objective, on the same scores. No sample weights and row
            values are kept with them, so these curves are unweighted.
        xscale : {"auto", "linear", "log", "logit"}, default="auto"
            How thresholds are spaced.
        name : str, default=None
            For the legend; the inner estimator's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the lines.

        Returns
        -------
        ThresholdCurveDisplay
            The display, drawn.

        Raises
        ------
        InvalidParameterError
            If the model has not kept its scores.
        """
        scored = of_cv_results(cls.__name__, model, name=name)
        results = model.cv_results_
        # Objectives are maximised; a cost is shown as a cost.
        chooser = as_rule(model.rule)
        sign = chooser.measure(1.0)
        objective = model.rule_.name
        thresholds = np.asarray(results["thresholds"], dtype=float)
        values = {objective: _shown(sign * np.asarray(results["scores"], dtype=float))}
        for label, rule in _rules(cls.__name__, metrics).items():
            if label != objective:
                curve, sign_of = _curve(cls.__name__, rule, scored, None), rule.measure(1.0)
                values[label] = _shown(sign_of * curve.at(thresholds))
        # A total grows with the rows, of which each fold has its part.
        n_folds = len(results["fold_curves"])
        total = isinstance(chooser, LowestCost) and model.pooling != "curve" and n_folds > 1
        times = n_folds if total else 1
        folds = [
            (objective, np.asarray(each.thresholds), _shown(sign * times * each.objective))
            for each in results["fold_curves"]
            if each is not None
        ]
        interval, source = _interval(model, len(folds))
        display = cls(
            thresholds,
            values,
            folds=folds if len(folds) > 1 else (),
            folds_name=f"single folds, times {times}" if total else "single folds",
            threshold=scored.threshold,
            interval=interval,
            interval_name=source,
            xscale=xscale,
            name=scored.name,
        )
        return display.plot(ax, **kwargs)

    def plot(
        self, ax: Any = None, *, name: str | None = None, **kwargs: Any
    ) -> "ThresholdCurveDisplay":
        """Draw the curves; on axes with such curves already, beside them.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        name : str, default=None
            For the legend; None takes the display's own.
        **kwargs
            Settings of the lines, such as ``linewidth=2``.

        Returns
        -------
        ThresholdCurveDisplay
            The display itself.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        who = type(self).__name__
        ax = axes_for(ax, who)
        turn = drawn_before(ax, _KIND)
        axis = self._axis(ax, turn, who)
        several = len(self.values) > 1
        caption = words(name or self.name or "")
        whose = f"{caption}: " if caption else ""
        self.ax_right_ = self._right_axes(ax)
        self.lines_: dict[str, Any] = {}
        self.fold_lines_: list[Any] = []
        for k, (metric, values) in enumerate(self.values.items()):
            target = self.ax_right_ if self.ax_right_ and not _is_share(values) else ax
            look = line_look(
                kwargs,
                color=COLORS[(k if several else turn) % len(COLORS)],
                linestyle=DASHES[turn % len(DASHES)] if several else "-",
                linewidth=1.6,
            )
            label = words(f"{whose}{metric}") if several or not caption else caption
            x, y = _steps(axis, self.thresholds, values)
            kept = thin(axis.place(x), y)
            look.setdefault("label", label)
            (line,) = target.plot(x[kept], y[kept], drawstyle="steps-post", zorder=3, **look)
            self.lines_[metric] = line
            self.fold_lines_ += self._draw_folds(target, axis, metric, look)
        first = next(iter(self.lines_.values()))
        if first.axes is ax:
            signed(first, _KIND)
        else:
            signed(ax.plot([], [], label="_")[0], _KIND)
        self.threshold_line_ = self._draw_threshold(ax, first.get_color(), turn, whose)
        self._name_axes(ax)
        axis.show(ax, who, shared=turn > 0)
        legend_below(ax, self.ax_right_)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def frame(self) -> Any:
        """Return what is drawn as a table.

        Returns
        -------
        DataFrame
            Columns "curve" ("all", or "fold 0", "fold 1", ...), "metric", "threshold" and
            "value"; a row for every step.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = require("pandas", "compare", type(self).__name__)
        parts = [("all", metric, self.thresholds, each) for metric, each in self.values.items()]
        parts += [(f"fold {k}", *fold) for k, fold in enumerate(self.folds)]
        columns = ("curve", "metric", "threshold", "value")
        frames = [pandas.DataFrame(dict(zip(columns, part, strict=True))) for part in parts]
        return pandas.concat(frames, ignore_index=True)

    @classmethod
    def _of(
        cls, scored: Scored, values: tuple[FloatArray, dict[str, FloatArray]], xscale: XScale
    ) -> "ThresholdCurveDisplay":
        return cls(*values, threshold=scored.threshold, xscale=xscale, name=scored.name)

    def _axis(self, ax: Any, turn: int, who: str) -> ScoreAxis:
        """Return the axis of thresholds; a second display follows the first one's scale."""
        scale = str(self.xscale)
        if scale == "auto" and turn and ax.get_xscale() in SCALES:
            scale = ax.get_xscale()
        if scale == "auto":
            scale = usual_scale(self.thresholds[np.isfinite(self.thresholds)])
        marks = [] if self.threshold is None else [self.threshold]
        shown = self.thresholds
        if scale != "linear":
            shown = shown[: _flat_from(self.values.values())]
        return ScoreAxis.over(scale, shown, (*marks, *(self.interval or ())), who)

    def _right_axes(self, ax: Any) -> Any:
        """Return axes at the right if there are shares and others, those of an earlier plot."""
        shares = [_is_share(values) for values in self.values.values()]
        if all(shares) or not any(shares):
            return None
        for other in ax.figure.axes:
            if getattr(other, "imbkit_left", None) is ax:
                return other
        right = ax.twinx()
        right.imbkit_left = ax
        return right

    def _draw_folds(self, ax: Any, axis: ScoreAxis, metric: str, look: dict[str, Any]) -> list[Any]:
        """Draw the curves of single folds."""
        pale = {**look, "alpha": 0.35, "linewidth": 0.8}
        drawn: list[Any] = []
        for own, thresholds, values in self.folds:
            if own == metric:
                x, y = _steps(axis, thresholds, values)
                kept = thin(axis.place(x), y, _FOLD_COLUMNS)
                pale["label"] = "_" if drawn else f"{words(metric)} of {words(self.folds_name)}"
                drawn += ax.plot(x[kept], y[kept], drawstyle="steps-post", zorder=2, **pale)
        return drawn

    def _draw_threshold(self, ax: Any, color: Any, turn: int, whose: str) -> Any:
        """Draw the threshold and its interval."""
        if self.threshold is None:
            return None
        text = f"{whose if turn else ''}threshold {_digits(self.threshold)}"
        look = {"color": color if turn else "black", "linewidth": 1.1, "linestyle": ":"}
        if self.interval is not None:
            low, high = self.interval
            text += f" ({words(self.interval_name)}: {_digits(low)} to {_digits(high)})"
            ax.axvspan(low, high, color=look["color"], alpha=0.1, linewidth=0, zorder=1)
        if not np.isfinite(self.threshold):
            # No place on the axis; the legend still says it.
            text += ", no row is alerted" if self.threshold > 0 else ", every row is alerted"
            return ax.plot([], [], label=text, **look)[0]
        return ax.axvline(self.threshold, label=text, zorder=2.5, **look)

    def _name_axes(self, ax: Any) -> None:
        ax.set_xlabel("Threshold")
        for axes, shares in ((ax, True), (self.ax_right_, False)):
            if axes is None:
                continue
            here = [
                metric
                for metric, values in self.values.items()
                if self.ax_right_ is None or _is_share(values) == shares
            ]
            text = words(", ".join(here), 40) if len(here) <= 2 else "Metric"
            shown = axes.get_ylabel()
            axes.set_ylabel(text if shown in ("", text) else "Metric")


def _values(
    who: str, metrics: Any, scored: Scored, row_values: Mapping[str, ArrayLike] | None
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Return the thresholds and what each metric is at them."""
    rules = _rules(who, metrics)
    if not rules:
        raise InvalidParameterError(message(who, "metrics must name at least one", "none"))
    curves = {name: _curve(who, rule, scored, row_values) for name, rule in rules.items()}
    first = next(iter(curves))
    thresholds = np.asarray(curves[first].thresholds, dtype=float)
    values: dict[str, FloatArray] = {}
    for name, curve in curves.items():
        if not np.array_equal(curve.thresholds, thresholds):
            rule = "metrics drawn together must be about thresholds on the same scores"
            todo = "Draw them one by one"
            raise InvalidParameterError(message(who, rule, listing([first, name]), todo))
        values[name] = _shown(rules[name].measure(1.0) * curve.objective)
    return thresholds, values


def _interval(model: Any, n_folds: int) -> tuple[tuple[float, float] | None, str]:
    """Return the interval of a model's threshold, if it says anything, and its source."""
    sources = [("bootstrap", getattr(model, "bootstrap_interval_", None))]
    if n_folds > 1:
        sources.append(("single folds", model.threshold_interval_))
    for source, interval in sources:
        if interval is not None and np.isfinite(interval).all():
            return (float(interval[0]), float(interval[1])), source
    return None, ""


def _rules(who: str, metrics: Any) -> dict[str, BaseRule]:
    """Return rules by name, of whatever was given as metrics."""
    if isinstance(metrics, Mapping):
        return {str(name): _rule(who, metric) for name, metric in metrics.items()}
    given = list(metrics) if isinstance(metrics, list | tuple) else [metrics]
    rules = [_rule(who, metric) for metric in given]
    names = [rule.name for rule in rules]
    if len(set(names)) < len(names):
        rule, todo = "metrics must have different names", 'Pass a mapping, {"my name": metric}'
        raise InvalidParameterError(message(who, rule, listing(names), todo))
    return dict(zip(names, rules, strict=True))


def _rule(who: str, metric: Any) -> BaseRule:
    try:
        return as_rule(metric)
    except InvalidParameterError as error:
        rule = "metrics must be rules, count metrics, their names, or functions f(tp, fp, fn, tn)"
        # The reason stands behind the name of who complained there.
        todo = str(error).partition("Got ")[2].partition(". ")[2].removesuffix(".")
        raise InvalidParameterError(message(who, rule, shorten(metric), todo)) from None


def _curve(
    who: str, rule: BaseRule, scored: Scored, row_values: Mapping[str, ArrayLike] | None
) -> Curve:
    """Return a rule's objective at every threshold."""
    own: dict[str, AnyArray] = {}
    for name in rule.row_names():
        if name == "tie_keys" and name not in (row_values or {}):
            # Which of several equal rows comes first makes no curve.
            own[name] = np.arange(scored.scores.size, dtype=np.uint64)
            continue
        if name not in (row_values or {}):
            rule_text = f"{type(rule).__name__} needs row_values with the values {name!r}"
            raise DataError(message(who, rule_text, "none of that name"))
        own[name] = np.asarray((row_values or {})[name])
        if own[name].shape != scored.scores.shape:
            rule_text = f"row_values[{name!r}] must hold one value for each row"
            raise DataError(message(who, rule_text, f"shape {own[name].shape}"))
    ready = rule.prepared(scored.positive, **own)
    scores = ready.rescored(scored.scores, **{name: own[name] for name in ready.decision_names()})
    return ready.curve(scored.positive, scores, scored.weight, **own)


def _shown(values: FloatArray) -> FloatArray:
    """Leave a gap where a rule forbids the threshold."""
    return np.where(np.isfinite(values), values, np.nan)


def _steps(
    axis: ScoreAxis, thresholds: FloatArray, values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the corners of a step function, the last step drawn out to the lower end."""
    x = axis.within(np.append(thresholds, -np.inf))
    return x, np.append(values, values[-1])


def _flat_from(curves: Iterable[FloatArray]) -> int:
    """Return the first entry from which on all curves stay as they are at the lower end."""
    last = 2
    for values in curves:
        known = values[np.isfinite(values)]
        if known.size:
            moved = np.abs(values - known[-1]) > _FLAT * np.ptp(known)
            last = max(last, int(np.flatnonzero(moved)[-1]) + 2) if moved.any() else last
    return last


def _is_share(values: FloatArray) -> bool:
    """Whether values may stand on an axis of shares and correlations."""
    known = values[np.isfinite(values)]
    return bool(not known.size or (known.min() >= -1 and known.max() <= 1))


def _digits(value: float) -> str:
    return f"{value:.3g}" if not 0.99 < value < 1 else number_text(round(value, 6))
