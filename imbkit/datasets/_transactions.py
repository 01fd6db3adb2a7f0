"""A generator of card transactions in which it is known why each fraud is a fraud."""

from numbers import Integral, Real
from typing import Any

import numpy as np

from imbkit._core.messages import message, require, shorten
from imbkit._core.types import AnyArray, Seed
from imbkit.datasets._history import DAY, counts_and_sums
from imbkit.datasets._simulation import simulate
from imbkit.exceptions import InvalidParameterError

__all__ = ["make_transactions"]

WHO = "make_transactions"
START = np.datetime64("2024-01-01T00:00:00", "s")
WINDOWS = (1, 7, 30)


def make_transactions(
    n_customers: int = 500,
    n_terminals: int = 1000,
    n_days: int = 60,
    *,
    fraud_rate: float = 0.008,
    label_delay: float = 7.0,
    drift: float | bool = False,
    random_state: Seed = None,
    as_frame: bool = True,
) -> Any:
    """Make card transactions with three known kinds of fraud and labels that come late.

    Choose it to try whatever a random split hides: splits by time, groups of customers, labels
    that are not known yet, costs that depend on the amount, drift. Real tables of this kind
    cannot be shared; this one is invented, so use it to compare ways of working rather than to
    predict how well a model will do in a bank.

    Parameters
    ----------
    n_customers : int, default=500
        Number of customers; each makes about two transactions a day.
    n_terminals : int, default=1000
        Number of terminals where customers pay.
    n_days : int, default=60
        Length of the record, from 2024-01-01.
    fraud_rate : float, default=0.008
        Expected share of frauds, above 0 and at most 0.2. The share of one table scatters
        around it, because terminals and customers are attacked for days or weeks: with the
        default sizes and rate nearly always between 0.004 and 0.014. High rates come out a
        little lower, as one transaction can be hit by two kinds of fraud.
    label_delay : float, default=7.0
        Days from a transaction until its label is known, from 0 to 3650.
    drift : float or bool, default=False
        How much spending and the kinds of fraud change over the record, from 0 (False) to 1
        (True).
    random_state : int, Generator, RandomState or None, default=None
        Seed. Each customer and terminal has its own stream of random numbers: with the same
        integer, more customers leave the transactions of the others as they were.
    as_frame : bool, default=True
        Return pandas objects. If False, return numpy arrays, for which pandas need not be
        installed.

    Returns
    -------
    Bunch
        Rows are in the order of time. ``data`` holds the features, of shape (n_rows, 14), all
        float64 or int64; ``target`` is 1 for a fraud, of shape (n_rows,); ``frame`` is one
        DataFrame with ``time``, ``customer``, ``terminal``, the features, ``fraud``,
        ``scenario`` and ``label_time`` (None for arrays). ``time``, ``customer``, ``terminal``,
        ``scenario`` and ``label_time`` also stand alone, of shape (n_rows,): they are no
        features. ``feature_names``, ``target_names``, ``positive_label`` (1) and ``DESCR``.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    MissingExtraError
        If `as_frame` is true and pandas is not installed.

    See Also
    --------
    fetch_credit_card_fraud : Real transactions, with features nobody can read.

    Notes
    -----
    *Customers* have a place, uniform in a square; a mean amount m, log-normal with median 35
    and sigma 0.6; a coefficient of variation c, uniform in [0.3, 0.7]; and a rate, gamma with
    shape 2 and mean 2 a day. A day's number of transactions is Poisson with that rate. Of the
    20 nearest terminals (*terminals* have a place in the same square), the r-th nearest is
    taken with probability proportional to 1 / r. Of 100 transactions 40 fall around 12:30
    (standard deviation 2 hours), 45 around 18:00 (2.5 hours) and 15 anywhere in the day.
    Genuine amounts are gamma with mean m (1 + drift s / 2) and coefficient of variation c,
    where s in [0, 1) is the elapsed part of the record; amounts above 250 are drawn anew,
    uniform in [0, 250], and none is below 0.01.

    *Frauds*, the first of these that applies to a transaction (its ``scenario``):

    1. A large purchase, 10 percent of the frauds, anywhere: the amount is 250 plus an
       exponential one of mean 100. Every amount above 250 is a fraud.
    2. A terminal was tampered with, 45 percent: for 14 to 28 days a transaction there is a
       fraud with probability 0.6 (1 - drift s). The amount tells nothing.
    3. A customer's card was stolen, 45 percent: for 7 to 21 days a transaction of the customer
       is a fraud with probability (1 + drift s) / 3, its amount multiplied by 5.

    Attacks start at any time, also before the record, with rate -log(1 - f / p) / d for a share
    f of frauds, a probability p and a mean duration of d days.

    *Features*: ``amount``; ``hour`` of the day; for windows w of 1, 7 and 30 days
    ``customer_count_w`` and ``customer_mean_w``, the number and mean amount of the customer's
    transactions in (t - w, t], this one included; ``terminal_count_w``, likewise for the
    terminal; and ``terminal_risk_w``, the share of frauds among the terminal's transactions
    whose label became known in [t - w, t), 0 where there are none. Nothing that comes later
    than a row, and no label that was not yet known, enters its features.

    O(n log n) time; 200,000 rows take about a second. Peak memory is about 60 numbers a row.
    The scenarios follow the idea of the simulator in [1]_; the distributions, the rates and the
    drift are this function's own.

    References
    ----------
    .. [1] Y.-A. Le Borgne, W. Siblini, B. Lebichot, G. Bontempi, "Reproducible machine learning
           for credit card fraud detection: practical handbook", Université Libre de Bruxelles,
           2022.

    Examples
    --------
    >>> from imbkit.datasets import make_transactions
    >>> payments = make_transactions(50, 100, 30, random_state=0)
    >>> payments.data.shape[1], bool(payments.time.is_monotonic_increasing)
    (14, True)
    >>> known = payments.label_time < payments.time.iloc[-1]
    >>> X, y = payments.data[known], payments.target[known]
    """
    _check_counts(n_customers=n_customers, n_terminals=n_terminals, n_days=n_days)
    _check_range("fraud_rate", fraud_rate, 0.0, 0.2, open_low=True)
    _check_range("label_delay", label_delay, 0.0, 3650.0)
    _check_range("drift", float(drift) if isinstance(drift, bool) else drift, 0.0, 1.0)
    pandas = require("pandas", "compare", WHO) if as_frame else None
    from sklearn.utils import Bunch  # brings all of scikit-learn's utilities along

    rows = simulate(
        int(n_customers),
        int(n_terminals),
        int(n_days),
        fraud_rate=float(fraud_rate),
        drift=float(drift),
        seed=_entropy(random_state),
    )
    delay = round(float(label_delay) * DAY)
    features = _features(rows, delay)
    time = START + rows["second"].astype("timedelta64[s]")
    columns: dict[str, AnyArray] = {
        "time": time,
        "customer": rows["customer"],
        "terminal": rows["terminal"],
        **features,
        "fraud": (rows["scenario"] > 0).astype(np.int64),
        "scenario": rows["scenario"],
        "label_time": time + np.timedelta64(delay, "s"),
    }
    frame = None
    if pandas is None:
        data: Any = np.column_stack([column.astype(float) for column in features.values()])
        parts: Any = columns
    else:
        frame = parts = pandas.DataFrame(columns)
        data = frame[list(features)]
    alone = ("time", "customer", "terminal", "scenario", "label_time")
    return Bunch(
        data=data,
        target=parts["fraud"],
        frame=frame,
        **{name: parts[name] for name in alone},
        feature_names=list(features),
        target_names=[0, 1],
        positive_label=1,
        DESCR=_describe(columns, n_customers, n_terminals, n_days, label_delay, drift),
    )


def _check_counts(**values: object) -> None:
    for name, value in values.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            rule = f"{name} must be a positive whole number"
            raise InvalidParameterError(message(WHO, rule, shorten(value)))


def _check_range(
    name: str, value: object, low: float, high: float, *, open_low: bool = False
) -> None:
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else np.nan
    # Comparisons with NaN are false, so NaN is refused too.
    if not low <= number <= high or (open_low and number == low):
        at_least = "above" if open_low else "of at least"
        rule = f"{name} must be a number {at_least} {low:g} and at most {high:g}"
        raise InvalidParameterError(message(WHO, rule, shorten(value)))


def _entropy(random_state: Seed) -> int:
    """Return one integer from which all streams are derived."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if isinstance(random_state, Integral) and int(random_state) >= 0:
        return int(random_state)
    rule = "random_state must be a non-negative integer, a Generator, a RandomState or None"
    raise InvalidParameterError(message(WHO, rule, shorten(random_state)))


def _features(rows: dict[str, AnyArray], delay: int) -> dict[str, AnyArray]:
    """Return the feature columns; sums are taken in whole cents, so they are exact."""
    second, cents = rows["second"], rows["cents"]
    fraud = (rows["scenario"] > 0).astype(np.int64)
    out: dict[str, AnyArray] = {"amount": cents / 100, "hour": second % DAY / 3600}
    for days in WINDOWS:
        count, total = counts_and_sums(
            rows["customer"], second, cents, window=days * DAY, delay=None
        )
        out[f"customer_count_{days}"] = count
        out[f"customer_mean_{days}"] = total / 100 / np.maximum(count, 1)
    for days in WINDOWS:
        out[f"terminal_count_{days}"], _ = counts_and_sums(
            rows["terminal"], second, cents, window=days * DAY, delay=None
        )
    for days in WINDOWS:
        count, total = counts_and_sums(
            rows["terminal"], second, fraud, window=days * DAY, delay=delay
        )
        out[f"terminal_risk_{days}"] = total / np.maximum(count, 1)
    return out


def _describe(
    columns: dict[str, AnyArray],
    n_customers: int,
    n_terminals: int,
    n_days: int,
    label_delay: float,
    drift: float,
) -> str:
    kinds = np.bincount(columns["scenario"], minlength=4)
    return (
        "Card transactions made by imbkit.datasets.make_transactions\n"
        f"{n_customers:,} customers, {n_terminals:,} terminals, {n_days:,} days, "
        f"labels after {label_delay:g} days, drift {float(drift):g}.\n"
        f"{kinds.sum():,} rows: {kinds[0]:,} genuine, {kinds[1]:,} large purchases, "
        f"{kinds[2]:,} at tampered terminals, {kinds[3]:,} with stolen cards."
    )
