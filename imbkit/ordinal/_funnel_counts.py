"""Logs of how many reached each stage, as rows, an ordered target and weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from imbkit._core.containers import Rows, wrap
from imbkit._core.messages import message, shorten
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError
from imbkit.ordinal._funnel import category_names, numbers_of, ordered_categories

__all__ = ["funnel_from_counts"]

_WHO = "funnel_from_counts"
_RULE = "counts must be numbers from 0, finite and not missing"
# Sums of fractions, such as 0.1 + 0.2, differ from what they stand for by less than this.
_ROUNDING = 8 * np.finfo(np.float64).eps


def funnel_from_counts(
    X: Any, counts: Any, *, names: Sequence[str] | None = None
) -> tuple[Any, Any, FloatArray]:
    """Return weighted rows and an ordered target from how many reached each stage.

    Choose it for aggregated logs, where one row of `X` stands for many people: impressions,
    clicks and purchases of an advertisement on a day. Each row is repeated at most once for
    each stage instead of once for each person, and a fit with the returned weights is that of
    the rows written out. For one row a person take :func:`funnel_target`.

    Parameters
    ----------
    X : {array-like, frame, sparse matrix} of shape (n_rows, n_features)
        Features of each row; sparse matrices must be CSR or CSC.
    counts : {array-like, frame, sparse matrix} of shape (n_rows, n_stages + 1)
        How many reached each stage, everybody first, so that no row rises: impressions >=
        clicks >= purchases. Matched to `X` by position. Fractions, as of purchases that
        several clicks share, are permitted.
    names : sequence of n_stages + 1 str, default=None
        Names of the classes. None takes the names of a frame's columns, and otherwise "none",
        "stage_1", "stage_2", ... as :func:`funnel_target` does.

    Returns
    -------
    X_stages : table of shape (n_out, n_features)
        Rows of `X`, in its own kind, with its column names, dtypes and (pandas) index labels.
        The stages of a row lie together, from first to last.
    y : pandas.Categorical of shape (n_out,)
        The last stage that these people reached, ordered, with n_stages + 1 categories. One
        at which nobody stopped keeps its category; the estimators refuse to learn it.
    sample_weight : ndarray of shape (n_out,)
        How many people these are, in double precision and above 0: the difference between a
        count and the next one. Stages at which nobody of a row stopped are left out, and so
        are rows of zeros.

    Raises
    ------
    DataError
        If `X` and `counts` do not fit, a count is negative or no number, a row rises from one
        stage to the next, or all counts are 0.
    InvalidParameterError
        If the names are not distinct strings.
    MissingExtraError
        If pandas is not installed.

    See Also
    --------
    funnel_target : The target of one row for each person.
    PRESTOClassifier : Takes the three results in ``fit(X, y, sample_weight)``.

    Notes
    -----
    At most n_rows (n_stages + 1) rows result, whatever the counts. Fractional counts that fall
    or rise by no more than the rounding of a sum count as equal.

    Cross-validation of the result deals out whole weights: all people of a row at one stage
    are in the same fold. Scores need the weights, too.

    People whose later stages are not known yet (right-censored) look like people who stopped,
    and are out of scope. Leave out days younger than the time the last stage takes.

    Examples
    --------
    >>> from imbkit.ordinal import funnel_from_counts
    >>> X, counts = [[0.0], [1.0]], [[1000, 30, 2], [500, 40, 0]]
    >>> X, y, weight = funnel_from_counts(X, counts, names=["seen", "click", "purchase"])
    >>> X.ravel().tolist(), weight.tolist()
    ([0.0, 0.0, 0.0, 1.0, 1.0], [970.0, 28.0, 2.0, 460.0, 40.0])
    >>> y.tolist()
    ['seen', 'click', 'purchase', 'seen', 'click']
    """
    table, given = wrap(X, who=_WHO), wrap(counts, who=_WHO)
    categories = category_names(_WHO, given, [], names)
    if table.n_rows != given.n_rows:
        rule = "X and counts must have the same number of rows"
        raise DataError(message(_WHO, rule, f"{table.n_rows:,} and {given.n_rows:,} rows"))
    if given.n_columns < 2:
        rule = "counts must have a column for everybody and one for each stage"
        todo = "Pass impressions and clicks, for example"
        raise DataError(message(_WHO, rule, f"shape ({given.n_rows}, {given.n_columns})", todo))
    stopped = _stopped(given, categories)
    row, stage = np.nonzero(stopped)
    if not row.size:
        rule = "at least one count must be above 0"
        raise DataError(message(_WHO, rule, "zeros alone" if given.n_rows else "no rows"))
    y = ordered_categories(_WHO, stage, categories)
    return table.take(row).native, y, stopped[row, stage]


def _stopped(given: Rows[Any], names: Sequence[str]) -> FloatArray:
    """Return how many people of each row went no further than each stage."""
    left = np.empty((given.n_rows, given.n_columns), dtype=np.float64)
    for position, name in enumerate(names):
        values = numbers_of(_WHO, given, position, name, _RULE)
        odd = np.flatnonzero(~((values >= 0) & np.isfinite(values)))
        if odd.size:
            value = values[odd[0]]
            shown = "a missing value" if np.isnan(value) else f"{value:.6g}"
            got = f"{shown} in column {shorten(name)}, row {int(odd[0]):,}"
            raise DataError(message(_WHO, _RULE, got))
        left[:, position] = values
    further = left[:, 1:].copy()
    slack = _ROUNDING * left[:, :-1]
    left[:, :-1] -= further
    rises = left[:, :-1] < -slack
    if rises.any():
        row, stage = (int(found[0]) for found in np.nonzero(rises))
        before, after = left[row, stage] + further[row, stage], further[row, stage]
        rule = "no stage may be reached by more than the stage before it"
        n_rows = np.count_nonzero(rises.any(axis=1))
        got = f"{n_rows:,} {'row that rises' if n_rows == 1 else 'rows that rise'}"
        got += f", the first {row:,} ({shorten(names[stage])} {before:.10g}, "
        got += f"{shorten(names[stage + 1])} {after:.10g})"
        todo = "Order the columns from everybody to the last stage, each count holding the next"
        raise DataError(message(_WHO, rule, got, todo))
    left[:, :-1][left[:, :-1] <= slack] = 0.0
    return left
