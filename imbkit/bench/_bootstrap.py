"""Standard errors of the measures of one test fold, by counting how often a row is drawn.

A resample is a whole number for each row: no row is copied and nothing is sorted again. All
measures are functions of sums over rows, so one product of a sparse matrix with these numbers
gives the measures of many resamples at once.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.bench._measures import DECISIONS
from imbkit.bench._money import Costs
from imbkit.metrics import CountMetric, Counts, get_metric
from imbkit.metrics._counts import ratio

__all__ = ["ResampledMeasures", "bootstrap_errors", "fold_interval"]

_Z95 = 1.959963984540054
_BLOCK = 2_000_000  # numbers that the resamples of one block hold
# The slack with which imbkit.metrics compares rates with their limits.
_SLACK = 1e-12


def bootstrap_errors(
    codes: IntArray,
    scores: FloatArray,
    flags: Mapping[str, AnyArray],
    *,
    ranking: Sequence[str],
    decision: CountMetric,
    probabilities: bool,
    groups: IntArray | None,
    costs: Costs | None,
    seed: int,
    n_resamples: int = 200,
) -> tuple[dict[str, float | None], dict[str, dict[str, float | None]]]:
    """Return the bootstrap standard errors of the measures of a test fold.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Class of each row; 1 is the positive one of two.
    scores : ndarray of shape (n_rows,) or (n_rows, n_classes)
        Of the positive class for two classes, else of each class.
    flags : mapping of str to ndarray of shape (n_rows,)
        Policy -> alerts; for many classes policy -> predicted class.
    ranking : sequence of str
        Names of ranking measures.
    decision : CountMetric
        The decision metric asked for, besides those that are always reported.
    probabilities : bool
        Whether the scores are probabilities.
    groups : ndarray of shape (n_rows,) or None
        Rows of one group are drawn together.
    costs : Costs or None
        Of these rows; two classes only.
    seed : int
        0 or more.
    n_resamples : int, default=200
        Number of resamples; the standard errors are themselves uncertain by 1/sqrt(2 of them).

    Returns
    -------
    ranking, decisions : dict
        Measure -> standard error, and policy -> measure -> standard error; None where the
        measure is undefined.

    Notes
    -----
    Rows are drawn with replacement within their class, as many as the class has. Groups are
    drawn within the groups whose rarest class is the same, which for a rare positive class
    are those that hold a positive row and those that do not. Rows of one class with the same
    score, and the negatives between two neighbouring positives, are only ever counted
    together, which is exact. O(n_rows) a resample and a class, after one sort a class;
    memory about 100 bytes a row.

    References
    ----------
    B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall (1993).
    """
    measures = ResampledMeasures(
        codes,
        scores,
        flags,
        ranking=ranking,
        decision=decision,
        probabilities=probabilities,
        groups=groups,
        costs=costs,
    )
    rng = np.random.Generator(np.random.PCG64(seed))
    block = max(1, min(n_resamples, _BLOCK // max(measures.n_units, 1)))
    parts = []
    for start in range(0, n_resamples, block):
        size = min(block, n_resamples - start)
        parts.append(measures.values(measures.draw(rng, size)))
    errors: dict[tuple[str, str], float | None] = {}
    for key in parts[0]:
        values = np.concatenate([part[key] for part in parts])
        values = values[np.isfinite(values)]
        errors[key] = float(np.std(values, ddof=1)) if values.size > 1 else None
    by_policy: dict[str, dict[str, float | None]] = {policy: {} for policy in flags}
    for (policy, name), error in errors.items():
        if policy:
            by_policy[policy][name] = error
    return {name: errors["", name] for name in ranking}, by_policy


def fold_interval(
    mean: float,
    errors: Sequence[Sequence[float | None]],
    low: float | None,
    high: float | None,
) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a mean over test folds.

    Parameters
    ----------
    mean : float
        Mean of the measure over folds and repeats.
    errors : sequence of sequences of float
        Standard errors, by repeat, then fold. None is left out.
    low, high : float or None
        Range of the measure, to which the interval is cut.

    Returns
    -------
    low, high : float or None
        None if there is no standard error.

    Notes
    -----
    The K folds of one repeat hold different rows: the variance of their mean is the sum of
    theirs over K squared. Repeats see the same rows again, so their variances are averaged;
    more repeats do not shrink the interval. What is covered is the expected measure of a test
    fold of this size; average precision on few positives tends to exceed that on many.
    """
    variances = []
    for repeat in errors:
        known = [error for error in repeat if error is not None]
        if known:
            variances.append(sum(error**2 for error in known) / len(known) ** 2)
    if not variances:
        return None, None
    reach = _Z95 * float(np.sqrt(np.mean(variances)))
    bottom, top = mean - reach, mean + reach
    return (
        bottom if low is None else max(bottom, low),
        top if high is None else min(top, high),
    )


class ResampledMeasures:
    """The measures of one test fold as functions of how often each unit is drawn.

    A unit is a row, or a group of rows. Parameters are those of `bootstrap_errors`.
    """

    def __init__(
        self,
        codes: IntArray,
        scores: FloatArray,
        flags: Mapping[str, AnyArray],
        *,
        ranking: Sequence[str],
        decision: CountMetric,
        probabilities: bool,
        groups: IntArray | None,
        costs: Costs | None,
    ) -> None:
        n_rows = codes.size
        self._binary = scores.ndim == 1
        self._n_classes = 2 if self._binary else scores.shape[1]
        self._policies = list(flags)
        self._metrics = {name: get_metric(name) for name in DECISIONS} | {decision.name: decision}
        unit = np.arange(n_rows)
        if groups is not None:
            unit = np.unique(groups, return_inverse=True)[1].reshape(-1)
        self.n_units = int(unit.max()) + 1 if n_rows else 0
        totals = np.bincount(codes, minlength=self._n_classes)
        self._strata = _strata(codes, unit, totals)

        wanted = [name for name in ranking if self._is_defined(name, totals, probabilities)]
        self._ranked = [name for name in wanted if name not in ("brier", "log_loss")]
        self._losses = [name for name in wanted if name in ("brier", "log_loss")]
        self._missing = [name for name in ranking if name not in wanted]
        parts = self._decision_parts(codes, flags)
        self._tied = []
        for k in range(self._n_classes if self._ranked else 0):
            if not self._binary or k == 1:
                own = scores if self._binary else scores[:, k]
                keys, tied = _ranking_keys(codes == k, own)
                parts.append((keys, 2 * tied.size))
                self._tied.append(tied)
        self._ends = np.cumsum([0, *(size for _, size in parts)])
        self._sums = _indicator(parts, unit, self._ends, self.n_units)
        columns = [_loss(name, codes, scores) for name in self._losses]
        self._priced = costs is not None and self._binary
        if costs is not None and self._binary:
            columns += _cost_columns(codes == 1, flags, costs)
        self._columns = np.array([np.bincount(unit, column, self.n_units) for column in columns])

    def draw(self, rng: np.random.Generator, size: int) -> FloatArray:
        """Return how often each unit is drawn in some resamples, shape (n_units, size)."""
        weights = np.empty((self.n_units, size))
        for j in range(size):
            for members in self._strata:
                drawn = rng.integers(0, members.size, size=members.size)
                weights[members, j] = np.bincount(drawn, minlength=members.size)
        return weights

    def values(self, weights: FloatArray) -> dict[tuple[str, str], FloatArray]:
        """Return the measures of some resamples, by policy ("" for ranking measures) and name.

        NaN where a resample leaves a measure undefined.
        """
        sums = self._sums @ weights
        parts = [sums[a:b] for a, b in zip(self._ends[:-1], self._ends[1:], strict=True)]
        linear = self._columns @ weights if self._columns.size else self._columns
        decide = self._two_class_decisions if self._binary else self._many_class_decisions
        values, ranked = decide(parts)
        n = next(iter(parts)).sum(axis=0)
        nan = np.full(weights.shape[1], np.nan)
        values |= {("", name): nan for name in self._missing}
        for name, line in zip(self._losses, linear, strict=False):
            values["", name] = line / n
        if self._priced:
            nothing, *others = linear[len(self._losses) :]
            for policy, total, caught in zip(
                self._policies, others[0::2], others[1::2], strict=True
            ):
                values[policy, "cost_per_1000"] = 1000 * total / n
                values[policy, "saved_per_1000"] = 1000 * (nothing - total) / n
                values[policy, "captured_amount"] = ratio(caught, nothing, np.nan)
        each = [
            _rank_values(self._ranked, part, tied)
            for part, tied in zip(ranked, self._tied, strict=True)
        ]
        for name in self._ranked:
            values["", name] = np.mean([own[name] for own in each], axis=0)
        return values

    def _is_defined(self, name: str, totals: IntArray, probabilities: bool) -> bool:
        if name in ("brier", "log_loss"):
            return probabilities and bool(totals.any())
        if name.startswith("recall_at_") and not self._binary:
            return False
        return bool(totals.all())

    def _decision_parts(
        self, codes: IntArray, flags: Mapping[str, AnyArray]
    ) -> list[tuple[IntArray, int]]:
        """Number of the cell of the joint confusion table that each row falls into."""
        if not self._binary:
            k = self._n_classes
            cells = [codes * k + np.asarray(predicted) for predicted in flags.values()]
            # Without a policy one part is still needed to count the rows.
            return [(cell, k * k) for cell in cells or [codes * (k + 1)]]
        key = (codes == 1).astype(np.intp)
        for alerts in flags.values():
            key = 2 * key + np.asarray(alerts, dtype=bool)
        return [(key, 2 ** (len(flags) + 1))]

    def _two_class_decisions(
        self, parts: list[FloatArray]
    ) -> tuple[dict[tuple[str, str], FloatArray], list[FloatArray]]:
        joint, *ranked = parts
        joint = joint.reshape((2,) * (len(self._policies) + 1) + (-1,))
        values = {}
        for place, policy in enumerate(self._policies, start=1):
            others = tuple(j for j in range(1, joint.ndim - 1) if j != place)
            (tn, fp), (fn, tp) = joint.sum(axis=others)
            counts = Counts(tp=tp, fp=fp, fn=fn, tn=tn)
            for name, metric in self._metrics.items():
                values[policy, name] = metric.of(counts)
            values[policy, "alert_rate"] = counts.alerts / counts.total
        return values, ranked

    def _many_class_decisions(
        self, parts: list[FloatArray]
    ) -> tuple[dict[tuple[str, str], FloatArray], list[FloatArray]]:
        n_parts, k = max(len(self._policies), 1), self._n_classes
        values = {}
        for policy, part in zip(self._policies, parts[:n_parts], strict=False):
            table = part.reshape(k, k, -1)
            tp = np.einsum("iij->ij", table)
            fn, fp = table.sum(axis=1) - tp, table.sum(axis=0) - tp
            occurs = (tp + fn + fp > 0).any(axis=1)
            tp, fn, fp = tp[occurs], fn[occurs], fp[occurs]
            counts = Counts(tp=tp, fp=fp, fn=fn, tn=table.sum(axis=(0, 1)) - tp - fn - fp)
            for name, metric in self._metrics.items():
                values[policy, name] = _over_classes(metric, counts)
        return values, parts[n_parts:]


def _strata(codes: IntArray, unit: IntArray, totals: IntArray) -> list[IntArray]:
    """Units whose rarest class is the same."""
    rarity = np.empty(totals.size, dtype=np.intp)
    # Of equally rare classes the later one counts as rarer: the positive one of two.
    rarity[np.lexsort((-np.arange(totals.size), totals))] = np.arange(totals.size)
    rarest = np.full(int(unit.max()) + 1 if unit.size else 0, totals.size)
    np.minimum.at(rarest, unit, rarity[codes])
    return [np.flatnonzero(rarest == rank) for rank in np.unique(rarest)]


def _ranking_keys(positive: BoolArray, scores: FloatArray) -> tuple[IntArray, BoolArray]:
    """Number the runs of rows that only count together, by descending score.

    A run is a score that positive rows have, with the negatives above it down from the run
    before. Where negatives have that very score, those above it are a run of their own. What
    is below all positives is the last run. Run r has the keys 2 r for its negative and
    2 r + 1 for its positive rows. The second array says which runs are tied, shape (n_runs,).
    """
    distinct = np.unique(scores[positive])
    below = np.searchsorted(distinct, scores, side="left")
    # The position, descending, of the nearest positive score that is not above the row's.
    above = np.searchsorted(distinct, scores, side="right")
    place = distinct.size - above
    equal = above > below
    has_tie = np.zeros(distinct.size + 1, dtype=bool)
    has_tie[place[equal & ~positive]] = True
    run_of_place = np.arange(has_tie.size) + np.cumsum(has_tie)
    run = run_of_place[place] - (has_tie[place] & ~equal)
    tied = np.zeros(run_of_place[-1] + 1, dtype=bool)
    tied[run_of_place[has_tie]] = True
    return 2 * run + positive, tied


def _indicator(
    parts: list[tuple[IntArray, int]], unit: IntArray, ends: IntArray, n_units: int
) -> sparse.csr_array:
    """Matrix (keys, n_units) that holds how many rows of a unit have a key."""
    keys = np.concatenate([key + start for (key, _), start in zip(parts, ends[:-1], strict=True)])
    units = np.tile(unit, len(parts))
    ones = np.ones(keys.size)
    return sparse.csr_array((ones, (keys, units)), shape=(int(ends[-1]), n_units))


def _loss(name: str, codes: IntArray, scores: FloatArray) -> FloatArray:
    """Contribution of each row to a mean loss of probabilities."""
    rows = np.arange(codes.size)
    if name == "brier":
        if scores.ndim == 1:
            return np.asarray((codes - scores) ** 2)
        missed = scores.copy()
        missed[rows, codes] -= 1
        return np.asarray((missed**2).sum(axis=1))
    own = np.where(codes == 1, scores, 1 - scores) if scores.ndim == 1 else scores[rows, codes]
    # As scikit-learn clips them.
    tiny = np.finfo(scores.dtype).eps
    return np.asarray(-np.log(np.clip(own, tiny, 1 - tiny)), dtype=float)


def _cost_columns(truth: AnyArray, flags: Mapping[str, AnyArray], costs: Costs) -> list[FloatArray]:
    """Cost of each row if nothing is alerted; under each policy its cost, and what it catches."""
    silent = np.where(truth, costs.fn, 0.0)
    alerted = np.where(truth, -costs.gain, costs.fp)
    columns = [silent]
    for alerts in flags.values():
        columns += [np.where(alerts, alerted, silent), np.where(alerts, silent, 0.0)]
    return columns


def _rank_values(names: Sequence[str], part: FloatArray, tied: BoolArray) -> dict[str, FloatArray]:
    """Ranking measures from the weights of the runs, shape (2 n_runs, n_resamples)."""
    # One resample a line: the sums along the runs are then sums over neighbours.
    negative, positive = np.ascontiguousarray(part[0::2].T), np.ascontiguousarray(part[1::2].T)
    tp, fp = np.cumsum(positive, axis=1), np.cumsum(negative, axis=1)
    positives, negatives = tp[:, -1].copy(), fp[:, -1].copy()
    empty = (positives == 0) | (negatives == 0)
    p, n = np.where(empty, np.nan, positives), np.where(empty, np.nan, negatives)
    alerts = tp + fp
    values = {}
    for name in names:
        prefix, _, limit = name.rpartition("_")
        if name == "average_precision":
            values[name] = np.einsum("ij,ij->i", positive, tp / np.maximum(alerts, 1.0)) / p
        elif name == "roc_auc":
            # Negatives above a positive row, a tied one counting by half.
            lost = np.einsum("ij,ij->i", positive, fp)
            lost -= np.einsum("ij,ij->i", positive[:, tied], negative[:, tied]) / 2
            values[name] = 1 - lost / (p * n)
        elif prefix == "recall_at_fpr":
            # False alarms only grow along the runs.
            within = (fp <= (float(limit) + _SLACK) * negatives[:, None]).sum(axis=1)
            values[name] = np.where(within, tp[np.arange(p.size), within - 1], 0.0) / p
        else:
            enough = tp >= (float(limit) - _SLACK) * alerts
            values[name] = np.max(tp, axis=1, where=enough, initial=0.0) / p
    return values


def _over_classes(metric: CountMetric, counts: Counts) -> FloatArray:
    """Metric of many classes in each resample; macro average where it has no other form."""
    if metric.over == "classes":
        return metric.of_classes(counts)
    occurs = counts.positives + counts.alerts > 0
    values = np.where(occurs, metric.of(counts), 0.0)
    return np.asarray(values.sum(axis=0) / np.maximum(occurs.sum(axis=0), 1))
