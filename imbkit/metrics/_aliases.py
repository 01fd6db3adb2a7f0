"""imbalanced-learn's functions under their own names, made of the same counts as the rest.

They give the same values where imbalanced-learn's are right. With `sample_weight` its
specificity is not (see :func:`specificity_score`), nor what is made of it.
"""

import inspect
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import message
from imbkit._core.types import AnyArray, FloatArray
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.metrics._association import iba_score
from imbkit.metrics._confusion import check_targets, class_counts
from imbkit.metrics._count_metric import CountMetric
from imbkit.metrics._counts import Counts, check_weight
from imbkit.metrics._rates import (
    f1_score,
    gmean_score,
    precision_score,
    recall_score,
    specificity_score,
)

__all__ = [
    "classification_report_imbalanced",
    "geometric_mean_score",
    "macro_averaged_mean_absolute_error",
    "make_index_balanced_accuracy",
    "sensitivity_specificity_support",
]


def sensitivity_specificity_support(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = None,
    sample_weight: ArrayLike | None = None,
) -> tuple[Any, Any, FloatArray | None]:
    """Return sensitivity, specificity and the rows of each class.

    Choose :func:`recall_score` and :func:`specificity_score` in new code.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_pred : array-like of shape (n_rows,)
        Predicted labels.
    labels : array-like, default=None
        Classes to report, and their order; not for "binary".
    pos_label : str, bool or int, default=1
        The positive class, for "binary".
    average : {"binary", "macro", "micro", "weighted"} or None, default=None
        None gives one value a class.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    sensitivity, specificity : float or ndarray of shape (n_classes,)
        The two rates.
    support : ndarray of shape (n_classes,) or None
        Weight of the rows of each class; None with an average.

    Raises
    ------
    DataError
        If the labels, their lengths or the weights cannot be used.
    InvalidParameterError
        If `average` is not one of the above.

    See Also
    --------
    recall_score : Sensitivity alone.
    specificity_score : Specificity alone.

    Notes
    -----
    Where imbalanced-learn finds only the negative class, it reports a binary specificity of
    0; here it is what the predictions deserve.

    Examples
    --------
    >>> from imbkit.metrics import sensitivity_specificity_support
    >>> sensitivity_specificity_support([0, 0, 1, 1], [0, 0, 1, 0], average="binary")
    (0.5, 1.0, None)
    """
    options: dict[str, Any] = {"labels": labels, "sample_weight": sample_weight}
    if average is None:
        who = "sensitivity_specificity_support"
        _, counts = class_counts(who, y_true, y_pred, labels, sample_weight)
        return recall_score.of(counts), specificity_score.of(counts), counts.positives
    options |= {"average": average, "pos_label": pos_label}
    sensitivity = recall_score(y_true, y_pred, **options)
    return sensitivity, specificity_score(y_true, y_pred, **options), None


def geometric_mean_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    pos_label: object = 1,
    average: str | None = "multiclass",
    sample_weight: ArrayLike | None = None,
    correction: float = 0.0,
) -> Any:
    """Geometric mean of the recalls, or of the averaged sensitivity and specificity.

    Choose :func:`gmean_score` in new code: the two differ for the averages "macro" and
    "weighted" only, where this function averages sensitivity and specificity over classes
    before it multiplies them.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_pred : array-like of shape (n_rows,)
        Predicted labels.
    labels : array-like, default=None
        Classes to include, and their order; not for "binary".
    pos_label : str, bool or int, default=1
        The positive class, for "binary".
    average : {"multiclass", "binary", "macro", "micro", "weighted"} or None, \
default="multiclass"
        "multiclass": the K-th root of the product of the recalls. Otherwise the root of
        sensitivity times specificity, each averaged in this way.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    correction : float, default=0.0
        Put in place of a recall of zero, for "multiclass".

    Returns
    -------
    float or ndarray of shape (n_classes,)
        The mean; an array for ``average=None``.

    Raises
    ------
    DataError
        If the labels, their lengths or the weights cannot be used.
    InvalidParameterError
        If `average` or `correction` is not permitted.

    See Also
    --------
    gmean_score : The count metric.

    Examples
    --------
    >>> from imbkit.metrics import geometric_mean_score
    >>> y_true, y_pred = [0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]
    >>> geometric_mean_score(y_true, y_pred)
    0.0
    >>> round(geometric_mean_score(y_true, y_pred, average="macro"), 3)
    0.471
    """
    if average == "multiclass":
        _, classes = class_counts("geometric_mean_score", y_true, y_pred, labels, sample_weight)
        return float(gmean_score.of_classes(classes, correction=correction))
    sensitivity, specificity, _ = sensitivity_specificity_support(
        y_true,
        y_pred,
        labels=labels,
        pos_label=pos_label,
        average=average,
        sample_weight=sample_weight,
    )
    mean = np.sqrt(sensitivity * specificity)
    return mean if average is None else float(mean)


def make_index_balanced_accuracy(
    *, alpha: float = 0.1, squared: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a decorator that shifts a metric towards the positive class.

    Choose :func:`iba_score` for the index of the G-mean.

    Parameters
    ----------
    alpha : float, default=0.1
        Weight of the dominance, sensitivity - specificity.
    squared : bool, default=True
        Whether the metric is squared first.

    Returns
    -------
    callable
        Takes a metric of `y_true` and `y_pred`, and returns the metric
        (1 + alpha (sensitivity - specificity)) metric^2.

    See Also
    --------
    iba_score : The index of the binary G-mean, as a count metric.

    Notes
    -----
    Sensitivity and specificity are averaged as the metric is, where it has an `average`;
    "multiclass" stands for "macro" there. A metric without one is taken as binary. A metric
    of scores is refused with an InvalidParameterError.

    References
    ----------
    V. García, J. S. Sánchez, R. A. Mollineda, "On the effectiveness of preprocessing methods
    when dealing with different levels of class imbalance", Knowledge-Based Systems 25, 2012,
    doi:10.1016/j.knosys.2011.06.013.

    Examples
    --------
    >>> from imbkit.metrics import geometric_mean_score, make_index_balanced_accuracy
    >>> index = make_index_balanced_accuracy(alpha=0.1)(geometric_mean_score)
    >>> index([1, 0, 0, 1, 0, 1], [0, 0, 1, 1, 0, 1], average=None).round(2).tolist()
    [0.44, 0.44]
    """

    def decorate(metric: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(metric)
        if not {"y_true", "y_pred"} <= signature.parameters.keys():
            rule = "the metric must have the parameters y_true and y_pred"
            raise InvalidParameterError(message("make_index_balanced_accuracy", rule, metric))

        @wraps(metric)
        def index(*args: Any, **keywords: Any) -> Any:
            bound = signature.bind(*args, **keywords)
            bound.apply_defaults()
            given = bound.arguments
            shared = ("y_true", "y_pred", "labels", "pos_label", "average", "sample_weight")
            same = {name: given[name] for name in shared if name in given}
            same["average"] = _rate_average(metric, given.get("average", "binary"))
            if same["average"] == "binary":
                same.pop("labels", None)
            sensitivity, specificity, _ = sensitivity_specificity_support(**same)
            value = np.power(metric(*args, **keywords), 2 if squared else 1)
            return (1.0 + alpha * (sensitivity - specificity)) * value

        return index

    return decorate


def classification_report_imbalanced(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    target_names: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    digits: int = 2,
    alpha: float = 0.1,
    output_dict: bool = False,
    zero_division: float | Literal["warn"] = "warn",
) -> str | dict[str, Any]:
    """Tabulate precision, recall, specificity, F1, G-mean and IBA of each class.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True labels.
    y_pred : array-like of shape (n_rows,)
        Predicted labels.
    labels : array-like, default=None
        Classes to report, and their order.
    target_names : array-like of shape (n_classes,), default=None
        What to call them.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.
    digits : int, default=2
        Decimal places in the text.
    alpha : float, default=0.1
        Weight of the dominance in the index of balanced accuracy.
    output_dict : bool, default=False
        Return a dictionary instead of a text.
    zero_division : float or "warn", default="warn"
        Value of precision, recall and F1 without a row in the denominator. "warn" is 0 with
        a warning.

    Returns
    -------
    str or dict
        One line a class and the averages weighted by the rows of each class; or
        ``{class: {"pre", "rec", "spe", "f1", "geo", "iba", "sup"}, ..., "avg_pre": ...,
        "total_support": ...}``.

    Raises
    ------
    DataError
        If the labels, their lengths or the weights cannot be used.
    InvalidParameterError
        If `target_names` does not have one name a class.

    See Also
    --------
    iba_score : The last column.

    Examples
    --------
    >>> from imbkit.metrics import classification_report_imbalanced
    >>> report = classification_report_imbalanced([0, 0, 1, 1], [0, 0, 1, 0], output_dict=True)
    >>> float(report["1"]["rec"]), float(report["avg_spe"])
    (0.5, 0.75)
    """
    who = "classification_report_imbalanced"
    classes, counts = class_counts(who, y_true, y_pred, labels, sample_weight)
    names = [str(c) for c in (classes if target_names is None else np.asarray(target_names))]
    if len(names) != classes.size:
        rule = f"target_names must have a name for each of the {classes.size} classes"
        raise InvalidParameterError(message(who, rule, names))
    columns = _report_columns(counts, alpha, zero_division)
    support = counts.positives if sample_weight is not None else counts.positives.astype(int)
    weights = support if support.any() else None
    averages = {
        title: float(np.average(column, weights=weights)) for title, column in columns.items()
    }
    if output_dict:
        report: dict[str, Any] = {
            name: {**{title: column[i] for title, column in columns.items()}, "sup": support[i]}
            for i, name in enumerate(names)
        }
        report |= {f"avg_{title}": value for title, value in averages.items()}
        return {**report, "total_support": support.sum()}
    rows = [[column[i] for column in columns.values()] for i in range(len(names))]
    return _report_text(names, [*columns, "sup"], rows, support, list(averages.values()), digits)


def macro_averaged_mean_absolute_error(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Mean over classes of the mean distance between true and predicted grade.

    Choose it for ordered classes of which some are rare; smaller is better.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True grades, whole numbers.
    y_pred : array-like of shape (n_rows,)
        Predicted grades.
    sample_weight : array-like of shape (n_rows,), default=None
        Non-negative weight of each row.

    Returns
    -------
    float
        Zero for perfect predictions.

    Raises
    ------
    DataError
        If the grades are not whole numbers, or the lengths or weights cannot be used.

    Notes
    -----
    The mean is over the classes with rows in `y_true`; imbalanced-learn fails where another
    class is predicted.

    References
    ----------
    S. Baccianella, A. Esuli, F. Sebastiani, "Evaluation measures for ordinal regression",
    ISDA, 2009, doi:10.1109/ISDA.2009.230.

    Examples
    --------
    >>> from imbkit.metrics import macro_averaged_mean_absolute_error
    >>> macro_averaged_mean_absolute_error([1, 1, 1, 3], [1, 1, 1, 1])
    1.0
    """
    who = "macro_averaged_mean_absolute_error"
    truth, guess, present = check_targets(who, y_true, y_pred)
    if present.dtype.kind not in "biuf":
        raise DataError(message(who, "grades must be whole numbers", present[:3].tolist()))
    weight = check_weight(sample_weight, truth.size, who)
    weight = np.ones(truth.size) if weight is None else weight
    classes, code = np.unique(truth, return_inverse=True)
    error = np.abs(truth.astype(float) - guess.astype(float))
    support = np.bincount(code, weight, classes.size)
    total = np.bincount(code, weight * error, classes.size)
    return float(np.mean(total[support > 0] / support[support > 0]))


def _rate_average(metric: Callable[..., Any], average: str | None) -> str | None:
    """Return the average of sensitivity and specificity that goes with the metric's."""
    if average == "auto" and isinstance(metric, CountMetric):
        average = "multiclass" if metric.over == "classes" else "binary"
    return "macro" if average == "multiclass" else average


def _report_columns(
    counts: Counts, alpha: float, zero_division: float | Literal["warn"]
) -> dict[str, FloatArray]:
    """Return the rates of a report, one entry a class."""
    if zero_division == "warn":
        zero_division = 0.0
        if not (counts.alerts.all() and counts.positives.all()):
            rule = "classes without a true or predicted row have precision or recall 0"
            todo = "Pass zero_division= to choose the value and silence this"
            text = message("classification_report_imbalanced", rule, todo=todo)
            warnings.warn(text, ImbkitWarning, stacklevel=3)
    recall, specificity = recall_score.of(counts), specificity_score.of(counts)
    return {
        "pre": precision_score.of(counts, zero_division=zero_division),
        "rec": recall_score.of(counts, zero_division=zero_division),
        "spe": specificity,
        "f1": f1_score.of(counts, zero_division=zero_division),
        "geo": np.sqrt(recall * specificity),
        "iba": iba_score.of(counts, alpha=alpha),
    }


def _report_text(
    names: list[str],
    titles: list[str],
    rows: list[list[float]],
    support: AnyArray,
    averages: list[float],
    digits: int,
) -> str:
    last = "avg / total"
    width = max(len(last), *(len(name) for name in names))

    def line(name: str, cells: list[str]) -> str:
        return f"{name:>{width}}  " + " ".join(f"{cell:>9}" for cell in cells) + "\n"

    def numbers(values: list[float], rows_of_class: Any) -> list[str]:
        return [*(f"{value:.{digits}f}" for value in values), f"{rows_of_class}"]

    body = "".join(
        line(name, numbers(values, n)) for name, values, n in zip(names, rows, support, strict=True)
    )
    return f"{line('', titles)}\n{body}\n{line(last, numbers(averages, support.sum()))}"
