"""Over-sampling, then cleaning of what came out: two samplers in one."""

from abc import abstractmethod
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from imblearn.over_sampling import SMOTE as _OriginalSMOTE
from sklearn.base import BaseEstimator, clone

from imbkit._core.constraints import N_JOBS
from imbkit._core.containers import Rows, wrap
from imbkit._core.messages import message, shorten
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.sampling._base import COMPANION_POLICY, MISSING_CLASSES, PlannedSampler
from imbkit.sampling._growing import GrowingSampler
from imbkit.sampling._smote import SMOTE
from imbkit.sampling._table import numeric_matrix
from imbkit.sampling._target import Target

__all__ = ["COMBINED", "CombinedSampler", "own_version"]

_UNMEASURED = ("string", "category", "mixed", "other")
# Constraints of the parameters that combined samplers have besides the originals'.
COMBINED: dict[str, list[Any]] = {
    "smote": [_OriginalSMOTE, GrowingSampler, None],
    "n_jobs": N_JOBS,
    "companion_policy": COMPANION_POLICY,
    "missing_classes": MISSING_CLASSES,
}


@dataclass(slots=True)
class _Work:
    """One resampling under way: the table, what the over-sampler reads, what is written."""

    rows: Rows[Any]
    data: Any
    grown: Rows[Any] | None = None
    kept: IntArray | None = None


class CombinedSampler(PlannedSampler):
    """Mixin of samplers that over-sample by one sampler and clean by another.

    A member writes `_new_cleaner` and names its parameter of the cleaner.
    """

    _cleaner_name: ClassVar[str]
    sampling_strategy: Any
    random_state: Any
    smote: Any
    n_jobs: int | None
    missing_classes: str

    @abstractmethod
    def _new_cleaner(self) -> Any:
        """Return the cleaner for when the user gave none."""

    def _validate_estimator(self) -> None:
        """Set the two samplers; imbalanced-learn calls this method by the same name."""
        if self.smote is None:
            self.smote_ = SMOTE(
                sampling_strategy=self.sampling_strategy,
                random_state=self.random_state,
                n_jobs=self.n_jobs,
                missing_classes=self.missing_classes,
            )
        else:
            self.smote_ = own_version(self.smote)
        if not isinstance(self.smote_, PlannedSampler):
            who = type(self).__name__
            rule = (
                "smote must be a sampler of imbkit.sampling or imbalanced-learn's own SMOTE: of "
                "any other class it is not known which rows its new rows come from"
            )
            todo = "Chain it with the cleaner in a Pipeline instead"
            raise InvalidParameterError(message(who, rule, self.smote, todo))
        given = getattr(self, self._cleaner_name)
        cleaner = self._new_cleaner() if given is None else own_version(given)
        setattr(self, f"{self._cleaner_name}_", cleaner)

    def _read_checked(self, X: Any, y: Any) -> tuple[Rows[Any], Target, Any]:
        self._validate_estimator()
        # scikit-learn leaves out these checks in calls from a method that it checks already.
        self.smote_._validate_params()
        self._cleaner._validate_params()
        rows, target, work = super()._read_checked(X, y)
        self.smote_.sampling_strategy_ = self.smote_._resolve(target, rows.who)
        return rows, target, work

    def _read(self, rows: Rows[Any]) -> _Work:
        return _Work(rows, self.smote_._read(rows))

    def _plan(self, X: _Work, y: AnyArray) -> Plan:
        """Plan the over-sampling, write its table, and keep what the cleaner keeps of it."""
        smote, cleaner, rows = self.smote_, self._cleaner, X.rows
        # As in imbalanced-learn, where the attribute holds the parameter as it is.
        self.sampling_strategy_ = self.sampling_strategy
        over = smote._plan(X.data, y)
        values = smote._make(X.data, over) if over.made.any() else None
        # The cleaner sees the rows as they would be put out, rounded where the dtype is.
        X.grown = wrap(smote._write(rows, over, values, True), who=rows.who)
        X.data = None
        X.kept = _kept(cleaner, _measured(X.grown, smote), y[over.base])
        return over.take(X.kept)

    def _make(self, X: _Work, plan: Plan) -> Rows[Any]:
        """Return the whole table, which is written already."""
        return X.grown.take(X.kept, renumber=True)  # type: ignore[union-attr, arg-type]

    def _write(self, rows: Rows[Any], plan: Plan, values: Any, renumber: bool) -> Any:
        if values is None:
            return super()._write(rows, plan, None, renumber)
        return values.native

    @property
    def _cleaner(self) -> Any:
        return getattr(self, f"{self._cleaner_name}_")


def own_version(sampler: BaseEstimator) -> Any:
    """Return an unfitted copy of a sampler, of imbkit's class where it is imbalanced-learn's."""
    cls = type(sampler)
    if cls.__module__.split(".")[0] == "imblearn":
        own = getattr(import_module("imbkit.sampling"), cls.__name__, None)
        if own is not None and issubclass(own, cls) and own is not cls:
            return own(**clone(sampler).get_params(deep=False))
    return clone(sampler)


def _measured(grown: Rows[Any], smote: Any) -> Any:
    """Return the columns that the cleaner measures distances in."""
    try:
        return numeric_matrix(grown)
    except DataError as error:
        kinds = zip(grown.names, grown.kinds(), strict=True)
        wrong = [f"{shorten(name)} ({kind})" for name, kind in kinds if kind in _UNMEASURED]
        if not wrong:
            raise
        # The over-sampler takes such columns, so its own words would not help.
        more = f" and {len(wrong) - 5:,} more" if len(wrong) > 5 else ""
        rule = "cleaning measures distances, so every column must hold numbers"
        todo = f"Encode these columns as numbers, or use {type(smote).__name__} without cleaning"
        raise DataError(message(grown.who, rule, ", ".join(wrong[:5]) + more, todo)) from error


def _kept(cleaner: Any, X: Any, y: AnyArray) -> IntArray:
    """Return the rows that a cleaning sampler keeps, in its order."""
    if isinstance(cleaner, PlannedSampler):
        return cleaner.fit_resample_plan(X, y).base
    cleaner.fit_resample(X, y)
    return np.asarray(cleaner.sample_indices_, dtype=np.intp)
