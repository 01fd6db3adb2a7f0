"""A fitted model's probabilities, corrected for the class shares that it was trained on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from imbkit._core.containers import take
from imbkit._core.induced import Member, changes_shares, last_step, members_of, steps_of
from imbkit._core.prior import averages_members, class_shares, induced_prior, shift
from imbkit._core.types import AnyArray, FloatArray
from imbkit.calibration._probabilities import probabilities_of

__all__ = ["Shift", "is_certain", "shift_of", "smoothed", "votes_behind"]

_ROWS_LOOKED_AT = 1000
# On six tables with up to fifteen learners a calibration had the lower log-loss in 57 of 62
# cases with more certainty than this, down to a tenth of it, and in 11 of 19 with less.
_CERTAIN_SHARE = 0.02
# There smoothing lowered the log-loss in 44 of 45 cases with more zeros and ones than this,
# and changed it by less than a hundredth in most others.
_SMOOTHED_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Shift:
    """Class shares that a model was trained on, and how to get from them to others.

    Parameters
    ----------
    source : ndarray of shape (n_classes,)
        The shares; of several members their mean.
    members : tuple of Member, default=()
        Those whose probabilities are corrected one by one and then averaged; if there are
        none, the model's own probabilities are corrected.
    """

    source: FloatArray
    members: tuple[Member, ...] = ()

    def __call__(
        self, model: Any, X: Any, goal: FloatArray, classes: AnyArray, who: str
    ) -> FloatArray:
        """Return probabilities of shape (n_rows, n_classes) for class shares `goal`."""
        if not self.members:
            return shift(probabilities_of(model, X, classes=classes, who=who), goal / self.source)
        total = np.zeros(1)
        tables = _each(model, self.members, X, classes)
        for member, P in zip(self.members, tables, strict=True):
            total = total + shift(P, _ratio(goal, np.asarray(member.prior)))
        return np.asarray(total / len(self.members))


def shift_of(model: Any, y: AnyArray, classes: AnyArray, weight: FloatArray | None) -> Shift | None:
    """Return what training made of the class shares.

    Parameters
    ----------
    model : estimator
        Fitted classifier or pipeline.
    y : ndarray of shape (n_rows,)
        The labels that it was fitted on.
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    weight : ndarray of shape (n_rows,) or None
        The weights that reached its last step.

    Returns
    -------
    Shift or None
        With members where the model averages some whose shares were changed. None where the
        shares are not known, or more than them was changed.
    """
    if not changes_shares(model):
        return Shift(class_shares(y, classes, weight))
    source = induced_prior(model, y, classes, weight)
    if source is None:
        return None
    members = members_of(model, y, classes, weight) if averages_members(model) else None
    return Shift(source, tuple(members or ()))


def is_certain(
    model: Any, shifted: Shift, goal: FloatArray, X: Any, classes: AnyArray, who: str
) -> bool:
    """Whether factors leave much where it is that they should take away.

    Looks at the classes whose share falls, on training rows: no factor changes a probability
    of exactly 1. True if such answers make up a fiftieth of these classes' probability. Deep
    trees and nearest neighbours repeat the labels of their rows, whatever the shares were.
    """
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows > _ROWS_LOOKED_AT:
        X = take(X, np.linspace(0, n_rows - 1, _ROWS_LOOKED_AT).astype(np.intp))
    if shifted.members:
        priors = [np.asarray(member.prior) for member in shifted.members]
        tables = _each(model, shifted.members, X, classes)
    else:
        priors, tables = (
            [shifted.source],
            iter([probabilities_of(model, X, classes=classes, who=who)]),
        )
    mass = stuck = 0.0
    for prior, P in zip(priors, tables, strict=True):
        falling = P[:, goal < prior]
        mass += float(falling.sum())
        stuck += float((falling == 1).sum())
    return stuck > _CERTAIN_SHARE * mass


def votes_behind(model: Any, P: FloatArray) -> int:
    """Return how many votes a model's probabilities count; 0 where they do not look counted.

    The members of an ensemble that averages, or else the rows, if some probabilities are
    exactly 0 or 1.
    """
    if ((P == 0) | (P == 1)).any(axis=1).mean() <= _SMOOTHED_SHARE:
        return 0
    return len(last_step(model).estimators_) if averages_members(model) else len(P)


def smoothed(P: FloatArray, votes: int) -> FloatArray:
    """Add one vote that is split between the classes: no vote of ten is not infinite odds."""
    return np.asarray((votes * P + 1 / P.shape[1]) / (votes + 1)) if votes else P


def _ratio(goal: FloatArray, prior: FloatArray) -> FloatArray:
    """Factors; 1 for a class that a member has not seen, whose probability is 0."""
    return np.asarray(np.divide(goal, prior, out=np.ones_like(goal), where=prior > 0))


def _each(model: Any, members: Sequence[Member], X: Any, classes: AnyArray) -> Iterator[FloatArray]:
    """Yield the members' probabilities of shape (n_rows, n_classes)."""
    for step in steps_of(model):
        if not hasattr(step, "fit_resample"):
            X = step.transform(X)
    ensemble = last_step(model)
    # The ensemble checks names and number of the features; members are fitted on arrays.
    trees = members[0].features is None
    table = validate_data(
        ensemble,
        X,
        reset=False,
        accept_sparse="csr",
        dtype=np.float32 if trees else None,
        ensure_all_finite="allow-nan" if trees else False,
    )
    for member in members:
        seen = table if member.features is None else table[:, member.features]
        P = np.zeros((table.shape[0], classes.size))
        P[:, member.columns] = member.estimator.predict_proba(seen)
        yield P
