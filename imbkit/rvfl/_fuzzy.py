"""How far each row is trusted: membership of its class, and neighbours of other classes."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from imbkit._core.messages import message
from imbkit._core.rng import integer_seed
from imbkit._core.types import FloatArray, IntArray, Seed
from imbkit.exceptions import InvalidParameterError
from imbkit.rvfl._fuzzy_rff import fourier_squares
from imbkit.rvfl._fuzzy_subset import drawn_reference, subset_counts, subset_squares
from imbkit.rvfl._median_distance import median_distance
from imbkit.rvfl._memberships import exact_squares, linear_squares
from imbkit.rvfl._nonmembership import NeighborCounts, foreign_shares, pair_work
from imbkit.rvfl._row_tiles import check_distances

__all__ = ["Fuzzy", "FuzzyScores", "FuzzySettings", "ScoreMethod", "fuzzy_scores"]

Fuzzy: TypeAlias = Literal["kernel", "linear", "dual_center"]
ScoreMethod: TypeAlias = Literal["auto", "exact", "rff", "subset"]

_TIE = 1e-12  # a membership above the non-membership by less equals it, whatever rounding says
_WORK = 5e9  # nanoseconds of one core that "auto" spends on either part before it estimates
_CENTRE = 4096  # rows drawn to estimate centres from
_LEAST = 8192  # rows drawn to count neighbours among, where more would take more work than that


@dataclass(frozen=True, slots=True)
class FuzzySettings:
    """The parameters of the scores, as `intuitionistic_fuzzy_scores` has them, and who asks."""

    fuzzy: Fuzzy = "kernel"
    kernel_width: float | Literal["median"] = "median"
    radius_eps: float = 1e-4
    neighbor_correction: Literal["prior"] | None = "prior"
    score_method: ScoreMethod = "auto"
    random_state: Seed = None
    n_jobs: int | None = None
    who: str = "intuitionistic_fuzzy_scores"


@dataclass(frozen=True, slots=True)
class FuzzyScores:
    """Scores of rows, and what they are made of.

    Parameters
    ----------
    scores, membership, nonmembership : ndarray of shape (n,)
        Of each row.
    class_radius : ndarray of shape (n_classes,)
        Largest distance of a row from the centre of its class.
    neighborhood_radius : float
        Rows nearer than this, in the same distance, are neighbours; NaN for "dual_center".
    kernel_width : float
        The width used; NaN for "linear".
    method : {"exact", "rff", "subset"}
        How it was computed; "exact" only if all of it was.
    """

    scores: FloatArray
    membership: FloatArray
    nonmembership: FloatArray
    class_radius: FloatArray
    neighborhood_radius: float
    kernel_width: float
    method: str


def fuzzy_scores(
    X: Any, codes: IntArray, n_classes: int, weights: FloatArray, settings: FuzzySettings
) -> FuzzyScores:
    """Return the scores of rows that are checked already.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n, p)
        Finite rows.
    codes : ndarray of int, shape (n,)
        Class of each row, from 0.
    n_classes : int
        Number of classes.
    weights : ndarray of shape (n,)
        How often a row counts; not negative. Rows of weight 0 have scores too.
    settings : FuzzySettings
        The parameters.
    """
    return _Computation(X, codes, n_classes, weights, settings).scores()


class _Computation:
    """The steps, with what they share."""

    def __init__(
        self, X: Any, codes: IntArray, n_classes: int, weights: FloatArray, settings: FuzzySettings
    ) -> None:
        self.X, self.codes, self.weights, self.settings = X, codes, weights, settings
        self.kernel = settings.fuzzy != "linear"
        if settings.score_method == "rff" and not self.kernel:
            rule = "score_method='rff' needs a kernel"
            todo = "Set fuzzy='kernel', or score_method='subset'"
            raise InvalidParameterError(message(settings.who, rule, "fuzzy='linear'", todo))
        self.mass = np.bincount(codes, weights, n_classes)
        self._rng: np.random.Generator | None = None
        self.width = np.nan
        if self.kernel and settings.kernel_width == "median":
            self.width = median_distance(X, weights, self._draws)
            check_distances(self.width)
        elif self.kernel:
            self.width = float(settings.kernel_width)
        self.method = "exact"

    def scores(self) -> FuzzyScores:
        """Return the scores."""
        own, other = self._squares()
        if self.settings.fuzzy == "dual_center":
            return self._dual(own, other)
        radii = np.sqrt(own)
        largest = self._largest(radii)
        membership = self._memberships(radii, largest)
        alpha = float(largest.max())
        nonmembership = (1 - membership) * self._shares(self._reach(alpha))
        return FuzzyScores(
            _joined(membership, nonmembership),
            membership,
            nonmembership,
            largest,
            alpha,
            self.width,
            self.method,
        )

    def _squares(self) -> tuple[FloatArray, FloatArray]:
        """Squared distances to the centre of the own class and to the nearest of others."""
        X, codes, weights, settings = self.X, self.codes, self.weights, self.settings
        if not self.kernel:
            return linear_squares(X, codes, len(self.mass), weights), np.empty(0)
        foreign, n_jobs = settings.fuzzy == "dual_center", settings.n_jobs
        sizes = np.bincount(codes, minlength=len(self.mass)).astype(float)
        pairs = 0.5 * (sizes @ sizes) + foreign * (sizes.sum() ** 2 - sizes @ sizes)
        if settings.score_method == "rff":
            self.method = "rff"
            every = fourier_squares(
                X, codes, len(self.mass), weights, self.width, self._draws(), n_jobs=n_jobs
            )
            places = np.arange(len(codes))
            own = every[places, codes]
            every[places, codes] = np.inf
            every[:, self.mass == 0] = np.inf
            return own, every.min(axis=1)
        if self._is_exact(pairs * (pair_work(X) + 1.5)):
            return exact_squares(
                X, codes, len(self.mass), weights, self.width, foreign=foreign, n_jobs=n_jobs
            )
        return subset_squares(
            X, codes, weights, self._drawn(_CENTRE), self.width, foreign=foreign, n_jobs=n_jobs
        )

    def _shares(self, reach: float) -> FloatArray:
        """Share of other classes among neighbours."""
        codes, n_jobs = self.codes, self.settings.n_jobs
        v = self.weights
        if self.settings.neighbor_correction == "prior":
            v = np.divide(v, self.mass[codes], out=np.zeros(len(v)), where=v > 0)
        if self.settings.score_method in ("auto", "exact"):
            counts = NeighborCounts(self.X, codes, v, reach)
            if self._is_exact(counts.work):
                return foreign_shares(*counts(n_jobs))
        # Shares among a handful of neighbours need many rows to count among.
        size = max(_LEAST, int(_WORK / pair_work(self.X) / max(1, len(codes))))
        return foreign_shares(*subset_counts(self.X, codes, v, self._drawn(size), reach, n_jobs))

    def _is_exact(self, work: float) -> bool:
        """Whether to compute a part exactly."""
        asked = self.settings.score_method
        return asked == "exact" or (asked == "auto" and work <= _WORK)

    def _drawn(self, size: int) -> list[IntArray]:
        """Rows that stand for their class."""
        found = drawn_reference(self.codes, len(self.mass), self.weights, self._draws(), size)
        if self.method == "exact" and sum(map(len, found)) < np.count_nonzero(self.weights):
            self.method = "subset"
        return found

    def _draws(self) -> np.random.Generator:
        """The generator; a seed that is one itself is drawn from only where this is needed."""
        if self._rng is None:
            self._rng = np.random.default_rng(integer_seed(self.settings.random_state))
        return self._rng

    def _reach(self, alpha: float) -> float:
        """Turn the radius of neighbourhoods into a distance in the columns of X."""
        if not self.kernel:
            return alpha
        # k > 1 - alpha^2 / 2 is d < mu sqrt(-log(1 - alpha^2 / 2)).
        return float(self.width * np.sqrt(-np.log1p(-(alpha**2) / 2))) if alpha**2 < 2 else np.inf

    def _largest(self, values: FloatArray) -> FloatArray:
        """Largest value of each class, among rows that count."""
        out = np.zeros(len(self.mass))
        np.maximum.at(out, self.codes, np.where(self.weights > 0, values, 0.0))
        return out

    def _memberships(self, values: FloatArray, largest: FloatArray) -> FloatArray:
        """One less the share of the largest value; rows without weight may be beyond."""
        out = 1 - values / (largest + self.settings.radius_eps)[self.codes]
        return np.asarray(np.maximum(out, 0.0))

    def _dual(self, own: FloatArray, other: FloatArray) -> FuzzyScores:
        """Scores from the distances to the own centre and to the nearest of the others."""
        largest = self._largest(own)
        membership = self._memberships(own, largest)
        total = own + other
        nonmembership = np.divide(own, total, out=np.zeros(len(own)), where=total > 0)
        scores = np.sqrt((membership**2 + (1 - nonmembership) ** 2) / 2)
        scores *= 1 - (self.mass / self.mass.sum())[self.codes]
        radii = np.sqrt(largest)
        return FuzzyScores(
            scores, membership, nonmembership, radii, np.nan, self.width, self.method
        )


def _joined(membership: FloatArray, nonmembership: FloatArray) -> FloatArray:
    """Make one number of the two."""
    # Both are 1 nowhere, as their sum is at most 1.
    scores = (1 - nonmembership) / (2 - membership - nonmembership)
    scores[membership <= nonmembership + _TIE] = 0.0
    return np.where(nonmembership == 0, membership, scores)
