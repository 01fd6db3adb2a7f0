"""Are probabilities right: the share of positive rows against the probability, bin by bin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message, require
from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit.displays._inputs import Scored, of_cv_results, of_estimator, of_predictions
from imbkit.displays._intervals import bootstrap_shares, wilson
from imbkit.displays._style import (
    COLORS,
    MARKERS,
    axes_for,
    check_choice,
    drawn_before,
    frozen,
    legend_below,
    line_look,
    reference,
    share_text,
    signed,
    words,
)
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["ReliabilityDisplay"]

_KIND = "reliability"
_SCALES = ("auto", "linear", "log")
_INTERVALS = ("wilson", "bootstrap", None)
# A class that is rarer than this is looked at in detail, and on log axes.
_RARE = 0.05
# The tail holds so many positive rows for each row of it if probabilities are sharp, and each
# of its bins so many rows at least.
_TAIL, _FEWEST = 5.0, 20
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class _How:
    """How rows are put into bins, and how bars are computed."""

    n_bins: int
    tail: float | Literal["auto"] | None
    interval: Literal["wilson", "bootstrap"] | None
    confidence: float
    n_bootstraps: int
    random_state: int

    def check(self, who: str) -> None:
        """Refuse settings that no data could make valid."""
        for name, value in (("n_bins", self.n_bins), ("n_bootstraps", self.n_bootstraps)):
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                raise InvalidParameterError(
                    message(who, f"{name} must be a whole number from 1", value)
                )
        for name, share in (("confidence", self.confidence), ("tail", self.tail)):
            if share is None or (name == "tail" and share == "auto"):
                continue
            number = isinstance(share, Real) and not isinstance(share, bool)
            if not number or not 0 < share < 1:  # type: ignore[operator]
                raise InvalidParameterError(
                    message(who, f"{name} must be between 0 and 1, ends excluded", share)
                )
        check_choice(who, "interval", self.interval, _INTERVALS)  # type: ignore[arg-type]


class ReliabilityDisplay:
    """Draw the share of positive rows against the mean probability, in bins of equal mass.

    Choose it to see whether probabilities can be believed, for instance before and after they
    were repaired. Where a class is rare, nearly all rows lie in a corner that equally wide
    bins and linear axes hide; here each bin holds the same weight of rows, the rows with the
    highest probabilities are binned once more, and the axes are logarithmic. Make it with
    :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_cv_results`; the constructor
    takes the plain arrays.

    Parameters
    ----------
    predicted : array-like of shape (n_bins,)
        Mean probability of each bin, weighted.
    observed : array-like of shape (n_bins,)
        Share of positive rows in it, weighted.
    low, high : array-like of shape (n_bins,), default=None
        Ends of the bars; None for no bars.
    rows : array-like of shape (n_bins,), default=None
        How many rows are in each bin.
    weight : array-like of shape (n_bins,), default=None
        Their weight; the number of rows if None.
    tail : array-like of bool, shape (n_bins,), default=None
        Which bins lie in the tail that is shown in detail.
    series : array-like of str, shape (n_bins,), default=None
        The set of probabilities to which each bin belongs, if there are several.
    scale : {"auto", "linear", "log"}, default="auto"
        Both axes'. "auto" takes "log" where less than 5 % of the weight is positive.
    labels : tuple of two objects, default=None
        The negative class and the positive one, for the text of the axes.
    name : str, default=None
        Whose probabilities they are, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where :meth:`plot` drew.
    figure_ : matplotlib Figure
        The figure around it.
    lines_ : list of matplotlib Line2D
        The points of each series with the line through them.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : Without bars, equal weights and log axes.
    ScoreSeparationDisplay : The scores of both classes.

    Notes
    -----
    Rows with equal probabilities stay in one bin, the one in which the middle of their weight
    lies, so that bins do not depend on the order of the rows; with many such rows masses
    differ, and empty bins are left out. Wilson's interval uses the effective number of rows of
    a bin, (sum of w)^2 / sum of w^2. It is no statement about bins that other data would have.

    On log axes a share of 0 has no place: its marker, hollow, stands on the lower edge, and
    its bar goes up to the end of its interval. Probabilities smaller than the rows of a bin
    can tell from 0 stand at the left edge.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22, 1927,
    doi:10.1080/01621459.1927.10502953.

    A. Niculescu-Mizil, R. Caruana, "Predicting good probabilities with supervised learning",
    ICML, 2005, doi:10.1145/1102351.1102430.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.displays import ReliabilityDisplay
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.beta(0.5, 20.0, size=5000)
    >>> y = rng.random(5000) < truth
    >>> sets = {"before": truth**0.5, "after": truth}
    >>> display = ReliabilityDisplay.from_predictions(y, sets, n_bins=5, tail=0.1)
    >>> display.rows[:10].tolist()
    [900, 900, 900, 900, 900, 100, 100, 100, 100, 100]
    """

    def __init__(
        self,
        predicted: ArrayLike,
        observed: ArrayLike,
        *,
        low: ArrayLike | None = None,
        high: ArrayLike | None = None,
        rows: ArrayLike | None = None,
        weight: ArrayLike | None = None,
        tail: ArrayLike | None = None,
        series: Sequence[str] | None = None,
        scale: Literal["auto", "linear", "log"] = "auto",
        labels: tuple[Any, Any] | None = None,
        name: str | None = None,
    ) -> None:
        who = type(self).__name__
        check_choice(who, "scale", scale, _SCALES)
        self.predicted: FloatArray = frozen(predicted)
        n = self.predicted.size
        gaps = np.full(n, np.nan)
        self.observed: FloatArray = frozen(observed)
        self.low: FloatArray = frozen(gaps if low is None else low)
        self.high: FloatArray = frozen(gaps if high is None else high)
        self.rows: IntArray = frozen(np.ones(n) if rows is None else rows, np.intp)
        self.weight: FloatArray = frozen(self.rows if weight is None else weight)
        self.tail: BoolArray = frozen(np.zeros(n) if tail is None else tail, bool)
        self.series = frozen([""] * n if series is None else list(series), object)
        self.scale = scale
        self.labels = labels
        self.name = name
        for what in ("observed", "low", "high", "rows", "weight", "tail", "series"):
            shape = getattr(self, what).shape
            if shape != (n,):
                rule = f"{what} must have one entry for each of {n:,} bins"
                raise DataError(message(who, rule, f"shape {shape}"))
        shares = np.concatenate([self.predicted, self.observed])
        if not n or not ((shares >= 0) & (shares <= 1)).all():
            rule = "predicted and observed must hold shares between 0 and 1, at least one"
            raise DataError(message(who, rule, shares[:5].tolist()))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        *,
        n_bins: int = 10,
        tail: float | Literal["auto"] | None = "auto",
        interval: Literal["wilson", "bootstrap"] | None = "wilson",
        confidence: float = 0.95,
        n_bootstraps: int = 200,
        random_state: int = 0,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        scale: Literal["auto", "linear", "log"] = "auto",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ReliabilityDisplay":
        """Draw the reliability of a fitted estimator's probabilities on rows it has not seen.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier of two classes with ``predict_proba``.
        X : {array-like, sparse matrix, frame} of shape (n_rows, n_features)
            Rows.
        y : array-like of shape (n_rows,)
            Their labels.
        n_bins : int, default=10
            Number of bins, and once more as many for the tail.
        tail : float, None or "auto", default="auto"
            Share of the rows, those with the highest probabilities, that is binned by itself.
            "auto" takes five times the share of positive rows where that share is below 5 %,
            at least 20 rows a bin, and nothing if that were more than a quarter of all rows;
            None has no tail.
        interval : {"wilson", "bootstrap"} or None, default="wilson"
            How the bars are computed; None draws none.
        confidence : float, default=0.95
            Of the bars.
        n_bootstraps : int, default=200
            How often the rows of each bin are drawn again.
        random_state : int, default=0
            Seed of the bootstrap.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        pos_label : int, float, bool or str, default=None
            The positive class. None takes the estimator's own, or 1 of {0, 1} and {-1, 1}, or
            the rarer label with a warning.
        scale : {"auto", "linear", "log"}, default="auto"
            Both axes'.
        name : str, default=None
            For the legend; the estimator's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the lines, such as ``markersize=8``.

        Returns
        -------
        ReliabilityDisplay
            The display, drawn.
        """
        how = _How(n_bins, tail, interval, confidence, n_bootstraps, random_state)
        scored = of_estimator(
            cls.__name__,
            estimator,
            X,
            y,
            sample_weight=sample_weight,
            pos_label=pos_label,
            response_method="predict_proba",
            name=name,
        )
        return cls._of({"": scored}, how, scale, scored.name).plot(ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike | Mapping[str, ArrayLike],
        *,
        n_bins: int = 10,
        tail: float | Literal["auto"] | None = "auto",
        interval: Literal["wilson", "bootstrap"] | None = "wilson",
        confidence: float = 0.95,
        n_bootstraps: int = 200,
        random_state: int = 0,
        sample_weight: ArrayLike | None = None,
        pos_label: Any = None,
        scale: Literal["auto", "linear", "log"] = "auto",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ReliabilityDisplay":
        """Draw the reliability of one or more sets of probabilities of the same rows.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            Labels of two classes.
        y_prob : array-like of shape (n_rows,), or mapping of str to such
            Probabilities of the positive class; several sets under their names, such as
            ``{"before": ..., "after": ...}``, stand in one picture.
        n_bins : int, default=10
            Number of bins, and once more as many for the tail.
        tail : float, None or "auto", default="auto"
            Share of the rows, those with the highest probabilities, that is binned by itself.
            "auto" takes five times the share of positive rows where that share is below 5 %,
            at least 20 rows a bin, and nothing if that were more than a quarter of all rows;
            None has no tail.
        interval : {"wilson", "bootstrap"} or None, default="wilson"
            How the bars are computed; None draws none.
        confidence : float, default=0.95
            Of the bars.
        n_bootstraps : int, default=200
            How often the rows of each bin are drawn again.
        random_state : int, default=0
            Seed of the bootstrap.
        sample_weight : array-like of shape (n_rows,), default=None
            Non-negative weights.
        pos_label : int, float, bool or str, default=None
            The positive class. None takes 1 of {0, 1} and {-1, 1}, or the rarer label with a
            warning.
        scale : {"auto", "linear", "log"}, default="auto"
            Both axes'.
        name : str, default=None
            For the legend.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the lines.

        Returns
        -------
        ReliabilityDisplay
            The display, drawn.
        """
        how = _How(n_bins, tail, interval, confidence, n_bootstraps, random_state)
        sets = y_prob if isinstance(y_prob, Mapping) else {"": y_prob}
        scored = {
            str(key): of_predictions(
                cls.__name__, y_true, each, sample_weight=sample_weight, pos_label=pos_label
            )
            for key, each in sets.items()
        }
        return cls._of(scored, how, scale, name).plot(ax, **kwargs)

    @classmethod
    def from_cv_results(
        cls,
        model: Any,
        *,
        n_bins: int = 10,
        tail: float | Literal["auto"] | None = "auto",
        interval: Literal["wilson", "bootstrap"] | None = "wilson",
        confidence: float = 0.95,
        n_bootstraps: int = 200,
        random_state: int = 0,
        scale: Literal["auto", "linear", "log"] = "auto",
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ReliabilityDisplay":
        """Draw the reliability of the out-of-fold probabilities that a model has kept.

        Parameters
        ----------
        model : ThresholdClassifierCV
            Fitted with ``store_cv_results=True`` on probabilities. No sample weights are kept
            with them, so every row counts the same.
        n_bins : int, default=10
            Number of bins, and once more as many for the tail.
        tail : float, None or "auto", default="auto"
            Share of the rows that is binned by itself; see :meth:`from_predictions`.
        interval : {"wilson", "bootstrap"} or None, default="wilson"
            How the bars are computed; None draws none.
        confidence : float, default=0.95
            Of the bars.
        n_bootstraps : int, default=200
            How often the rows of each bin are drawn again.
        random_state : int, default=0
            Seed of the bootstrap.
        scale : {"auto", "linear", "log"}, default="auto"
            Both axes'.
        name : str, default=None
            For the legend; the inner estimator's class if None.
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        **kwargs
            Settings of the lines.

        Returns
        -------
        ReliabilityDisplay
            The display, drawn.

        Raises
        ------
        InvalidParameterError
            If the model has not kept its scores.
        """
        how = _How(n_bins, tail, interval, confidence, n_bootstraps, random_state)
        scored = of_cv_results(cls.__name__, model, name=name)
        return cls._of({"": scored}, how, scale, scored.name).plot(ax, **kwargs)

    def plot(
        self, ax: Any = None, *, name: str | None = None, **kwargs: Any
    ) -> "ReliabilityDisplay":
        """Draw the bins; on axes with such a display already, beside it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None for a new figure.
        name : str, default=None
            For the legend; None takes the display's own.
        **kwargs
            Settings of the lines, such as ``markersize=8``.

        Returns
        -------
        ReliabilityDisplay
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
        low, high = self._ends(ax, scale, turn)
        self.lines_: list[Any] = []
        for series in dict.fromkeys(self.series.tolist()):
            k = turn + len(self.lines_)
            texts = [text for text in (caption, words(series)) if text]
            look = line_look(
                kwargs,
                color=COLORS[k % len(COLORS)],
                marker=MARKERS[k % len(MARKERS)],
                markersize=5.0,
                linewidth=1.0,
                label=": ".join(texts) or "probabilities",
            )
            line = self._draw(ax, self.series == series, look, low if scale == "log" else 0.0)
            self.lines_.append(signed(line, _KIND))
        reference(ax, [1e-12, 1.0], [1e-12, 1.0], "right probabilities")
        ax.set(xscale=scale, yscale=scale, xlim=(low, high), ylim=(low, high))
        self._name_axes(ax, scale, who)
        legend_below(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def frame(self) -> Any:
        """Return what is drawn as a table.

        Returns
        -------
        DataFrame
            Columns "series", "predicted", "observed", "low", "high", "rows", "weight" and
            "tail"; a row for every bin.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = require("pandas", "compare", type(self).__name__)
        names = ("series", "predicted", "observed", "low", "high", "rows", "weight", "tail")
        return pandas.DataFrame({name: getattr(self, name) for name in names})

    @classmethod
    def _of(
        cls,
        sets: Mapping[str, Scored],
        how: _How,
        scale: Literal["auto", "linear", "log"],
        name: str | None,
    ) -> "ReliabilityDisplay":
        how.check(cls.__name__)
        if not sets:
            rule = "y_prob must hold one set of probabilities or more"
            raise DataError(message(cls.__name__, rule, "none"))
        parts = [_bins(cls.__name__, scored.weighted_rows(), how) for scored in sets.values()]
        columns = {
            key: np.concatenate([np.asarray(part[key]) for part in parts]) for key in parts[0]
        }
        series = np.repeat(list(sets), [part["predicted"].size for part in parts])
        labels = next(iter(sets.values())).labels
        return cls(**columns, series=series.tolist(), scale=scale, labels=labels, name=name)

    def _scale(self, ax: Any, turn: int) -> str:
        """Return the axes' scale; a second display follows the first."""
        if self.scale != "auto":
            return self.scale
        if turn:
            return str(ax.get_xscale())
        overall = float((self.weight * self.observed).sum() / self.weight.sum())
        return "log" if 0 < overall < _RARE else "linear"

    def _ends(self, ax: Any, scale: str, turn: int) -> tuple[float, float]:
        """Return the ends of both axes: on log axes nothing finer than part of a row."""
        if scale != "log":
            return -0.02, 1.02
        shares = np.concatenate([self.predicted, self.observed])
        finest = max(0.3 / float(self.rows.max()), _LEAST)
        low = max(0.6 * float(shares[shares > 0].min(initial=1.0)), finest)
        high = 1.6 * float(np.nanmax(np.append(shares, self.high)))
        if turn and ax.get_xscale() == "log":
            before = ax.get_xlim()
            low, high = min(low, before[0]), max(high, before[1])
        return low, min(high, 1.3)

    def _draw(self, ax: Any, own: BoolArray, look: dict[str, Any], floor: float) -> Any:
        """Draw the bins of one series."""
        x = np.maximum(self.predicted[own], floor)
        y = self.observed[own]
        order = np.argsort(self.predicted[own], kind="stable")
        shown = np.maximum(y, floor)
        lowest = (y <= 0) & (floor > 0)
        # What stands on the edge for want of a place is not joined to the others.
        joined = np.where(lowest, np.nan, shown)
        (line,) = ax.plot(x[order], joined[order], zorder=3, **look)
        color = line.get_color()
        low, high = self.low[own], self.high[own]
        if np.isfinite(high).any():
            low = np.maximum(low, floor * 1e-3)
            ax.vlines(x, low, high, color=color, linewidth=0.9, alpha=0.7, zorder=2.5)
        if lowest.any():
            ax.plot(
                x[lowest],
                shown[lowest],
                linestyle="none",
                marker=look["marker"],
                markersize=look["markersize"],
                markerfacecolor="white",
                markeredgecolor=color,
                label="_",
                clip_on=False,
                zorder=4,
            )
        return line

    def _name_axes(self, ax: Any, scale: str, who: str) -> None:
        ticker = require("matplotlib.ticker", "plot", who)
        what = "positive rows" if self.labels is None else f"class {words(self.labels[1], 30)}"
        ax.set(xlabel=f"Mean probability of {what}", ylabel=f"Share of {what}")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(ticker.FuncFormatter(share_text))
            if scale == "log":
                axis.set_minor_formatter(ticker.NullFormatter())
        ax.set_aspect("equal", adjustable="box")


def _bins(who: str, scored: Scored, how: _How) -> dict[str, Any]:
    """Put rows into bins; return the arrays of a display."""
    if scored.scores.min() < 0 or scored.scores.max() > 1:
        rule = "probabilities must lie between 0 and 1"
        got = f"{scored.scores.min():.4g} to {scored.scores.max():.4g}"
        raise DataError(message(who, rule, got, "Use the column of predict_proba"))
    order = np.argsort(scored.scores, kind="stable")
    p, positive, w = scored.scores[order], scored.positive[order], scored.weights()[order]
    tail = _tail_share(how, float(w[positive].sum() / w.sum()), p.size)
    code = _codes(p, w, how.n_bins, tail)
    starts = np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
    rows = np.diff(np.append(starts, p.size))
    weight = np.add.reduceat(w, starts)
    predicted = np.clip(np.add.reduceat(w * p, starts) / weight, p[starts], p[starts + rows - 1])
    observed = np.minimum(np.add.reduceat(np.where(positive, w, 0.0), starts) / weight, 1.0)
    low = high = np.full(starts.size, np.nan)
    if how.interval == "wilson":
        effective = weight**2 / np.add.reduceat(w**2, starts)
        low, high = wilson(observed, effective, how.confidence)
    elif how.interval == "bootstrap":
        rng = np.random.default_rng(how.random_state)
        low, high = bootstrap_shares(positive, w, starts, how.confidence, how.n_bootstraps, rng)
    return {
        "predicted": predicted,
        "observed": observed,
        "low": low,
        "high": high,
        "rows": rows,
        "weight": weight,
        "tail": code[starts] >= how.n_bins,
    }


def _tail_share(how: _How, prevalence: float, n_rows: int) -> float:
    """Return the share of the rows that is binned by itself; 0 for none."""
    if how.tail is None:
        return 0.0
    if how.tail != "auto":
        return float(how.tail)
    # Bins of a few rows each would show nothing.
    tail = max(_TAIL * prevalence, _FEWEST * how.n_bins / n_rows)
    return tail if prevalence < _RARE and tail <= 0.25 else 0.0


def _codes(p: FloatArray, w: FloatArray, n_bins: int, tail: float) -> IntArray:
    """Return the bin of each row; `p` ascends, and equal values stay together."""
    first = np.flatnonzero(np.concatenate(([True], p[1:] != p[:-1])))
    group = np.add.reduceat(w, first)
    upper = np.cumsum(group)
    middle = (upper - group / 2) / upper[-1]
    bulk = np.floor(middle / (1 - tail) * n_bins)
    code = np.minimum(bulk, n_bins - 1)
    if tail:
        inside = middle - (1 - tail)
        fine = n_bins + np.minimum(np.floor(inside / tail * n_bins), n_bins - 1)
        code = np.where(inside >= 0, fine, code)
    return np.repeat(code.astype(np.intp), np.diff(np.append(first, p.size)))
