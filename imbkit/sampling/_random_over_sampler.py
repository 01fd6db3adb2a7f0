"""Repeat rows of the rare classes at random, if asked with a little noise."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from imblearn.over_sampling import RandomOverSampler as _Original
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils.sparsefuncs import mean_variance_axis

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit._core.containers import Rows
from imbkit._core.messages import listing, message
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, FloatArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.sampling._growing import GROWING, GrowingSampler, even_rows, joined
from imbkit.sampling._table import numeric_matrix, sparse_like

__all__ = ["RandomOverSampler"]


class RandomOverSampler(GrowingSampler, _Original):
    """Repeat rows of the rare classes at random.

    The cheapest over-sampler, for columns of any kind; class weights say the same to a learner
    that takes them, without the additional rows. With `shrinkage`, noise is put on numeric
    columns (smoothed bootstrap, ROSE).

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow by how much. A ratio in (0, 1] of the rare class to the other one
        (two classes); ``"minority"``, ``"not minority"``, ``"not majority"``, ``"all"``, or
        ``"auto"`` for ``"not majority"``: up to the largest class; a dictionary
        class -> rows in the end (integer) or ratio to the largest class (float in (0, 1]); or
        a callable that takes `y` and returns one of these.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.
    shrinkage : float, dict or None, default=None
        Width of the noise, in units of the rule-of-thumb bandwidth: one for all classes or a
        dictionary class -> width; 0 for none. None copies rows of any kind.
    allocation : {"random", "even"}, default="random"
        Whether rows are drawn at random, or each is repeated as often as any other.
    integer_features : None, "auto" or sequence of int or str, default=None
        Columns of floats in which noisy values are rounded; ``"auto"`` for those that hold
        whole numbers only. Columns of an integer dtype always are.
    bounds : None, "observed" or dict, default=None
        Columns in which noisy values are clipped: column -> (low, high), None for an open end;
        ``"observed"`` for the range of every column.
    companion_policy : str, float, callable or dict, default=None
        Companions of noisy rows: ``"base"``, a constant, or
        ``f(base_values, mate_values, step)``; one for all, or a dictionary from their names.
        None takes them from the base row. Copied rows always keep their own.
    missing_classes : {"raise", "ignore"}, default="raise"
        What to do about a class in `sampling_strategy` that the data lacks, as in a fold of
        cross-validation.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class -> rows to make, sorted by class.
    sample_indices_ : ndarray of int, shape (n_out,)
        All rows in their order, then the row that each new one repeats.
    shrinkage_ : dict or None
        Class -> width of the noise.
    parents_ : ndarray of int, shape (n_out, 2)
        The same row twice. Not saved with the sampler.
    steps_ : ndarray of float, shape (n_out,)
        0 for copies, NaN for noisy rows. Not saved with the sampler.
    companions_ : dict
        Resampled `sample_weight`, `groups` and other companions. Not saved with the sampler.
    effective_prior_ : dict
        Class -> its share of the output, by weight if there are weights.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Names of the columns, if they are all strings.

    See Also
    --------
    SMOTE : New rows between neighbours instead of copies.
    RandomUnderSampler : Drop rows of the large classes instead.

    Notes
    -----
    A noisy row is x + s h D z with z standard normal, D the standard deviations of the class,
    s the `shrinkage` and h = (4 / ((d + 2) n))^(1 / (d + 4)) for n rows and d columns in all.
    A missing value stays missing. Time and memory are those of copying the rows.

    References
    ----------
    G. Menardi, N. Torelli, "Training and assessing classification rules with imbalanced data",
    Data Mining and Knowledge Discovery 28, 2014, doi:10.1007/s10618-012-0295-5.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import RandomOverSampler
    >>> X, y = np.arange(10).reshape(-1, 1), np.array([0] * 7 + [1] * 3)
    >>> sampler = RandomOverSampler(allocation="even", random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> np.bincount(y_resampled).tolist(), sampler.sample_indices_[10:].tolist()
    ([7, 7], [7, 8, 9, 9])
    """

    card = Card(
        paper="Menardi & Torelli (2014), doi:10.1007/s10618-012-0295-5",
        cases=({}, {"shrinkage": 1.0, "allocation": "even", "bounds": "observed"}),
    )

    _parameter_constraints = {
        **constraints_of(_Original),
        **{name: rule for name, rule in GROWING.items() if name != "n_jobs"},
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        shrinkage: Any = None,
        allocation: str = "random",
        integer_features: Any = None,
        bounds: Any = None,
        companion_policy: Any = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy, random_state=random_state, shrinkage=shrinkage
        )
        self.allocation = allocation
        self.integer_features = integer_features
        self.bounds = bounds
        self.companion_policy = companion_policy
        self.missing_classes = missing_classes

    def _read(self, rows: Rows[Any]) -> Any:
        if self.shrinkage is None:
            return rows
        try:
            return numeric_matrix(rows)
        except DataError as error:
            rule = "When shrinkage is not None, X needs to contain only numerical data"
            todo = "Leave out the other columns, or set shrinkage=None to copy rows as they are"
            raise DataError(message(rows.who, f"{rule}; {error}", todo=todo)) from error

    def _plan(self, X: Any, y: AnyArray) -> Plan:
        self.shrinkage_ = self._widths()
        rng = check_random_state(self.random_state)
        bases, noises = [], []
        for label, n in self.sampling_strategy_.items():
            members = np.flatnonzero(y == label)
            if self.allocation == "even":
                drawn = even_rows(rng, members.size, n)
            else:
                drawn = rng.randint(0, members.size, n)
            bases.append(members[drawn])
            if self.shrinkage_ is not None:
                scale = self.shrinkage_[label] * _bandwidth(*X.shape) * _deviations(X[members])
                noises.append(rng.randn(n, X.shape[1]) * scale)
        base = joined(bases)
        if self.shrinkage_ is None:
            return Plan.copies(np.concatenate([np.arange(y.size), base]))
        noise = np.concatenate([np.empty((0, X.shape[1])), *noises])
        return Plan.grown(y.size, base, base, np.full(base.size, np.nan), noise=noise)

    def _make(self, X: Any, plan: Plan) -> Any:
        made = plan.extras["noise"] + X[plan.base[plan.made]]
        values = made.astype(X.dtype)
        return sparse_like(X, values) if sparse.issparse(X) else values

    def _widths(self) -> dict[Any, float] | None:
        """Return the width of the noise for each class that may grow."""
        if isinstance(self.shrinkage, Real):
            return dict.fromkeys(self.sampling_strategy_, float(self.shrinkage))
        if not isinstance(self.shrinkage, Mapping):
            return None
        who = type(self).__name__
        lacking = [label for label in self.sampling_strategy_ if label not in self.shrinkage]
        if lacking:
            rule = (
                "`shrinkage` should contain a shrinkage factor for each class that will be "
                f"resampled. The missing classes are: {{{listing(lacking)}}}"
            )
            raise DataError(message(who, rule, self.shrinkage))
        negative = {label: width for label, width in self.shrinkage.items() if not width >= 0}
        if negative:
            rule = "The shrinkage factor needs to be >= 0"
            raise InvalidParameterError(message(who, rule, negative))
        return dict(self.shrinkage)


def _bandwidth(n_rows: int, n_features: int) -> float:
    """Return the rule-of-thumb bandwidth of a Gaussian kernel on scaled columns."""
    width: float = (4 / ((n_features + 2) * n_rows)) ** (1 / (n_features + 4))
    return width


def _deviations(X_class: Any) -> FloatArray:
    """Return the standard deviation of each column, missing values left out."""
    if sparse.issparse(X_class):
        return np.sqrt(mean_variance_axis(X_class, axis=0)[1])
    if np.isnan(X_class).any():
        present = ~np.isnan(X_class).all(axis=0)
        out = np.zeros(X_class.shape[1])
        out[present] = np.nanstd(X_class[:, present], axis=0)
        return out
    return np.std(X_class, axis=0)
