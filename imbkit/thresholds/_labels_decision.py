"""Which of several labels a row has: a threshold for each, one for all, or the k likeliest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message, shorten
from imbkit._core.types import AnyArray, BoolArray, FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics._counts import check_weight
from imbkit.thresholds._base import BaseRule

__all__ = ["LabelsDecision", "label_probabilities", "per_label", "shared", "top_k"]

_SHOWN = 8  # labels whose thresholds are printed


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LabelsDecision:
    """A rule that says which of several labels each row has.

    Either a row has every label whose probability reaches the label's threshold, or it has
    its `k` likeliest labels.

    Parameters
    ----------
    thresholds : array-like of shape (n_labels,), default=None
        A row has a label where its probability is at least this; not NaN.
    k : int, default=None
        How many labels each row has, instead of thresholds.
    name : str, default=""
        What `value` measures, e.g. ``"f1"``.
    value : float, default=nan
        The objective where the decision was chosen, larger being better: the mean over the
        labels, or that of all pairs of a row and a label.
    values : ndarray of shape (n_labels,), default=None
        The objective of each label, where each has been decided on by itself.
    classes : sequence of str, default=None
        What to call the labels when printing.
    greater_is_better : bool, default=True
        Direction of what `name` measures; where False, the negative of `value` is printed.

    See Also
    --------
    Rule : The decision on one label.
    ClassDecision : The decision between classes of which each row has one.

    Notes
    -----
    O(n L) for thresholds, O(n L log L) for `k`. Of equally likely labels the first ones are
    among the `k`.

    Examples
    --------
    >>> from imbkit.thresholds import LabelsDecision
    >>> decision = LabelsDecision([0.5, 0.2], classes=("urgent", "billing"))
    >>> decision
    LabelsDecision('urgent' >= 0.5, 'billing' >= 0.2)
    >>> decision([[0.6, 0.3], [0.4, 0.1]]).tolist()
    [[1, 1], [0, 0]]
    >>> LabelsDecision(k=1)([[0.6, 0.3], [0.1, 0.1]]).tolist()
    [[1, 0], [1, 0]]
    """

    thresholds: FloatArray | None = None
    k: int | None = None
    name: str = ""
    value: float = np.nan
    values: FloatArray | None = None
    classes: tuple[Any, ...] | None = None
    greater_is_better: bool = True

    def __post_init__(self) -> None:
        """Refuse what decides nothing, and keep the arrays as they are now."""
        if (self.thresholds is None) == (self.k is None):
            rule = "a decision needs either the thresholds of the labels or their number k"
            got = "both" if self.k is not None else "neither"
            raise InvalidParameterError(message("LabelsDecision", rule, got))
        if self.k is not None:
            whole = isinstance(self.k, int | np.integer) and not isinstance(self.k, bool)
            if not whole or self.k < 1:
                rule = "k, the number of labels of each row, must be an integer of 1 or more"
                raise InvalidParameterError(message("LabelsDecision", rule, self.k))
        if self.classes is not None:
            object.__setattr__(self, "classes", tuple(np.asarray(self.classes).tolist()))
        if self.thresholds is not None:
            thresholds = np.array(self.thresholds, dtype=float)
            known = thresholds.size if self.classes is None else len(self.classes)
            if thresholds.shape != (known,) or not known or np.isnan(thresholds).any():
                rule = "thresholds must be numbers, one for each label"
                raise InvalidParameterError(message("LabelsDecision", rule, thresholds.tolist()))
            thresholds.flags.writeable = False
            object.__setattr__(self, "thresholds", thresholds)

    def __call__(self, probabilities: ArrayLike) -> IntArray:
        """Say which labels each row has.

        Parameters
        ----------
        probabilities : array-like of shape (n_rows, n_labels)
            Probability of each label.

        Returns
        -------
        ndarray of int, shape (n_rows, n_labels)
            1 where the row has the label, else 0.
        """
        P = np.asarray(probabilities)
        if self.thresholds is not None:
            _check_table(P, self.thresholds.size, "LabelsDecision")
            # Both are arrays, so a narrower dtype of the probabilities rounds no threshold.
            return (P >= self.thresholds).astype(np.intp)
        k = int(self.k or 0)
        _check_table(P, None, "LabelsDecision")
        if k > P.shape[1]:
            rule = "k must not exceed the number of labels"
            raise DataError(message("LabelsDecision", rule, f"k={k} of {P.shape[1]} labels"))
        order = np.argsort(-P.astype(float), axis=1, kind="stable")
        out = np.zeros(P.shape, dtype=np.intp)
        np.put_along_axis(out, order[:, :k], 1, axis=1)
        return out

    def __repr__(self) -> str:
        parts = []
        if self.thresholds is None:
            parts.append(f"{self.k} likeliest of each row")
        else:
            names = range(self.thresholds.size) if self.classes is None else self.classes
            pairs = list(zip(names, self.thresholds, strict=True))
            parts += [f"{shorten(name)} >= {cut:.4g}" for name, cut in pairs[:_SHOWN]]
            if len(pairs) > _SHOWN:
                parts.append(f"... {len(pairs) - _SHOWN} more")
        if self.name:
            value = self.value if self.greater_is_better else -self.value
            mean = "" if self.values is None else "mean "
            parts.append(f"{mean}{self.name}={value:.4g}")
        return f"LabelsDecision({', '.join(parts)})"


def per_label(
    rule: BaseRule,
    y_true: Any,
    probabilities: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    classes: Sequence[Any] | None = None,
) -> LabelsDecision:
    """Choose a threshold for each label by itself.

    Parameters
    ----------
    rule : BaseRule
        What is best, on each label against its absence. It must not need values of each row.
    y_true : array-like or sparse matrix of shape (n_rows, n_labels)
        1 where the row has the label, else 0.
    probabilities : array-like of shape (n_rows, n_labels)
        Probability of each label, from an estimator that has not seen the rows.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weights; one for every row if None.
    classes : sequence, default=None
        What to call the labels.

    Returns
    -------
    LabelsDecision
        Its value is the mean of the labels' own `values`.

    Raises
    ------
    DataError
        If the tables do not fit together, or a label has no row with it or none without.
    InvalidParameterError
        If the rule needs values of each row, or no threshold does what it does.

    Notes
    -----
    O(L n log n). This maximises the mean of the metric over the labels ("macro").
    """
    truth, P, weight = _checked(rule, y_true, probabilities, sample_weight, "per_label")
    names = list(range(P.shape[1]) if classes is None else classes)
    thresholds, values = np.empty(P.shape[1]), np.empty(P.shape[1])
    for label, name in enumerate(names):
        positive = truth[:, label]
        if positive.all() or not positive.any():
            rule_text = "each label must have rows with it and rows without it"
            got = f"label {shorten(name)} on {'every' if positive.any() else 'no'} row"
            todo = "Leave the label out, use fewer folds, or one threshold for all labels"
            raise DataError(message("per_label", rule_text, got, todo))
        thresholds[label], values[label] = _choose(rule, positive, P[:, label], weight)
    return LabelsDecision(
        thresholds,
        name=rule.name,
        value=float(values.mean()),
        values=values,
        classes=None if classes is None else tuple(classes),
        greater_is_better=rule.greater_is_better,
    )


def shared(
    rule: BaseRule,
    y_true: Any,
    probabilities: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    classes: Sequence[Any] | None = None,
) -> LabelsDecision:
    """Choose one threshold for all labels.

    Parameters
    ----------
    rule : BaseRule
        What is best over all pairs of a row and a label. It must not need values of each row.
    y_true : array-like or sparse matrix of shape (n_rows, n_labels)
        1 where the row has the label, else 0.
    probabilities : array-like of shape (n_rows, n_labels)
        Probability of each label, from an estimator that has not seen the rows.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weights; one for every row if None.
    classes : sequence, default=None
        What to call the labels.

    Returns
    -------
    LabelsDecision
        Equal thresholds.

    Raises
    ------
    DataError
        If the tables do not fit together, or no pair or every pair has the label.
    InvalidParameterError
        If the rule needs values of each row, or no threshold does what it does.

    Notes
    -----
    One sweep over the n L pairs, O(n L log(n L)). This maximises the metric of the counts
    added up over the labels ("micro"), among equal thresholds.
    """
    truth, P, weight = _checked(rule, y_true, probabilities, sample_weight, "shared")
    if truth.all() or not truth.any():
        text = "some rows must have a label, and some must lack one"
        got = "every row with every label" if truth.any() else "no row with a label"
        raise DataError(message("shared", text, got))
    n_labels = P.shape[1]
    repeated = None if weight is None else np.repeat(weight, n_labels)
    threshold, value = _choose(rule, truth.ravel(), P.ravel(), repeated)
    return LabelsDecision(
        np.full(n_labels, threshold),
        name=rule.name,
        value=value,
        classes=None if classes is None else tuple(classes),
        greater_is_better=rule.greater_is_better,
    )


def top_k(k: int, *, classes: Sequence[Any] | None = None) -> LabelsDecision:
    """Give each row its `k` likeliest labels.

    Parameters
    ----------
    k : int
        1 or more.
    classes : sequence, default=None
        What to call the labels.

    Returns
    -------
    LabelsDecision
        The decision.
    """
    return LabelsDecision(k=k, classes=None if classes is None else tuple(classes))


def label_probabilities(
    raw: Any, n_labels: int, *, classes: Sequence[Any] | None = None
) -> FloatArray:
    """Read the probabilities of labels in either form that estimators give them in.

    Parameters
    ----------
    raw : ndarray of shape (n_rows, n_labels), or list of n_labels arrays of shape (n_rows, 2)
        What ``predict_proba`` returned: a table (OneVsRestClassifier, ClassifierChain,
        MLPClassifier), or for each label the probabilities of its absence and its presence
        (forests, KNeighborsClassifier, MultiOutputClassifier).
    n_labels : int
        Number of labels.
    classes : sequence, default=None
        What to call the labels in messages.

    Returns
    -------
    ndarray of shape (n_rows, n_labels)
        Probability of each label.

    Raises
    ------
    DataError
        If there is another number of labels, a label was seen with one value only, or a
        probability is NaN.
    """
    who = "label_probabilities"
    if not isinstance(raw, list | tuple):
        table = np.asarray(raw)
        _check_table(table, n_labels, who)
        return table
    if len(raw) != n_labels:
        rule = f"there must be probabilities for each of the {n_labels} labels"
        raise DataError(message(who, rule, f"a list of {len(raw)} arrays"))
    columns = []
    for label, each in enumerate(raw):
        pair = np.asarray(each)
        name = label if classes is None else classes[label]
        if pair.ndim != 2 or pair.shape[1] > 2:
            rule = "each label must have the two values 0 and 1"
            raise DataError(message(who, rule, f"shape {pair.shape} for label {shorten(name)}"))
        if pair.shape[1] < 2:
            rule = "the estimator must have seen rows with each label and rows without it"
            todo = "Leave the label out, or use fewer folds"
            raise DataError(message(who, rule, f"one value only of label {shorten(name)}", todo))
        columns.append(pair[:, 1])
    table = np.column_stack(columns)
    _check_table(table, n_labels, who)
    return table


def _choose(
    rule: BaseRule, positive: BoolArray, score: FloatArray, weight: FloatArray | None
) -> tuple[float, float]:
    """Threshold on a label's probability, and the objective that it attains."""
    rule = rule.prepared(positive)
    curve = rule.curve(positive, rule.rescored(score), weight)
    threshold = rule.threshold(curve)
    return rule.deployed(threshold), float(curve.at(threshold))


def _checked(
    rule: BaseRule,
    y_true: Any,
    probabilities: ArrayLike,
    sample_weight: ArrayLike | None,
    who: str,
) -> tuple[BoolArray, FloatArray, FloatArray | None]:
    """Truth, probabilities and weights of the rows that have some."""
    names = rule.row_names()
    if names:
        text = "a rule for several labels must not need values of each row"
        got = f"{type(rule).__name__}, which needs {', '.join(names)}"
        raise InvalidParameterError(message(who, text, got, "Use numbers for all rows"))
    P = np.asarray(probabilities)
    table = y_true.toarray() if hasattr(y_true, "toarray") else np.asarray(y_true)
    if table.ndim != 2 or not table.size or not np.isin(table, (0, 1)).all():
        text = "y must be a table of 0 and 1 with one column for each label"
        todo = "Use scikit-learn's MultiLabelBinarizer"
        raise DataError(message(who, text, f"shape {table.shape}", todo))
    _check_table(P, table.shape[1], who)
    if len(P) != len(table):
        text = "y and the probabilities must have as many rows"
        raise DataError(message(who, text, f"{len(table):,} and {len(P):,}"))
    truth = table.astype(bool)
    weight = check_weight(sample_weight, len(P), who)
    if weight is None:
        return truth, P, None
    present = weight > 0
    return truth[present], P[present], weight[present]


def _check_table(P: AnyArray, n_labels: int | None, who: str) -> None:
    """Refuse what is no table of probabilities."""
    if P.ndim != 2 or P.dtype.kind not in "fiu" or (n_labels or P.shape[1]) != P.shape[1]:
        what = (
            "one column for each label" if n_labels is None else f"{n_labels} columns, one a label"
        )
        rule = f"the probabilities of labels must be numbers in {what}"
        raise DataError(message(who, rule, f"shape {P.shape} of dtype {P.dtype}"))
    if P.dtype.kind == "f" and np.isnan(P).any():
        rule, todo = "probabilities must not be NaN", "Look for missing values in the input"
        raise DataError(message(who, rule, f"{np.isnan(P).sum():,} NaN", todo))
