"""The only file that touches private names of other libraries.

Each name is imported once, under a public alias, with a line that says why no public name
will do. The tests import them all on the oldest and the newest supported versions.
"""

# The markers below are what scikit-learn's own estimators put into `_parameter_constraints`;
# they have no public home, and estimators without them fail scikit-learn's estimator checks.
# `_fit_context` runs those constraints when `fit` starts and sets up callbacks (1.9).
import typing

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import HasMethods, Hidden, Interval, Options, StrOptions

# The tests read the declared constraints to make one wrong value of each parameter.
from sklearn.utils._param_validation import generate_invalid_param_val as invalid_value

# Functions with parameters check them as the estimators do.
from sklearn.utils._param_validation import validate_parameter_constraints as check_parameters

__all__ = [
    "HasMethods",
    "Hidden",
    "Interval",
    "Options",
    "StrOptions",
    "check_parameters",
    "constraints_of",
    "fit_context",
    "invalid_value",
    "scorer_class",
]


def constraints_of(cls: typing.Any) -> dict[str, list[typing.Any]]:
    """Return the declared constraints of a class, for a subclass that adds some of its own.

    The attribute has no public face, and scikit-learn's own subclasses read it likewise.
    """
    return dict(cls._parameter_constraints)


def scorer_class() -> typing.Any:
    """Return the class of what `make_scorer` makes, which searches and curves ask for.

    It hands the response to the metric, without the classes; only a subclass can see both.
    Imported here, as it comes with all of scikit-learn's metrics.
    """
    from sklearn.metrics._scorer import _Scorer

    return _Scorer
