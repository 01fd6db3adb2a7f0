"""How the weights of ordered classes grow as the penalty weakens, and which penalty was chosen."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message, require, shorten
from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit.displays._boundaries import (
    boundary_names,
    named_features,
    per_scale,
    read_fitted,
    whole_number,
)
from imbkit.displays._direct_labels import label_ends
from imbkit.displays._style import (
    COLORS,
    GREY,
    axes_for,
    check_choice,
    frozen,
    legend_below,
    line_look,
    number_text,
)
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["RegularizationPathDisplay"]

Show: TypeAlias = Literal["differences", "weights"]

_SHOWS = ("differences", "weights")
_DASHES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 2)))
# So many boundaries have an entry of the legend each; of more, the first and the last.
_MOST_ENTRIES = 6


class RegularizationPathDisplay:
    """Draw the weights of a penalised model of ordered classes against the penalty.

    Choose it to see in which order features enter, where the boundaries between classes part,
    and whether the chosen penalty lies at the end of the grid. The penalty weakens to the
    right. The features that weigh most at the chosen penalty have colours and names, the rest
    is grey. Below stands the score of cross-validation, where there is one. Make it with
    :meth:`from_estimator` or :meth:`from_path`; the constructor takes the plain arrays.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,)
        Penalties, in any order. One of 0 has no place on the axis and is left out, as the
        axis then says.
    coefs : array-like of shape (n_boundaries, n_features, n_alphas)
        Weights for each of them.
    feature_names : sequence of n_features str, default=None
        Names of the features; "x0", "x1", ... if None.
    classes : array-like of shape (n_classes,), default=None
        The classes from first to last, which name the boundaries; they are numbered if None.
    alpha : float, default=None
        The chosen penalty, marked by an upright line.
    scores : array-like of shape (n_alphas, n_folds), default=None
        Scores of cross-validation, larger being better.
    show : {"differences", "weights"}, default="differences"
        "differences" draws the weights of the first boundary, and how far those of each later
        boundary differ from the one before, which is what PRESTO shrinks; "weights" those of
        each boundary as they are.
    n_features : int, default=7
        How many features have a colour and a name.

    Attributes
    ----------
    boundaries : tuple of n_boundaries str
        "y > label" for each boundary.
    drawn : ndarray of shape (n_boundaries, n_features, n_alphas)
        What is drawn, penalties from the strongest to the weakest.
    named : ndarray of int, shape (n_named,)
        Positions of the features with names, the one that weighs most first.
    ax_ : matplotlib Axes
        Where :meth:`plot` drew the weights.
    ax_scores_ : matplotlib Axes or None
        Where it drew the scores.
    figure_ : matplotlib Figure
        The figure around them.

    See Also
    --------
    OrdinalSlopesDisplay : The weights at one penalty.
    imbkit.ordinal.presto_path : Makes the arrays.

    Notes
    -----
    A weight belongs to one unit of its feature; give the features' standard deviations as
    ``scale`` to compare those of different units. The band around the scores is one standard
    error of the mean over folds, which are not independent: read it as a rough guide.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.displays import RegularizationPathDisplay
    >>> alphas, coefs = np.array([0.1, 0.01]), np.zeros((2, 3, 2))
    >>> coefs[:, 1] = [[0.0, 1.0], [0.5, 1.0]]
    >>> display = RegularizationPathDisplay(alphas, coefs, classes=["look", "cart", "buy"])
    >>> display.drawn[:, 1].tolist(), display.named[0].item()
    ([[0.0, 1.0], [0.5, 0.0]], 1)
    """

    def __init__(
        self,
        alphas: ArrayLike,
        coefs: ArrayLike,
        *,
        feature_names: Sequence[str] | None = None,
        classes: ArrayLike | None = None,
        alpha: float | None = None,
        scores: ArrayLike | None = None,
        show: Show = "differences",
        n_features: int = 7,
    ) -> None:
        who = type(self).__name__
        check_choice(who, "show", show, _SHOWS)
        _check_alpha(who, alpha)
        penalties, weights = _read_path(who, alphas, coefs)
        order = np.argsort(-penalties, kind="stable")
        order = order[penalties[order] > 0]
        self._left_out = order.size < penalties.size
        self.alphas: FloatArray = frozen(penalties[order])
        self.coefs: FloatArray = frozen(weights[:, :, order])
        self.features = named_features(who, feature_names, weights.shape[1])
        self.boundaries = boundary_names(who, classes, weights.shape[0])
        self.alpha = alpha
        self.scores: FloatArray | None = None
        if scores is not None:
            self.scores = frozen(_read_scores(who, scores, penalties.size)[order])
        self.show = show
        change = np.diff(self.coefs, axis=0, prepend=0.0)
        self.drawn: FloatArray = frozen(change if show == "differences" else self.coefs)
        self.named: IntArray = frozen(
            self._ranked()[: whole_number(who, "n_features", n_features, 0)], np.intp
        )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        feature_names: Sequence[str] | None = None,
        *,
        show: Show = "differences",
        n_features: int = 7,
        scale: ArrayLike | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "RegularizationPathDisplay":
        """Draw the path of a model that has chosen its penalty by cross-validation.

        Parameters
        ----------
        estimator : estimator
            A fitted PRESTOClassifierCV, or a pipeline that ends in one.
        feature_names : sequence of str, default=None
            Names of the features; None takes the model's, or what the steps before it say.
        show : {"differences", "weights"}, default="differences"
            What is drawn of the boundaries after the first.
        n_features : int, default=7
            How many features have a colour and a name.
        scale : array-like of shape (n_features_in,), default=None
            Multiplies the weights of each feature: with the features' standard deviations
            weights are those of one standard deviation.
        ax : matplotlib Axes or sequence of two, default=None
            Where to draw the weights, and the scores; None for a new figure.
        **kwargs
            Settings of the lines, such as ``linewidth=2``.

        Returns
        -------
        RegularizationPathDisplay
            The display, drawn.

        Raises
        ------
        InvalidParameterError
            If the estimator has kept no path, or a setting is not permitted.
        """
        who = cls.__name__
        fitted = read_fitted(who, estimator, "coefs_path_", feature_names)
        scores: Any = getattr(fitted.model, "cv_scores_", None)
        if np.ndim(scores) == 3:
            # Of several shares of the lasso, those of the chosen one.
            scores = scores[list(fitted.model.l1_ratio).index(fitted.model.l1_ratio_)]
        return cls.from_path(
            fitted.model.alphas_,
            # Kept with the penalties first, as the scores are.
            np.moveaxis(np.asarray(fitted.model.coefs_path_, dtype=float), 0, -1),
            feature_names=fitted.features,
            classes=getattr(fitted.model, "classes_", None),
            alpha=getattr(fitted.model, "alpha_", None),
            scores=scores,
            show=show,
            n_features=n_features,
            scale=scale,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_path(
        cls,
        alphas: ArrayLike,
        coefs: ArrayLike,
        *,
        feature_names: Sequence[str] | None = None,
        classes: ArrayLike | None = None,
        alpha: float | None = None,
        scores: ArrayLike | None = None,
        show: Show = "differences",
        n_features: int = 7,
        scale: ArrayLike | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "RegularizationPathDisplay":
        """Draw a path as :func:`imbkit.ordinal.presto_path` returns it.

        Parameters
        ----------
        alphas : array-like of shape (n_alphas,)
            Penalties, in any order; one of 0 is left out.
        coefs : array-like of shape (n_boundaries, n_features_in, n_alphas)
            Weights for each of them.
        feature_names : sequence of n_features_in str, default=None
            Names of the features; "x0", "x1", ... if None.
        classes : array-like of shape (n_classes,), default=None
            The classes from first to last, which name the boundaries.
        alpha : float, default=None
            The chosen penalty, marked by an upright line.
        scores : array-like of shape (n_alphas, n_folds), default=None
            Scores of cross-validation, larger being better.
        show : {"differences", "weights"}, default="differences"
            What is drawn of the boundaries after the first.
        n_features : int, default=7
            How many features have a colour and a name.
        scale : array-like of shape (n_features_in,), default=None
            Multiplies the weights of each feature.
        ax : matplotlib Axes or sequence of two, default=None
            Where to draw the weights, and the scores; None for a new figure.
        **kwargs
            Settings of the lines, such as ``linewidth=2``.

        Returns
        -------
        RegularizationPathDisplay
            The display, drawn.
        """
        weights = coefs if scale is None else _read_path(cls.__name__, alphas, coefs, scale)[1]
        display = cls(
            alphas,
            weights,
            feature_names=feature_names,
            classes=classes,
            alpha=alpha,
            scores=scores,
            show=show,
            n_features=n_features,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> "RegularizationPathDisplay":
        """Draw the weights, and the scores below them.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of two, default=None
            Where to draw the weights, and the scores. On one Axes the scores are left out;
            None makes a new figure with room for what there is.
        **kwargs
            Settings of the lines, such as ``linewidth=2``.

        Returns
        -------
        RegularizationPathDisplay
            The display itself.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        who = type(self).__name__
        ax, below = self._axes(ax, who)
        self._draw_lines(ax, kwargs)
        lowest = ax if below is None else below
        for axes in (ax, below):
            if axes is not None:
                self._draw_choice(axes, named=axes is ax)
        if below is not None:
            self._draw_scores(below)
        self._name_axes(ax, lowest, who)
        self._name_lines(ax)
        _legend(ax, lowest)
        self.ax_, self.ax_scores_, self.figure_ = ax, below, ax.figure
        return self

    def frame(self) -> Any:
        """Return the path as a table.

        Returns
        -------
        DataFrame
            Columns "alpha", "boundary", "feature", "weight" and "difference" (from the boundary
            before; for the first one the weight itself), and with scores "score" and
            "standard_error", the mean over folds and its error, the same on all rows of an
            alpha; a row for every alpha, boundary and feature, strong penalties first.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        pandas = require("pandas", "compare", type(self).__name__)
        n_boundaries, n_features, n_alphas = self.coefs.shape
        each = n_boundaries * n_features
        change = np.diff(self.coefs, axis=0, prepend=0.0)
        table = {
            "alpha": np.repeat(self.alphas, each),
            "boundary": np.tile(np.repeat(self.boundaries, n_features), n_alphas),
            "feature": np.tile(self.features, n_boundaries * n_alphas),
            "weight": np.moveaxis(self.coefs, -1, 0).ravel(),
            "difference": np.moveaxis(change, -1, 0).ravel(),
        }
        if self.scores is not None:
            mean, error = _mean_and_error(self.scores)
            table |= {"score": np.repeat(mean, each), "standard_error": np.repeat(error, each)}
        return pandas.DataFrame(table)

    def _at(self) -> int:
        """Return the position of the penalty nearest to the chosen one; the weakest if none is."""
        if not self.alpha:
            return self.alphas.size - 1
        return int(np.abs(np.log(self.alphas / self.alpha)).argmin())

    def _ranked(self) -> IntArray:
        """Return the features that ever weigh something, those that weigh most first."""
        largest = np.abs(self.drawn).max(axis=0)
        order = np.lexsort((-largest[:, -1], -largest[:, self._at()]))
        return np.asarray(order[largest.max(axis=1)[order] > 0])

    def _axes(self, ax: Any, who: str) -> tuple[Any, Any]:
        """Return the axes of the weights, and those of the scores if there are any."""
        if np.ndim(ax):
            given = list(np.ravel(ax))
            if len(given) != 2:
                rule = "ax must be one Axes, or two for the weights and the scores"
                raise InvalidParameterError(message(who, rule, f"{len(given):,}"))
            return given[0], given[1] if self.scores is not None else None
        if ax is not None or self.scores is None:
            return axes_for(ax, who), None
        pyplot = require("matplotlib.pyplot", "plot", who)
        _, both = pyplot.subplots(
            2,
            1,
            sharex=True,
            layout="constrained",
            figsize=(6.8, 6.2),
            height_ratios=[5, 2],
        )
        return both[0], both[1]

    def _draw_lines(self, ax: Any, given: dict[str, Any]) -> None:
        """Draw a line for each feature and boundary, those without a name grey and below."""
        colors = {int(j): COLORS[k % len(COLORS)] for k, j in enumerate(self.named)}
        ever = self._ever()
        for j in sorted(range(len(self.features)), key=lambda j: j in colors):
            for k in range(len(self.boundaries)):
                if not ever[k, j]:
                    continue
                look = line_look(
                    given,
                    color=colors.get(j, GREY),
                    alpha=1.0 if j in colors else 0.45,
                    linewidth=1.5 if j in colors else 0.7,
                    linestyle=_DASHES[k % len(_DASHES)],
                    zorder=2.5 if j in colors else 1.8,
                )
                ax.plot(self.alphas, self.drawn[k, j], label="_", **look)
        ax.axhline(0.0, color="black", linewidth=0.8, zorder=1.5)

    def _ever(self) -> BoolArray:
        """Tell which lines ever leave zero, shape (n_boundaries, n_features)."""
        return np.asarray(np.abs(self.drawn).max(axis=-1) > 0)

    def _draw_choice(self, ax: Any, *, named: bool) -> None:
        if self.alpha is None:
            return
        digits = number_text(float(f"{self.alpha:.3g}"))
        if not self.alpha:
            if named:
                ax.plot([], [], color="none", label="chosen penalty 0, off the axis")
            return
        text = "_"
        if named:
            some = np.count_nonzero(self.drawn[:, :, self._at()])
            every = self.drawn[:, :, 0].size
            part = self.show == "differences" and len(self.boundaries) > 1
            what = "weights and differences" if part else "weights"
            text = f"chosen penalty {digits}: {some:,} of {every:,} {what} are not zero"
        ax.axvline(self.alpha, color="black", linewidth=4, alpha=0.22, zorder=1.6, label=text)

    def _draw_scores(self, ax: Any) -> None:
        """Draw the mean score over folds, with a band of one standard error."""
        if self.scores is None:
            return
        mean, error = _mean_and_error(self.scores)
        ax.fill_between(self.alphas, mean - error, mean + error, color=COLORS[0], alpha=0.18)
        ax.plot(self.alphas, mean, color=COLORS[0], linewidth=1.4)
        ax.set_ylabel(f"Score, mean of\n{self.scores.shape[1]:,} folds")

    def _name_axes(self, ax: Any, lowest: Any, who: str) -> None:
        ticker = require("matplotlib.ticker", "plot", who)
        for axes in {ax, lowest}:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(ticker.FuncFormatter(number_text))
            axes.xaxis.set_minor_formatter(ticker.NullFormatter())
            if self.alphas.size > 1 and self.alphas[0] > self.alphas[-1]:
                axes.set_xlim(self.alphas[0], self.alphas[-1])
        off = "; 0 is left out" if self._left_out else ""
        lowest.set_xlabel(f"Penalty (weaker to the right{off})")
        part = self.show == "differences" and len(self.boundaries) > 1
        ax.set_ylabel("Weight, and its differences" if part else "Weight")

    def _name_lines(self, ax: Any) -> None:
        """Write names at the ends of the lines, and what the dashes mean into the legend."""
        ends = self.drawn[:, self.named, -1]
        furthest = np.abs(ends).argmax(axis=0) if self.named.size else np.zeros(0, dtype=int)
        heights = ends[furthest, np.arange(self.named.size)]
        colors = [COLORS[k % len(COLORS)] for k in range(self.named.size)]
        label_ends(ax, heights, [self.features[j] for j in self.named], colors)
        n = len(self.boundaries)
        if n == 1:
            return
        for k in range(n) if n <= _MOST_ENTRIES else (0, n - 1):
            text = self.boundaries[k]
            if self.show == "differences":
                text = f"weight at {text}" if k == 0 else f"difference at {text}"
            style = _DASHES[k % len(_DASHES)]
            ax.plot([], [], color="black", linestyle=style, linewidth=1.3, label=text)


def _legend(ax: Any, lowest: Any) -> None:
    """Draw the legend of the weights below the lowest axes."""
    legend_below(ax) if lowest is ax else legend_below(lowest, ax)


def _mean_and_error(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean over folds, and the standard error of that mean."""
    n = scores.shape[1]
    spread = scores.std(axis=1, ddof=1) if n > 1 else np.zeros(scores.shape[0])
    return scores.mean(axis=1), spread / np.sqrt(n)


def _check_alpha(who: str, alpha: Any) -> None:
    number = isinstance(alpha, Real) and not isinstance(alpha, bool)
    if alpha is not None and not (number and 0 <= float(alpha) < np.inf):
        rule = "alpha must be a number from 0, or None"
        raise InvalidParameterError(message(who, rule, shorten(alpha)))


def _read_path(
    who: str, alphas: ArrayLike, coefs: ArrayLike, scale: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return penalties and weights that fit each other."""
    penalties = np.asarray(alphas, dtype=float)
    shape = np.shape(coefs)
    if penalties.ndim != 1 or len(shape) != 3 or shape[-1] != penalties.size or 0 in shape:
        rule = "coefs must have the shape (n_boundaries, n_features, n_alphas), and alphas its last"
        raise DataError(message(who, rule, f"shapes {shape} and {penalties.shape}"))
    good = (penalties >= 0) & np.isfinite(penalties)
    if not good.all() or not penalties.any():
        rule = "alphas must be finite and not negative, and one above 0"
        got = penalties[~good][0] if not good.all() else 0.0
        raise DataError(message(who, rule, f"{got:.6g}"))
    return penalties, per_scale(who, coefs, scale, 1)


def _read_scores(who: str, scores: ArrayLike, n_alphas: int) -> FloatArray:
    """Return scores, one row a penalty and one column a fold."""
    values: FloatArray = np.asarray(scores, dtype=float)
    if values.ndim != 2 or values.shape[0] != n_alphas or not values.shape[1]:
        rule = f"scores must have one row for each of {n_alphas:,} alphas and one column a fold"
        raise DataError(message(who, rule, f"shape {values.shape}"))
    return values
