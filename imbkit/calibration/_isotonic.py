"""A staircase: isotonic calibration, with a guard against too few rows."""

from numbers import Integral
from typing import cast

import numpy as np
from sklearn.isotonic import IsotonicRegression

from imbkit._core.card import Card
from imbkit._core.constraints import Interval
from imbkit._core.messages import message
from imbkit._core.types import FloatArray, IntArray
from imbkit._core.warn import warn
from imbkit.calibration._base import BaseCalibrator
from imbkit.calibration._one_against_rest import joined, pairs, truths
from imbkit.exceptions import SmallClassWarning

__all__ = ["IsotonicCalibrator"]


class IsotonicCalibrator(BaseCalibrator):
    """Fit a non-decreasing step curve.

    Choose it with many rows of every class and a curve that no sigmoid follows. It assumes
    nothing but order, so with few rows of a class it learns their noise; it makes ties, and
    gives probabilities of exactly 0 and 1, which the log-loss punishes without limit.

    Parameters
    ----------
    min_positives : int, default=200
        With fewer rows of a class, a warning names the calibrators to use instead.

    Attributes
    ----------
    curves_ : list of sklearn.isotonic.IsotonicRegression
        One for two classes, else one a class.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.

    See Also
    --------
    BetaCalibrator : A smooth curve of three parameters.
    SigmoidCalibrator : A smooth curve of two, for the fewest rows.

    Notes
    -----
    scikit-learn's IsotonicRegression: the non-decreasing function of least weighted squares,
    interpolated between the rows and constant beyond them. More than two classes: a map for
    each class against the rest, then each row is divided by its sum; a row that all maps send
    to 0 stays as it was. The bound of 200 rows is imbkit's own choice. A row of weight 0 is no
    row.

    O(n log n) a class.

    References
    ----------
    B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability
    estimates", KDD 2002, 694-699, doi:10.1145/775047.775151.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.calibration import IsotonicCalibrator
    >>> rng = np.random.default_rng(0)
    >>> p = rng.beta(0.5, 5.0, size=20_000)
    >>> y = rng.random(20_000) < p
    >>> model = IsotonicCalibrator().fit(np.sqrt(p), y)
    >>> after = model.predict_proba(np.sqrt(p))[:, 1]
    >>> print(f"{np.abs(np.sqrt(p) - p).mean():.2f} {np.abs(after - p).mean():.2f}")
    0.16 0.01
    """

    card = Card(paper="Zadrozny & Elkan (2002), doi:10.1145/775047.775151")

    _parameter_constraints = {"min_positives": [Interval(Integral, 0, None, closed="left")]}

    def __init__(self, min_positives: int = 200) -> None:
        self.min_positives = min_positives

    def _fit_map(
        self, probabilities: FloatArray, codes: IntArray, weight: FloatArray | None
    ) -> None:
        """Fit a curve for each class, or one for two classes."""
        n_classes = probabilities.shape[1]
        # A row of weight 0 must not become the end of a curve.
        there = np.ones(codes.size, dtype=bool) if weight is None else weight > 0
        self._warn_if_few(np.bincount(codes[there], minlength=n_classes))
        weight = None if weight is None else weight[there]
        self.curves_ = [
            IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(
                p[there], truth[there].astype(float), sample_weight=weight
            )
            for (p, _), truth in zip(pairs(probabilities), truths(codes, n_classes), strict=True)
        ]

    def _map(self, probabilities: FloatArray) -> FloatArray:
        """Apply the curves."""
        maps = [lambda p, rest, curve=curve: _at(curve, p) for curve in self.curves_]
        return joined(probabilities, maps)

    def _warn_if_few(self, counts: IntArray) -> None:
        """Say that a class has too few rows for a staircase."""
        least = int(counts.argmin())
        if counts[least] >= self.min_positives:
            return
        rule = f"isotonic calibration should have {self.min_positives:,} rows of each class"
        got = f"{counts[least]:,} of class {self.classes_.tolist()[least]!r}"
        todo = "Use SigmoidCalibrator ('sigmoid') or, from some hundred rows on, "
        todo += "BetaCalibrator ('beta') instead"
        warn(message(type(self).__name__, rule, got, todo), SmallClassWarning)


def _at(curve: IsotonicRegression, p: FloatArray) -> FloatArray:
    """Value of a curve."""
    return cast(FloatArray, curve.predict(p))
