"""Drop rows of the large classes at random."""

from typing import Any

import numpy as np
from imblearn.under_sampling import RandomUnderSampler as _Original
from sklearn.utils import check_random_state

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit._core.containers import Rows
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray
from imbkit.sampling._base import MISSING_CLASSES, PlannedSampler

__all__ = ["RandomUnderSampler"]


class RandomUnderSampler(PlannedSampler, _Original):
    """Drop rows of the large classes at random.

    Choose it to train faster, or as the member of an ensemble: it is the cheapest sampler, and
    the prior that it induces can be undone exactly. On one model it throws data away; a tuned
    threshold usually does as well.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes lose how many rows. A ratio in (0, 1] of the smallest class to the other
        (two classes); ``"majority"``, ``"not minority"``, ``"not majority"``, ``"all"``, or
        ``"auto"`` for ``"not minority"``: down to the smallest class; a dictionary
        class -> rows to keep (integer) or ratio (float in (0, 1]); or a callable that takes
        `y` and returns one of these.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.
    replacement : bool, default=False
        Whether a row can be drawn more than once.
    missing_classes : {"raise", "ignore"}, default="raise"
        What to do about a class in `sampling_strategy` that the data lacks, as in a fold of
        cross-validation.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class -> rows to keep, sorted by class.
    sample_indices_ : ndarray of int, shape (n_out,)
        The rows that were kept, grouped by class.
    parents_ : ndarray of int, shape (n_out, 2)
        The same rows, twice: every row of the output is a copy. Not saved with the sampler.
    steps_ : ndarray of float, shape (n_out,)
        Zeros. Not saved with the sampler.
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
    NearMiss : Keep the rows nearest to the rare class instead.
    RandomOverSampler : Repeat rows of the rare classes instead.

    Notes
    -----
    Rows of any dtype pass untouched. Time and memory are those of copying the kept rows.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import RandomUnderSampler
    >>> X, y = np.arange(10).reshape(-1, 1), np.array([0] * 8 + [1] * 2)
    >>> sampler = RandomUnderSampler(random_state=0)
    >>> _, y_resampled = sampler.fit_resample(X, y, amount=np.arange(10) * 1.5)
    >>> np.bincount(y_resampled).tolist(), sampler.companions_["amount"].tolist()
    ([2, 2], [9.0, 3.0, 12.0, 13.5])
    """

    card = Card(
        paper="imbalanced-learn's RandomUnderSampler",
        cases=({}, {"replacement": True}),
    )

    _parameter_constraints = {
        **constraints_of(_Original),
        "missing_classes": MISSING_CLASSES,
    }
    _keeps_index = True

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        replacement: bool = False,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            random_state=random_state,
            replacement=replacement,
        )
        self.missing_classes = missing_classes

    def _read(self, rows: Rows[Any]) -> Rows[Any]:
        return rows

    def _plan(self, X: Rows[Any], y: AnyArray) -> Plan:
        rng = check_random_state(self.random_state)
        kept = []
        for label in np.unique(y):
            members = np.flatnonzero(y == label)
            if label in self.sampling_strategy_:
                # NumPy's legacy stream gives the same draws for a count as for a range.
                drawn = rng.choice(
                    members.size, size=self.sampling_strategy_[label], replace=self.replacement
                )
                members = members[drawn]
            kept.append(members)
        return Plan.copies(np.concatenate(kept))
