"""Make probabilities of a table out of those that a changed class share has distorted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from imblearn.ensemble import (
    BalancedBaggingClassifier,
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
)
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from scipy.special import expit, logit
from sklearn.pipeline import Pipeline

from imbkit._core.types import BoolArray, FloatArray, IntArray
from imbkit.bench._schema_curves import ReliabilityBin

__all__ = [
    "EDGES",
    "Repair",
    "Sigmoid",
    "fit_sigmoid",
    "induced_prior",
    "is_averaged",
    "reliability_bins",
    "reliability_counts",
    "repair",
    "undo_prior",
]

# Rare classes live near 0, so the bins are narrow there.
EDGES = np.array([0.0, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, *np.arange(1, 10) / 10, 0.97, 0.99, 1.0])
"""Ends of the intervals of probabilities that a reliability curve counts."""

_CLIP = 2.0**-52
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """A logistic curve over the log-odds of a probability."""

    slope: float
    """0 or more, so that no ranking is turned round."""
    intercept: float

    def __call__(self, probabilities: FloatArray) -> FloatArray:
        """Return the calibrated probabilities."""
        return np.asarray(expit(self.slope * _log_odds(probabilities) + self.intercept))


@dataclass(frozen=True, slots=True)
class Repair:
    """Repaired probabilities, and how they were."""

    probabilities: FloatArray
    kind: Literal["none", "prior", "sigmoid"]


def undo_prior(probabilities: FloatArray, induced: float, natural: float) -> FloatArray:
    """Return what probabilities under one share of positives are under another.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows,)
        Of the positive class, from a model trained where its share was `induced`.
    induced, natural : float
        Shares of positives, both between 0 and 1, ends excluded.

    Returns
    -------
    ndarray of shape (n_rows,)
        q p (1 - s) / (q p (1 - s) + (1 - q) (1 - p) s) for induced share s and natural share q.
        Increasing in p; 0 and 1 stay as they are.

    Notes
    -----
    Exact where the rows of each class were kept or weighted regardless of their features.

    References
    ----------
    C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, 973-978.

    M. Saerens, P. Latinne and C. Decaestecker, "Adjusting the outputs of a classifier to new
    a priori probabilities", Neural Computation 14, 21-41 (2002),
    doi:10.1162/089976602753284446.
    """
    p = np.asarray(probabilities, dtype=float)
    positive, negative = natural * (1 - induced), (1 - natural) * induced
    if positive == negative:
        return p.copy()
    return np.asarray(positive * p / (positive * p + negative * (1 - p)))


def fit_sigmoid(scores_as_probabilities: FloatArray, truth: BoolArray) -> Sigmoid:
    """Fit a sigmoid over log-odds by maximum likelihood with Platt's smoothed targets.

    Parameters
    ----------
    scores_as_probabilities : ndarray of shape (n_rows,)
        Probabilities of rows that the model was not trained on.
    truth : ndarray of bool, shape (n_rows,)
        Whether each row is positive.

    Returns
    -------
    Sigmoid
        Its slope is 0 where the log-odds would have to be turned round.

    Notes
    -----
    The targets are (n1 + 1) / (n1 + 2) and 1 / (n0 + 2) for n1 positive and n0 negative rows,
    so the optimum is finite also where the classes are separated. Newton's method with step
    halving, to a gradient below 1e-10 a row. O(n) a step, some ten steps.

    References
    ----------
    J. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized
    likelihood methods", Advances in Large Margin Classifiers, 61-74 (2000).
    """
    x = _log_odds(scores_as_probabilities)
    n1 = int(np.count_nonzero(truth))
    target = np.where(truth, (n1 + 1) / (n1 + 2), 1 / (truth.size - n1 + 2))
    flat = Sigmoid(0.0, float(logit(target.mean())))
    centre, scale = float(x.mean()), float(x.std())
    if not scale > 1e-12 * max(1.0, abs(centre)):
        return flat
    z = (x - centre) / scale
    slope, intercept = _newton(z, target, flat.intercept)
    if slope <= 0:
        return flat
    return Sigmoid(slope / scale, intercept - slope * centre / scale)


def induced_prior(fitted: Any, codes: IntArray, natural: float) -> float | None:
    """Return the share of positives that a fitted model's last step was trained on.

    Parameters
    ----------
    fitted : estimator
        Fitted classifier or pipeline.
    codes : ndarray of shape (n_train,)
        Class of each training row, 1 for positive.
    natural : float
        Share of positives among these rows.

    Returns
    -------
    float or None
        None where it is not known, or where training changed more than the class shares:
        samplers that make rows or choose them by their features, and ensembles whose members
        see rows that are not known here.
    """
    share: float | None = natural
    if isinstance(fitted, Pipeline):
        samplers = [step for _, step in fitted.steps[:-1] if hasattr(step, "fit_resample")]
        if samplers:
            share = _sampled_share(samplers, codes)
        fitted = fitted.steps[-1][1]
        if isinstance(fitted, Pipeline):
            return induced_prior(fitted, codes, share) if share is not None else None
    if hasattr(fitted, "effective_prior_"):
        return _own_report(fitted)
    if share is None:
        return None
    if is_averaged(fitted):
        share = _member_share(fitted)
        if share is None:
            return None
        if "estimator" in fitted.get_params(deep=False) and fitted.estimator is not None:
            return _weighted_share(fitted.estimator, share)
    elif "estimator" in _parameters(fitted) or "estimators" in _parameters(fitted):
        return None
    return _weighted_share(fitted, share)


def is_averaged(fitted: Any) -> bool:
    """Return whether a model averages members that each saw balanced rows.

    The correction for the class share is then exact for each member, not for their mean.
    """
    if isinstance(fitted, Pipeline):
        return is_averaged(fitted.steps[-1][1])
    kinds = (BalancedBaggingClassifier, BalancedRandomForestClassifier, EasyEnsembleClassifier)
    return isinstance(fitted, kinds)


def repair(
    probabilities: FloatArray,
    induced: float | None,
    natural: float,
    out_of_fold_scores: FloatArray | None,
    out_of_fold_truth: BoolArray | None,
    exact: bool,
) -> Repair:
    """Return probabilities at the table's own share of positives.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows,)
        As the model gives them.
    induced : float or None
        Share of positives that the model was trained on, if known.
    natural : float
        Share of positives in the table.
    out_of_fold_scores, out_of_fold_truth : ndarray of shape (n_inner,) or None
        Probabilities of rows left out on inner folds of the training side, as the model gives
        them, and whether each is positive; the rows are not resampled.
    exact : bool
        Whether correcting for the class share is exact for this model; it is not for a mean
        of members (see `is_averaged`).

    Returns
    -------
    Repair
        Kind "none" if training saw the natural share, "prior" if correcting for the share is
        exact, else "sigmoid". The sigmoid needs no correction beforehand: that would add a
        constant to the log-odds, and the intercept of the fit takes it up.
    """
    if induced is not None and exact:
        if induced == natural:
            return Repair(probabilities, "none")
        return Repair(undo_prior(probabilities, induced, natural), "prior")
    if out_of_fold_scores is not None and out_of_fold_truth is not None:
        sigmoid = fit_sigmoid(out_of_fold_scores, out_of_fold_truth)
        return Repair(sigmoid(probabilities), "sigmoid")
    if induced is not None:
        return Repair(undo_prior(probabilities, induced, natural), "prior")
    return Repair(probabilities, "none")


def reliability_counts(truth: BoolArray, probabilities: FloatArray) -> list[list[float]]:
    """Return rows, sum of probabilities and positives in each interval between `EDGES`.

    An interval contains its lower end, the last one its upper end, too. Counts of several test
    folds can be added.
    """
    place = np.searchsorted(EDGES, probabilities, side="right") - 1
    place = np.clip(place, 0, EDGES.size - 2)
    columns = [
        np.bincount(place, weights=weights, minlength=EDGES.size - 1)
        for weights in (None, probabilities, truth.astype(float))
    ]
    return [[float(value) for value in line] for line in np.stack(columns, axis=1)]


def reliability_bins(
    counts_of_folds: Sequence[Sequence[Sequence[float]]], repeats: int = 1
) -> list[ReliabilityBin]:
    """Add up the counts of folds; intervals without rows are left out.

    Each of `repeats` cross-validations tests the same rows again, which makes no interval
    shorter: Wilson's interval is that of the rows of one of them.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22, 209-212 (1927),
    doi:10.1080/01621459.1927.10502953.
    """
    if not counts_of_folds:
        return []
    bins = []
    for rows, predicted, positives in np.sum(np.asarray(counts_of_folds, dtype=float), axis=0):
        if rows:
            share = positives / rows
            low, high = _wilson(share, rows / repeats)
            bins.append(
                ReliabilityBin(
                    rows=int(rows),
                    predicted=float(predicted / rows),
                    observed=float(share),
                    low=low,
                    high=high,
                )
            )
    return bins


def _log_odds(probabilities: FloatArray) -> FloatArray:
    """Log-odds, finite also of 0 and 1."""
    return np.asarray(logit(np.clip(np.asarray(probabilities, dtype=float), _CLIP, 1 - _CLIP)))


def _newton(z: FloatArray, target: FloatArray, start: float) -> tuple[float, float]:
    """Minimise the mean logistic loss over slope and intercept."""
    point = np.array([0.0, start])

    def loss(at: FloatArray) -> float:
        margin = at[0] * z + at[1]
        return float(np.mean(np.logaddexp(0.0, margin) - target * margin))

    value = loss(point)
    for _ in range(100):
        p = expit(point[0] * z + point[1])
        gradient = np.array([np.mean((p - target) * z), np.mean(p - target)])
        if np.abs(gradient).max() < 1e-10:
            break
        w = p * (1 - p)
        cross = float(np.mean(w * z))
        hessian = np.array([[float(np.mean(w * z * z)), cross], [cross, float(w.mean())]])
        hessian += 1e-15 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        length = 1.0
        while length > 1e-10:
            new = loss(point - length * step)
            # Near the optimum the loss itself no longer resolves a full Newton step.
            if new <= value + 1e-15 * (1 + abs(value)):
                break
            length /= 2
        else:
            break
        point, value = point - length * step, new
    return float(point[0]), float(point[1])


def _sampled_share(samplers: Sequence[Any], codes: IntArray) -> float | None:
    """Share of positives after a random sampler; None after anything else."""
    sampler = samplers[0]
    random = isinstance(sampler, (RandomOverSampler, RandomUnderSampler))
    if len(samplers) > 1 or not random or getattr(sampler, "shrinkage", None) is not None:
        return None
    return float(np.mean(codes[sampler.sample_indices_] == 1))


def _own_report(fitted: Any) -> float | None:
    """Entry of the positive class in the prior that an estimator reports."""
    prior = fitted.effective_prior_
    if isinstance(prior, Mapping):
        return float(prior[1]) if 1 in prior else None
    classes = np.asarray(getattr(fitted, "classes_", np.arange(len(prior))))
    place = np.flatnonzero(classes == 1)
    return float(np.asarray(prior)[place[0]]) if place.size else None


def _member_share(fitted: Any) -> float | None:
    """Share of positives that each member of a balanced ensemble saw."""
    balanced = fitted.sampling_strategy in ("auto", "all", "majority", "not minority")
    return 0.5 if balanced and getattr(fitted, "sampler", None) is None else None


def _parameters(fitted: Any) -> Mapping[str, Any]:
    return fitted.get_params(deep=False) if hasattr(fitted, "get_params") else {}


def _weighted_share(model: Any, share: float) -> float | None:
    """Share of the positives' weight under a model's class weights."""
    parameters = _parameters(model)
    weight = parameters.get("class_weight")
    factor = parameters.get("scale_pos_weight")
    if parameters.get("is_unbalance") or (weight is not None and factor not in (None, 1)):
        return None
    if factor is not None:
        weight = {1: factor}
    if weight is None:
        return share
    if isinstance(weight, str):
        return 0.5
    if not isinstance(weight, Mapping):
        return None
    positive, negative = share * weight.get(1, 1.0), (1 - share) * weight.get(0, 1.0)
    return float(positive / (positive + negative)) if positive + negative else None


def _wilson(share: float, rows: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    spread = _Z95**2 / rows
    centre = (share + spread / 2) / (1 + spread)
    reach = _Z95 / (1 + spread) * np.sqrt(share * (1 - share) / rows + spread / (4 * rows))
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))
