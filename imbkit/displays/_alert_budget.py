"""What a number of alerts buys: recall, precision or amount against the budget."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message, require
from imbkit._core.types import FloatArray, IntArray
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
    share_text,
    signed,
    words,
)
from imbkit.displays._thin import thin
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._counts import cumulate_weights

__all__ = ["AlertBudgetDisplay"]

Measure: TypeAlias = Literal["recall", "precision", "amount"]
Unit: TypeAlias = Literal["share", "count"]

_KIND = "alert budget"
_MEASURES = ("recall", "precision", "amount")
_UNITS = ("share", "count")
_AXES = {
    "recall": "Recall (share of the positive rows found)",
    "precision": "Precision (share of the alerts that are right)",
    "amount": "Share of the positive rows' amount",
}
# Between two cut-offs precision bends, and on a logarithmic axis everything does; points
# whose ratio is this draw the bend.
_RATIO = 1.05
_BAND_POINTS = 200


class AlertBudgetDisplay:
    """Draw what a budget of alerts buys: recall, precision or the amount caught.

    Choose it when people can look at so many alerts and no more: it answers how much another
    hundred would find. The axis of alerts is logarithmic, because budgets are small. Make it
    with :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_cv_results`; the
    constructor takes the plain arrays.

    Parameters
    ----------
    alerts : array-like of shape (n_points,)
        Ascending numbers of alerts (their weight, if weighted), up to all rows.
    values : array-like of shape (n_points,)
        The measure for each.
    measure : {"recall", "precision", "amount"}, default="recall"
        What is bought: the share of the positive rows that is found, the share of the alerts
        that is right, or the share of the positive rows' amount that is caught.
    unit : {"share", "count"}, default="share"
        Whether alerts are drawn as a share of the rows or as their number.
    budget : int or float, default=None
        The budget to mark: a whole number of alerts, or a fraction of the rows.
    band : tuple of three array-likes of shape (n_band,), default=None
        Numbers of alerts, and the lower and upper end of an interval at each.
    name : str, default=None
        Whose curve it is, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where :meth:`plot` drew.
    figure_ : matplotlib Figure
        The figure around it.
    line_ : matplotlib Line2D
        The curve.
    chance_line_ : matplotlib Line2D
        What alerts at random would buy.
    budget_line_ : matplotlib Line2D or None
        The upright line at the budget.

    See Also
    --------
    imbkit.metrics.recall_at_budget : The number behind a point of the curve.

    Notes
    -----
    Where a budget ends among rows with equal scores, the value is the expected one over all
    orders of these rows, as in the metrics. The arrays hold every point at which a score
    changes; of many thousands only those are drawn that show at the size of a page.

    The band is drawn where ``n_bootstraps`` is positive: all rows are drawn again with
    replacement, and the quantiles of the measure are taken at each share of alerts.

    Examples
    --------
    >>> from imbkit.displays import AlertBudgetDisplay
    >>> y, scores = [1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.7, 0.1]
    >>> display = AlertBudgetDisplay.from_predictions(y, scores, budget=3)
    >>> display.alerts.tolist(), display.values.tolist()
    ([0.0, 1.0, 2.0, 4.0, 5.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    >>> display.at(3)
    0.75
    """

    def __init__(
        self,
        alerts: ArrayLike,
        values: ArrayLike,
        *,
        measure: Measure = "recall",
        unit: Unit = "share",
        budget: float | None = None,
        band: Sequence[ArrayLike] | None = None,
        name: str | None = None,
    ) -> None:
        who = type(self).__name__
        check_choice(who, "measure", measure, _MEASURES)
        check_choice(who, "unit", unit, _UNITS)
        self.alerts: FloatArray = frozen(alerts)
        self.values: FloatArray = frozen(values)
        self.measure: Measure = measure
        self.unit: Unit = unit
        self.budget = budget
        self.band = None if band is None else tuple(frozen(each) for each in band)
        self.name = name
        fits = self.alerts.ndim == 1 and self.alerts.shape == self.values.shape
        ascends = bool((np.diff(self.alerts) > 0).all())
        if not fits or not self.alerts.size or not ascends or self.alerts[-1] <= 0:
            rule = "alerts must ascend to a number above zero, with one value for each"
            shapes = f"shapes {self.alerts.shape} and {self.values.shape}"
            raise DataError(message(who, rule, shapes))
        if self.band is not None and len({each.shape for each in (*self.band, *self.band)}) > 1:
            rule = "band must hold three arrays of one length"
            raise DataError(message(who, rule, [each.shape for each in self.band]))
        if budget is not None:
            _alerts_of(who, budget, float(self.alerts[-1]))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        measure: Measure = "recall",
        unit: Unit = "share",
        budget: float | None = None,
        amount: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        response_method: Literal["auto", "predict_proba", "decision_function"] = "auto",
        n_bootstraps: int = 0,
        confidence: float = 0.95,
        random_state: int = 0,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "AlertBudgetDisplay":
        """Draw the curve of a fitted estimator on rows that it has not seen.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier of two classes.
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Their labels.
        measure : {"recall", "precision", "amount"}, default="recall"
            What is bought.
        unit : {"share", "count"}, default="share"
            Whether alerts are drawn as a share of the rows or as their number.
        budget : int or float, default=None
            The budget to mark: a whole number of alerts, or a fraction of the rows.
        amount : array-like of shape (n_rows,), default=None
            Non-negative amount of each row, for ``measure="amount"``.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        pos_label : int, float, bool or str, default=None
            The positive class. None takes the estimator's own, or 1 of {0, 1} and {-1, 1}, or
            the rarer label with a warning.
        response_method : {"auto", "predict_proba", "decision_function"}, default="auto"
            Where the scores come from.
        n_bootstraps : int, default=0
            Number of samples behind the band; 0 draws none.
        confidence : float, default=0.95
            Of the band, at each number of alerts by itself.
        random_state : int, default=0
            Seed of the band.
        name : str, default=None
            For the legend; the estimator's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the line, such as ``linewidth=2``.

        Returns
        -------
        AlertBudgetDisplay
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
            name=name,
        )
        look = (measure, unit, budget)
        display = cls._of(scored, look, amount, (n_bootstraps, confidence, random_state))
        return display.plot(ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        measure: Measure = "recall",
        unit: Unit = "share",
        budget: float | None = None,
        amount: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        n_bootstraps: int = 0,
        confidence: float = 0.95,
        random_state: int = 0,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "AlertBudgetDisplay":
        """Draw the curve of given scores.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            Labels of two classes.
        y_score : array-like of shape (n_rows,)
            Scores of the positive class, larger meaning more likely positive.
        measure : {"recall", "precision", "amount"}, default="recall"
            What is bought.
        unit : {"share", "count"}, default="share"
            Whether alerts are drawn as a share of the rows or as their number.
        budget : int or float, default=None
            The budget to mark: a whole number of alerts, or a fraction of the rows.
        amount : array-like of shape (n_rows,), default=None
            Non-negative amount of each row, for ``measure="amount"``.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        pos_label : int, float, bool or str, default=None
            The positive class. None takes 1 of {0, 1} and {-1, 1}, or the rarer label with a
            warning.
        n_bootstraps : int, default=0
            Number of samples behind the band; 0 draws none.
        confidence : float, default=0.95
            Of the band, at each number of alerts by itself.
        random_state : int, default=0
            Seed of the band.
        name : str, default=None
            For the legend.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the line.

        Returns
        -------
        AlertBudgetDisplay
            The display, drawn.
        """
        scored = of_predictions(
            cls.__name__,
            y_true,
            y_score,
            sample_weight=sample_weight,
            pos_label=pos_label,
            name=name,
        )
        look = (measure, unit, budget)
        display = cls._of(scored, look, amount, (n_bootstraps, confidence, random_state))
        return display.plot(ax, **kwargs)

    @classmethod
    def from_cv_results(
        cls,
        model: Any,
        *,
        measure: Literal["recall", "precision"] = "recall",
        unit: Unit = "share",
        budget: float | None = None,
        n_bootstraps: int = 0,
        confidence: float = 0.95,
        random_state: int = 0,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "AlertBudgetDisplay":
        """Draw the curve of the out-of-fold scores that a model has kept.

        Parameters
        ----------
        model : ThresholdClassifierCV
            Fitted with ``store_cv_results=True``. No sample weights and amounts are kept with
            the scores, so every row counts the same.
        measure : {"recall", "precision"}, default="recall"
            What is bought.
        unit : {"share", "count"}, default="share"
            Whether alerts are drawn as a share of the rows or as their number.
        budget : int or float, default=None
            The budget to mark. None takes as many alerts as the model's rule gave.
        n_bootstraps : int, default=0
            Number of samples behind the band; 0 draws none.
        confidence : float, default=0.95
            Of the band, at each number of alerts by itself.
        random_state : int, default=0
            Seed of the band.
        name : str, default=None
            For the legend; the inner estimator's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the line.

        Returns
        -------
        AlertBudgetDisplay
            The display, drawn.

        Raises
        ------
        InvalidParameterError
            If the model has not kept its scores.
        """
        scored = of_cv_results(cls.__name__, model, name=name)
        if budget is None and model.rule_.n_alerts:
            budget = int(model.rule_.n_alerts)
        look = (measure, unit, budget)
        display = cls._of(scored, look, None, (n_bootstraps, confidence, random_state))
        return display.plot(ax, **kwargs)

    def at(self, budget: float) -> float:
        """Return the measure at a budget.

        Parameters
        ----------
        budget : int or float
            A whole number of alerts, or a fraction of the rows.

        Returns
        -------
        float
            The expected value over all orders of tied rows.
        """
        alerts = _alerts_of(type(self).__name__, budget, float(self.alerts[-1]))
        if self.measure != "precision":
            return float(np.interp(alerts, self.alerts, self.values))
        # Right alerts grow evenly among tied rows, their share among the alerts does not.
        hits = np.append(0.0, self.alerts * self.values)
        return float(np.interp(alerts, np.append(0.0, self.alerts), hits) / alerts)

    def plot(
        self, ax: Any = None, *, name: str | None = None, **kwargs: Any
    ) -> "AlertBudgetDisplay":
        """Draw the curve; on axes with such a curve already, beside it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        name : str, default=None
            For the legend; None takes the display's own.
        **kwargs
            Settings of the line, such as ``linewidth=2``.

        Returns
        -------
        AlertBudgetDisplay
            The display itself.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        who = type(self).__name__
        ax = axes_for(ax, who)
        turn = drawn_before(ax, _KIND)
        caption = words(name or self.name or "")
        total = float(self.alerts[-1])
        size = total if self.unit == "share" else 1.0
        drawn = self.alerts > 0
        x, y = self._from_the_first(self.alerts[drawn], self.values[drawn])
        place = np.log(x / x[0]) / np.log(max(total / x[0], 1.0 + 1e-9))
        kept = thin(place, y)
        look = line_look(
            kwargs,
            color=COLORS[turn % len(COLORS)],
            linewidth=1.6,
            label=caption or self.measure,
        )
        (line,) = ax.plot(x[kept] / size, y[kept], zorder=3, **look)
        self.line_ = signed(line, _KIND)
        color = line.get_color()
        if self.band is not None:
            points, low, high = self.band
            ax.fill_between(points / size, low, high, color=color, alpha=0.15, linewidth=0)
        self.chance_line_ = self._draw_chance(ax, x[0], total, size)
        self.budget_line_ = self._draw_budget(ax, color, caption if turn else "", size)
        self._name_axes(ax, x[0] / size, total / size, turn, who)
        legend_below(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def frame(self) -> Any:
        """Return what is drawn as a table.

        Returns
        -------
        DataFrame
            Columns "alerts", "share" (of the rows), the measure's name, and "chance" (the
            same for alerts at random); a row for every point at which a score changes.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = require("pandas", "compare", type(self).__name__)
        share = self.alerts / self.alerts[-1]
        columns = {"alerts": self.alerts, "share": share, self.measure: self.values}
        return pandas.DataFrame({**columns, "chance": self._chance(self.alerts)})

    @classmethod
    def _of(
        cls,
        scored: Scored,
        look: tuple[Measure, Unit, float | None],
        amount: ArrayLike | None,
        bootstrap: tuple[int, float, int],
    ) -> "AlertBudgetDisplay":
        who = cls.__name__
        measure, unit, budget = look
        check_choice(who, "measure", measure, _MEASURES)
        worth = _worth(who, measure, amount, scored)
        n_bootstraps, confidence, seed = bootstrap
        _check_bootstrap(who, n_bootstraps, confidence)
        weight = scored.weights()
        _, tp, fp = cumulate_weights(scored.positive, scored.scores, weight)
        captured = tp
        if worth is not None:
            _, captured, _ = cumulate_weights(scored.positive, scored.scores, weight * worth)
        alerts, values = _measured(who, measure, tp + fp, captured)
        band = None
        if n_bootstraps:
            rng = np.random.default_rng(seed)
            band = _band(scored, measure, worth, n_bootstraps, confidence, rng)
        return cls(
            alerts,
            values,
            measure=measure,
            unit=unit,
            budget=budget,
            band=band,
            name=scored.name,
        )

    def _chance(self, alerts: FloatArray) -> FloatArray:
        """Return what so many alerts at random are expected to buy."""
        last = float(self.values[-1])
        if self.measure == "precision":
            return np.full(alerts.shape, last)
        return np.asarray(last * alerts / self.alerts[-1])

    def _from_the_first(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Let a curve begin at one row, also where more rows than that have the same score."""
        total = float(self.alerts[-1])
        one = 1.0 if total > 1 else min(float(x[0]), total / 100)
        if self.measure == "precision":
            return (np.append(one, x), np.append(y[0], y)) if one < x[0] else (x, y)
        # A straight line is a curve on a logarithmic axis.
        places = _with_bends(np.append(one, x) if one < x[0] else x)
        return places, np.interp(places, np.append(0.0, x), np.append(0.0, y))

    def _draw_chance(self, ax: Any, first: float, total: float, size: float) -> Any:
        places = np.geomspace(first, total, 100)
        values = self._chance(places)
        return reference(
            ax, (places / size).tolist(), values.tolist(), "alerts at random", linestyle="--"
        )

    def _draw_budget(self, ax: Any, color: Any, caption: str, size: float) -> Any:
        """Draw the budget, with a dot where it meets the curve."""
        if self.budget is None:
            return None
        alerts = _alerts_of(type(self).__name__, self.budget, float(self.alerts[-1]))
        value = self.at(self.budget)
        place = alerts / size
        shown = share_text(_rounded(place)) if self.unit == "share" else f"{alerts:,.6g} alerts"
        ax.plot([place], [value], "o", color=color, markersize=6, zorder=4, label="_")
        whose = f"{caption}, " if caption else ""
        text = f"{whose}budget {shown}: {self.measure} {share_text(_rounded(value))}"
        return ax.axvline(place, color=color, linestyle=":", linewidth=1.1, label=text, zorder=2)

    def _name_axes(self, ax: Any, first: float, last: float, turn: int, who: str) -> None:
        ticker = require("matplotlib.ticker", "plot", who)
        share = self.unit == "share"
        ax.set_xscale("log")
        if turn:
            before = ax.get_xlim()
            first, last = min(first, before[0]), max(last, before[1])
        ax.set_xlim(first, last)
        ax.set_ylim(bottom=0.0)
        ax.set_xlabel("Alerts, share of all rows" if share else "Alerts")
        ax.set_ylabel(_AXES[self.measure])
        ax.xaxis.set_major_formatter(ticker.FuncFormatter(share_text if share else number_text))
        ax.xaxis.set_minor_formatter(ticker.NullFormatter())
        ax.yaxis.set_major_formatter(ticker.FuncFormatter(share_text))


def _measured(
    who: str, measure: Measure, alerts: FloatArray, captured: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the points of a curve, and the measure at them."""
    # Rows without weight are no alerts.
    kept = np.append(True, np.diff(alerts) > 0)
    alerts, captured = alerts[kept], captured[kept]
    if measure != "precision":
        if not captured[-1] > 0:
            rule = "the positive rows must have an amount above zero"
            raise DataError(message(who, rule, "0 in all"))
        return alerts, captured / captured[-1]
    places = _with_bends(alerts[1:])
    return places, np.interp(places, alerts, captured) / places


def _with_bends(alerts: FloatArray) -> FloatArray:
    """Put points between alerts that lie far apart, so that a line follows the bend."""
    ratios = alerts[1:] / alerts[:-1]
    wide = np.flatnonzero(ratios > _RATIO**2)
    parts = [alerts]
    for k in wide:
        n = int(np.ceil(np.log(ratios[k]) / np.log(_RATIO)))
        parts.append(np.geomspace(alerts[k], alerts[k + 1], n + 1)[1:-1])
    return np.unique(np.concatenate(parts))


def _band(
    scored: Scored,
    measure: Measure,
    worth: FloatArray | None,
    n_bootstraps: int,
    confidence: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return alerts, and quantiles of the measure over samples of the rows."""
    n = scored.scores.size
    order = np.argsort(scored.scores, kind="stable")[::-1]
    ranked = scored.scores[order]
    last: IntArray = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), n - 1)
    weight = scored.weights()[order]
    value = weight if worth is None else weight * worth[order]
    value = np.where(scored.positive[order], value, 0.0)
    shares = np.geomspace(1 / n, 1.0, _BAND_POINTS)
    lines = np.full((n_bootstraps, shares.size), np.nan)
    for line in lines:
        times = np.bincount(rng.integers(0, n, size=n), minlength=n)
        alerts = np.append(0.0, np.cumsum(times * weight)[last])
        captured = np.append(0.0, np.cumsum(times * value)[last])
        places = shares * alerts[-1]
        if captured[-1] > 0:
            whole = places if measure == "precision" else captured[-1]
            line[:] = np.interp(places, alerts, captured) / whole
    known = lines[~np.isnan(lines[:, 0])]
    if not known.size:
        gaps = np.full(shares.size, np.nan)
        return shares * weight.sum(), gaps, gaps
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return shares * weight.sum(), low, high


def _worth(
    who: str, measure: Measure, amount: ArrayLike | None, scored: Scored
) -> FloatArray | None:
    """Return the rows' amounts where they are measured."""
    if measure != "amount":
        if amount is not None:
            rule = "amount has a meaning for measure='amount' only"
            raise InvalidParameterError(message(who, rule, f"measure={measure!r}"))
        return None
    if amount is None:
        raise InvalidParameterError(message(who, "measure='amount' needs amount=", "none"))
    worth = np.asarray(amount, dtype=float)
    if worth.shape != scored.scores.shape:
        rule = f"amount must hold one number for each of the {scored.scores.size:,} rows"
        raise DataError(message(who, rule, f"shape {worth.shape}"))
    if not (np.isfinite(worth) & (worth >= 0)).all():
        rule = "amount must be finite and not negative"
        bad = np.count_nonzero(~(np.isfinite(worth) & (worth >= 0)))
        raise DataError(message(who, rule, f"{bad:,} bad values"))
    return worth


def _check_bootstrap(who: str, n_bootstraps: object, confidence: object) -> None:
    whole = isinstance(n_bootstraps, Integral) and not isinstance(n_bootstraps, bool)
    if not whole or n_bootstraps < 0:  # type: ignore[operator]
        rule = "n_bootstraps must be a whole number, 0 for no band"
        raise InvalidParameterError(message(who, rule, n_bootstraps))
    number = isinstance(confidence, Real) and not isinstance(confidence, bool)
    if not number or not 0 < confidence < 1:  # type: ignore[operator]
        rule = "confidence must be between 0 and 1, ends excluded"
        raise InvalidParameterError(message(who, rule, confidence))


def _alerts_of(who: str, budget: object, total: float) -> float:
    """Return a budget as a number of alerts."""
    number = isinstance(budget, Real) and not isinstance(budget, bool)
    if not number or not budget > 0:  # type: ignore[operator]
        rule = "budget must be a number of alerts from 1, or a share of the rows above 0.0"
        raise InvalidParameterError(message(who, rule, budget))
    share = not isinstance(budget, Integral)
    if share and budget > 1:  # type: ignore[operator]
        rule = "budget as a share of the rows must not be above 1.0"
        todo = "Give a number of alerts as a whole number"
        raise InvalidParameterError(message(who, rule, budget, todo))
    alerts = float(budget) * total if share else float(budget)  # type: ignore[arg-type]
    if alerts > total:
        rule = "budget must not be above the number of rows (their weight, if weighted)"
        raise DataError(message(who, rule, f"{budget} alerts and {total:,.15g} rows"))
    return alerts


def _rounded(share: float) -> float:
    """Round to three digits, so that a legend is short."""
    return float(f"{share:.3g}")
