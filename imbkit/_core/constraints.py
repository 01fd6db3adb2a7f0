"""What a parameter may be: scikit-learn's constraint markers and the sets that recur."""

from numbers import Integral, Real
from typing import Any, Final

from imbkit._core.compat import HasMethods, Hidden, Interval, Options, StrOptions

__all__ = [
    "N_JOBS",
    "POSITIVE_INTEGER",
    "PROBABILITY",
    "RANDOM_STATE",
    "HasMethods",
    "Hidden",
    "Interval",
    "Options",
    "StrOptions",
]

# Lists, as scikit-learn wants them. An estimator adds to one by `[*RANDOM_STATE, ...]`.
N_JOBS: Final[list[Any]] = [None, Integral]
POSITIVE_INTEGER: Final[list[Any]] = [Interval(Integral, 1, None, closed="left")]
PROBABILITY: Final[list[Any]] = [Interval(Real, 0, 1, closed="both")]
RANDOM_STATE: Final[list[Any]] = ["random_state"]
