"""What classes weigh, and how weights and scores enter the linear system."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, Literal, TypeAlias

import numpy as np

from imbkit._core.constraints import StrOptions
from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, FloatArray
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = [
    "CLASS_WEIGHT",
    "WEIGHTINGS",
    "ClassWeight",
    "Weighting",
    "base_strength",
    "class_factors",
    "entering",
]

ClassWeight: TypeAlias = Mapping[Any, float] | Literal["balanced"] | None
Weighting: TypeAlias = Literal["authors", "squared", "wls"]

WEIGHTINGS = ("authors", "squared", "wls")
CLASS_WEIGHT: list[Any] = [Mapping, StrOptions({"balanced"}), None]


def class_factors(
    class_weight: ClassWeight, classes: AnyArray, mass: FloatArray, who: str
) -> FloatArray:
    """Return the weight of each class, n / n_k if balanced; 0 for a class without rows.

    Parameters
    ----------
    class_weight : mapping, "balanced" or None
        Weights by label, 1 for labels without.
    classes : ndarray of shape (n_classes,)
        The labels.
    mass : ndarray of shape (n_classes,)
        Sum of each class's sample weights.
    who : str
        The class that messages speak for.
    """
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str):
        return np.asarray(np.divide(mass.sum(), mass, out=np.zeros(len(mass)), where=mass > 0))
    known: list[Any] = classes.tolist()
    unknown = [label for label in class_weight if label not in known]
    if unknown:
        rule = f"class_weight must name classes of the target only: {listing(known)}"
        raise DataError(message(who, rule, listing(unknown), "Leave these out"))
    for label, factor in class_weight.items():
        if not (isinstance(factor, Real) and 0 < factor < np.inf):
            rule = "class_weight must be a finite number above 0 for every class"
            got = f"{factor!r} for class {listing([label])}"
            todo = "To do without a class, leave its rows out of X and y"
            raise InvalidParameterError(message(who, rule, got, todo))
    return np.array([float(class_weight.get(label, 1.0)) for label in known])


def base_strength(class_weight: ClassWeight, mass: FloatArray) -> float:
    """Return a C: what the strength of the ridge is at C = 1.

    It is the sum of the classes' 1 / C_k with C_k = C n_min / n_k where they are balanced.
    """
    if not isinstance(class_weight, str) or not mass.any():
        return 1.0
    return float(mass.sum() / mass[mass > 0].min())


def entering(weighting: Weighting, factors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what the Gram matrix and the right side of each class are multiplied by."""
    if weighting == "authors":
        return factors**2, factors
    return (factors, factors) if weighting == "wls" else (factors**2, factors**2)
