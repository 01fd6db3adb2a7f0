"""What a parameter may be: scikit-learn's constraint markers and the sets that recur."""

from numbers import Integral
from typing import Any, Final

from imbkit._core.compat import (
    HasMethods,
    Hidden,
    Interval,
    Options,
    StrOptions,
    constraints_of,
)

__all__ = [
    "N_JOBS",
    "RANDOM_STATE",
    "HasMethods",
    "Hidden",
    "Interval",
    "Options",
    "StrOptions",
    "constraints_of",
]

# Lists, as scikit-learn wants them. An estimator adds to one by `[*RANDOM_STATE, ...]`.
N_JOBS: Final[list[Any]] = [None, Integral]
RANDOM_STATE: Final[list[Any]] = ["random_state"]
