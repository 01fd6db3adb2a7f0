"""New rows by SMOTE, then without those that their neighbours contradict."""

from typing import Any

from imblearn.combine import SMOTEENN as _Original

from imbkit._core.card import Card
from imbkit._core.constraints import constraints_of
from imbkit.sampling._combined import COMBINED, CombinedSampler
from imbkit.sampling._edited_nearest_neighbours import EditedNearestNeighbours

__all__ = ["SMOTEENN"]


class SMOTEENN(CombinedSampler, _Original):
    """Over-sample by SMOTE, then drop rows that their neighbours contradict.

    Every row, old or new, of any class, goes that has a neighbour of another class. For noisy
    borders; it drops a good deal, so compare the size of what is left.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow by how much before the cleaning, as in :class:`SMOTE`. It is
        disregarded if `smote` is given.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws; disregarded if `smote` is given.
    smote : SMOTE or None, default=None
        The over-sampler: SMOTE of imbkit or imbalanced-learn, or another sampler of imbkit that
        makes rows, with its own `allocation`, `bounds` and so on. None is SMOTE with the
        parameters of this object.
    enn : EditedNearestNeighbours or None, default=None
        The cleaner, of imbkit or imbalanced-learn. None cleans all classes.
    n_jobs : int, default=None
        Threads of the two samplers that are made here; None for the free cores.
    companion_policy : str, float, callable or dict, default=None
        Companions of new rows: ``"interpolate"``, ``"base"``, ``"mean"``, a constant, or
        ``f(base_values, mate_values, step)``; one for all, or a dictionary from their names.
        None interpolates floats and takes anything else from the base row. That of `smote` is
        not looked at.
    missing_classes : {"raise", "ignore"}, default="raise"
        What to do about a class in `sampling_strategy` that the data lacks, as in a fold of
        cross-validation.

    Attributes
    ----------
    sampling_strategy_ : float, str, dict or callable
        The parameter as it is, as in imbalanced-learn; ``smote_.sampling_strategy_`` holds the
        rows made of each class.
    smote_ : sampler
        The over-sampler; imbkit's SMOTE where imbalanced-learn's was given.
    enn_ : sampler
        The cleaner; imbkit's class where imbalanced-learn's was given.
    sample_indices_ : ndarray of int, shape (n_out,)
        The row that each row of the output is, or its base row if it is a new one.
    parents_ : ndarray of int, shape (n_out, 2)
        Base row and mate of every row. Not saved with the sampler.
    steps_ : ndarray of float, shape (n_out,)
        A row is ``X[a] + step * (X[b] - X[a])`` for its parents a and b, with what the
        over-sampler says of rounding; 0 for rows that were there. Not saved with the sampler.
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
    SMOTETomek : Drops pairs of nearest rows only.
    SMOTE : The over-sampling alone.
    EditedNearestNeighbours : The cleaning alone.

    Notes
    -----
    Same rows in the same order as imbalanced-learn for the same `random_state`, as long as no
    two distances are equal. It gives what SMOTE and then the cleaner give, in every container:
    the cleaner looks at the rows as SMOTE would put them out, so in a column of integers at
    rounded values, where imbalanced-learn's sees fractions of mixed frames. Classes are no
    longer of equal size after the cleaning.

    Time and memory are those of the cleaner on the table that SMOTE puts out, of up to
    n_classes times the rows of the largest class.

    References
    ----------
    G. E. A. P. A. Batista, R. C. Prati, M. C. Monard, "A study of the behavior of several
    methods for balancing machine learning training data", ACM SIGKDD Explorations 6(1), 2004,
    doi:10.1145/1007730.1007735.

    Examples
    --------
    >>> import numpy as np
    >>> from imbkit.sampling import SMOTEENN
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(100, 2)), np.repeat([0, 1], [80, 20])
    >>> X[y == 1] += 2
    >>> sampler = SMOTEENN(random_state=0)
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y, amount=X[:, 0])
    >>> np.bincount(y_resampled).tolist()
    [61, 65]
    >>> bool(np.all(sampler.companions_["amount"] == X_resampled[:, 0]))
    True
    """

    card = Card(
        paper="Batista, Prati & Monard (2004), doi:10.1145/1007730.1007735",
        cases=({}, {"companion_policy": "base", "n_jobs": 1}),
    )

    _parameter_constraints = {**constraints_of(_Original), **COMBINED}
    _cleaner_name = "enn"

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        random_state: Any = None,
        smote: Any = None,
        enn: Any = None,
        n_jobs: int | None = None,
        companion_policy: Any = None,
        missing_classes: str = "raise",
    ) -> None:
        super().__init__(
            sampling_strategy=sampling_strategy,
            random_state=random_state,
            smote=smote,
            enn=enn,
            n_jobs=n_jobs,
        )
        self.companion_policy = companion_policy
        self.missing_classes = missing_classes

    def _new_cleaner(self) -> EditedNearestNeighbours:
        return EditedNearestNeighbours(sampling_strategy="all", n_jobs=self.n_jobs)
