"""What fitted models of ordered classes weigh: their features, boundaries and weights by name."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message, shorten
from imbkit._core.types import AnyArray, FloatArray
from imbkit.displays._style import COLORS
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = [
    "Fitted",
    "boundary_colors",
    "boundary_names",
    "named_features",
    "per_scale",
    "read_fitted",
    "whole_number",
]

_EVERY = "every boundary"
# Ends of the colours of the boundaries before the last one, pale to dark.
_PALE, _DARK = (0xA6, 0xCE, 0xE8), (0x0B, 0x3C, 0x66)


class Fitted(NamedTuple):
    """The last step of a fitted model, its class's name, and the names of its features."""

    model: Any
    name: str
    features: tuple[str, ...]


def read_fitted(who: str, estimator: Any, needed: str, names: Sequence[str] | None) -> Fitted:
    """Look for a fitted attribute in an estimator, a pipeline's last step or a search's best."""
    if isinstance(estimator, type):
        rule, todo = "the estimator must be an object, not a class", "Fit one and pass it"
        raise InvalidParameterError(message(who, rule, shorten(estimator), todo))
    outer = getattr(estimator, "best_estimator_", estimator)
    model = outer.steps[-1][1] if hasattr(outer, "steps") else outer
    if not hasattr(model, needed):
        rule = f"the estimator must be fitted and have {needed}"
        raise InvalidParameterError(message(who, rule, shorten(estimator)))
    own: Any = names
    if own is None:
        own = getattr(model, "feature_names_in_", None)
    if own is None and outer is not model:
        own = _names_before(outer)
    n_features = np.shape(getattr(model, needed))[-1]
    return Fitted(model, type(model).__name__, named_features(who, own, n_features))


def named_features(who: str, names: Any, n_features: int) -> tuple[str, ...]:
    """Return the features' names; x0, x1, ... if there are none."""
    if names is None:
        return tuple(f"x{j}" for j in range(n_features))
    listed = [names] if isinstance(names, str) else list(names)
    if len(listed) != n_features:
        rule = f"feature_names must hold one name for each of {n_features:,} features"
        raise InvalidParameterError(message(who, rule, f"{len(listed):,}"))
    return tuple(map(str, listed))


def boundary_names(who: str, classes: Any, n_boundaries: int) -> tuple[str, ...]:
    """Return "y > label" for each boundary; one for all where the weights are shared."""
    if classes is None:
        return tuple(f"boundary {k + 1}" for k in range(n_boundaries))
    labels: list[Any] = np.asarray(classes).tolist()
    if n_boundaries == 1 and len(labels) > 2:
        return (_EVERY,)
    if len(labels) != n_boundaries + 1:
        rule = f"classes must hold {n_boundaries + 1:,} labels, one more than there are boundaries"
        raise InvalidParameterError(message(who, rule, f"{len(labels):,}"))
    return tuple(f"y > {label}" for label in labels[:-1])


def per_scale(who: str, coef: ArrayLike, scale: ArrayLike | None, axis: int) -> FloatArray:
    """Return finite weights, those of each feature times its scale."""
    weights: FloatArray = np.asarray(coef, dtype=np.float64)
    if not np.isfinite(weights).all():
        rule = "the weights must be finite"
        bad = np.count_nonzero(~np.isfinite(weights))
        raise DataError(message(who, rule, f"{bad:,} that are not"))
    if scale is None:
        return weights
    factors = np.asarray(scale, dtype=np.float64)
    n_features = weights.shape[axis]
    if factors.shape != (n_features,) or not (np.isfinite(factors) & (factors >= 0)).all():
        rule = f"scale must hold one number from 0 for each of {n_features:,} features"
        got = f"shape {factors.shape}" if factors.shape != (n_features,) else scale
        raise InvalidParameterError(message(who, rule, got))
    shape = [1] * weights.ndim
    shape[axis] = n_features
    return np.asarray(weights * factors.reshape(shape))


def boundary_colors(n_boundaries: int) -> list[str]:
    """Return a colour for each boundary, from pale to dark; the last one, the rare, stands out."""
    steps = np.linspace(0, 1, max(n_boundaries - 1, 2))
    ramp = np.outer(1 - steps, _PALE) + np.outer(steps, _DARK)
    colors = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in ramp.round().astype(int)]
    return [*colors[-(n_boundaries - 1) :], COLORS[1]] if n_boundaries > 1 else [COLORS[0]]


def whole_number(who: str, name: str, value: Any, least: int) -> int:
    """Return a whole number that is not below `least`, or complain."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InvalidParameterError(
            message(who, f"{name} must be a whole number from {least}", value)
        )
    return int(value)


def _names_before(outer: Any) -> AnyArray | None:
    """Return the names of what a pipeline's last step gets, if its steps can tell."""
    try:
        return np.asarray(outer[:-1].get_feature_names_out())
    except (AttributeError, ValueError, TypeError):
        return None
