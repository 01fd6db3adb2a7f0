"""What every sampler does around its own algorithm.

A sampler writes one method, `_plan`: which rows are kept, and which pairs of rows new ones are
made from. Everything else stands here: checks, containers, companions, provenance, pickling.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import validate_data

from imbkit._core.companions import carry, check_companions, policy_of
from imbkit._core.compat import fit_context
from imbkit._core.constraints import StrOptions
from imbkit._core.containers import Rows, wrap
from imbkit._core.messages import message
from imbkit._core.plan import Plan
from imbkit._core.types import AnyArray
from imbkit.exceptions import DataError
from imbkit.sampling._segments import on_segments
from imbkit.sampling._strategy import Kind, resolve_strategy
from imbkit.sampling._table import assemble, measured_columns, numeric_matrix
from imbkit.sampling._target import Target

__all__ = ["COMPANION_POLICY", "MISSING_CLASSES", "PlannedSampler"]

COMPANION_POLICY: list[Any] = [None, str, float, int, Mapping, callable]
MISSING_CLASSES: list[Any] = [StrOptions({"raise", "ignore"})]
# Attributes that hold rows of the user's data, which a saved sampler must not carry along.
_PRIVATE = ("companions_", "parents_", "steps_")


class PlannedSampler(ABC):
    """Mixin that puts imbkit's resampling before an imbalanced-learn sampler.

    A member states ``class SMOTE(PlannedSampler, imblearn.over_sampling.SMOTE)`` and writes
    `_plan`. It overrides `_make` if its new rows are no plain segments, `_read` if it looks at
    other columns than the numeric ones, and `_write` if it makes other columns anew.
    """

    _keeps_index: ClassVar[bool] = False
    _sampling_type: ClassVar[Kind]

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, **params: Any) -> Self:
        """Check the data and resolve ``sampling_strategy``, without resampling.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            As in :meth:`fit_resample`.
        y : array-like of shape (n_rows,)
            Labels.
        **params : object
            None are used; they are accepted as in imbalanced-learn.

        Returns
        -------
        self
            With ``sampling_strategy_`` set.
        """
        self._read_checked(X, y)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_resample(
        self, X: Any, y: Any, *, sample_weight: Any = None, groups: Any = None, **companions: Any
    ) -> tuple[Any, Any]:
        """Resample a table, and whatever belongs to its rows.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            DataFrame of pandas or polars, array-like, or sparse matrix in CSR or CSC format. It
            is not changed.
        y : array-like of shape (n_rows,)
            Labels; or an indicator matrix of shape (n_rows, n_classes).
        sample_weight : array-like of shape (n_rows,), default=None
            Weights. They do not change which rows are drawn.
        groups : array-like of shape (n_rows,), default=None
            Groups. They do not change which rows are drawn.
        **companions : array-like of shape (n_rows,) or (n_rows, m)
            Anything else that belongs to the rows, such as amounts or times.

        Returns
        -------
        X_resampled : table of shape (n_out, n_features)
            Of the same kind as `X`. A pandas index is numbered from 0, except by
            RandomUnderSampler, which keeps the labels.
        y_resampled : array-like of shape (n_out,)
            Of the same kind as `y`.

        Raises
        ------
        InvalidParameterError
            If a parameter cannot be valid.
        DataError
            If the data, the labels or a companion cannot be used.
        """
        rows, target, data = self._read_checked(X, y)
        extra = {"sample_weight": sample_weight, "groups": groups, **companions}
        given = check_companions(extra, rows.n_rows, rows.who)
        policies = {
            name: policy_of(getattr(self, "companion_policy", None), name, rows.who)
            for name in given
        }
        plan = self._plan(data, target.labels)
        values = self._make(data, plan) if plan.made.any() else None
        renumber = not self._keeps_index
        X_resampled = self._write(rows, plan, values, renumber)
        if isinstance(X, (list, tuple)):
            X_resampled = X_resampled.tolist()
        y_resampled = target.take(plan.base, renumber=renumber)
        self.companions_ = {
            name: carry(column, plan, policies[name], name=name, who=rows.who, renumber=renumber)
            for name, column in given.items()
        }
        self._remember(plan, target, self.companions_.get("sample_weight"))
        return X_resampled, y_resampled

    @fit_context(prefer_skip_nested_validation=True)
    def fit_resample_plan(self, X: Any, y: Any) -> Plan:
        """Return where the rows of the resampled table would come from, without writing it.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            As in :meth:`fit_resample`.
        y : array-like of shape (n_rows,)
            Labels.

        Returns
        -------
        Plan
            With arrays ``base``, ``mate``, ``step`` and ``made`` of shape (n_out,): row i is a
            copy of ``X[base[i]]``, or made from ``X[base[i]]`` and ``X[mate[i]]``. The same
            plan that :meth:`fit_resample` follows for the same ``random_state``.
        """
        _, target, data = self._read_checked(X, y)
        plan = self._plan(data, target.labels)
        self.companions_ = {}
        self._remember(plan, target, None)
        return plan

    @abstractmethod
    def _plan(self, X: Any, y: AnyArray) -> Plan:
        """Say which rows are kept and which are made; `X` is what `_read` returned."""

    def _read(self, rows: Rows[Any]) -> Any:
        """Return what the algorithm looks at: the numeric columns as floats."""
        X = numeric_matrix(rows)
        given = self.get_params(deep=False).values()  # type: ignore[attr-defined]
        # Sparse tables have no distance for missing values, but a user's object may.
        measured = not any(hasattr(value, "kneighbors") for value in given)
        if measured and not isinstance(X, np.ndarray) and np.isnan(X.data).any():
            rule = "distances to rows with missing values (NaN) need a dense table"
            got = f"a sparse matrix with {np.count_nonzero(np.isnan(X.data)):,} of them"
            todo = "Fill them in first, or convert X by .toarray()"
            raise DataError(message(rows.who, rule, got, todo))
        return X

    def _make(self, X: Any, plan: Plan) -> Any:
        """Return the values of the new rows."""
        made = plan.made
        parts = plan.base[made], plan.mate[made], plan.step[made]
        return on_segments(X, *parts, n_jobs=getattr(self, "n_jobs", None))

    def _write(self, rows: Rows[Any], plan: Plan, values: Any, renumber: bool) -> Any:
        """Return the resampled table."""
        measured = None
        if values is not None:
            columns = measured_columns(rows)
            measured = columns if len(columns) < rows.n_columns else None
        return assemble(rows, plan, values, measured, renumber=renumber)

    def _read_checked(self, X: Any, y: Any) -> tuple[Rows[Any], Target, Any]:
        """Read the table and the target, and resolve the strategy."""
        who = type(self).__name__
        rows = _rows(X, who)
        target = Target(y, who, rows.n_rows)
        validate_data(self, X if hasattr(X, "shape") else rows.native, skip_check_array=True)
        data = self._read(rows)
        self.sampling_strategy_ = self._resolve(target, who)
        return rows, target, data

    def _resolve(self, target: Target, who: str) -> Any:
        """Return the fitted attribute ``sampling_strategy_``."""
        return resolve_strategy(
            self.sampling_strategy,  # type: ignore[attr-defined]
            target,
            self._sampling_type,
            missing_classes=self.missing_classes,  # type: ignore[attr-defined]
            who=who,
        )

    def _remember(self, plan: Plan, target: Target, weights: Any) -> None:
        """Set what says where the rows came from, and what that did to the classes."""
        self.sample_indices_ = plan.base
        self.parents_ = plan.parents
        self.steps_ = plan.step
        self.effective_prior_ = _shares(target, target.codes[plan.base], weights)

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return {name: value for name, value in state.items() if name not in _PRIVATE}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.sampler_tags.sample_indices = True
        tags.input_tags.allow_nan = True
        return tags


def _rows(X: Any, who: str) -> Rows[Any]:
    """Wrap the table; lists and other array-likes become arrays."""
    if getattr(X, "ndim", 2) == 1 and not hasattr(X, "to_frame"):
        rule = "Expected 2D array, got 1D array instead; X must have rows and columns"
        todo = "Reshape your data with X.reshape(-1, 1) if it is one feature"
        raise DataError(message(who, rule, f"shape {np.shape(X)}", todo))
    rows = wrap(X, who=who)
    if not rows.n_rows or not rows.n_columns:
        missing = "sample" if not rows.n_rows else "feature"
        shape = (rows.n_rows, rows.n_columns)
        rule = f"Found array with 0 {missing}(s) (shape={shape}) while a minimum of 1 is required"
        raise DataError(message(who, rule))
    return rows


def _shares(target: Target, codes: AnyArray, weights: Any) -> dict[Any, float]:
    """Share of every class after resampling, by weight where there are weights."""
    n_classes = target.classes.size
    given = None if weights is None else np.asarray(weights, dtype=float).ravel()
    totals = np.bincount(codes, weights=given, minlength=n_classes)
    shares = totals / totals.sum() if totals.sum() else totals
    return dict(zip(target.classes, shares.tolist(), strict=True))
