"""Larger public tables, downloaded from OpenML on request and never otherwise."""

from pathlib import Path
from typing import Any

from imbkit._core.messages import message, require
from imbkit.exceptions import FetchError

__all__ = ["fetch_credit_card_fraud", "fetch_kddcup99"]


def fetch_credit_card_fraud(
    *,
    data_home: str | Path | None = None,
    return_X_y: bool = False,
    as_frame: bool = True,
) -> Any:
    """Fetch card payments of two days: one fraud in 578 rows (OpenML data set 1597).

    Choose it for extreme imbalance at scale; the features are principal components, so nothing
    can be said about their meaning. Needs about 150 MB of download once.

    Parameters
    ----------
    data_home : str or path, default=None
        Where downloads are kept; scikit-learn's data folder if None.
    return_X_y : bool, default=False
        Return the pair ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a pandas DataFrame and Series; numpy arrays if False.

    Returns
    -------
    Bunch, or a pair of data and target
        What :func:`sklearn.datasets.fetch_openml` returns: ``data`` of shape (284807, 29),
        ``target`` of shape (284807,) with the labels ``"0"`` and ``"1"``, ``frame``,
        ``feature_names``, ``target_names``, ``DESCR``; and ``positive_label`` (``"1"``).

    Raises
    ------
    FetchError
        If the table is not in the data folder and cannot be downloaded.
    MissingExtraError
        If `as_frame` is true and pandas is not installed.

    See Also
    --------
    make_transactions : Transactions with known fraud scenarios, without a download.
    sklearn.datasets.fetch_openml : What does the work.

    Notes
    -----
    Classes: "0" 284315, "1" 492. The features are V1 to V28 and ``Amount``. OpenML leaves out
    the source's ``Time``, so no split by time is possible.

    References
    ----------
    .. [1] A. Dal Pozzolo, O. Caelen, R. A. Johnson, G. Bontempi, "Calibrating probability with
           undersampling for unbalanced classification", IEEE Symposium Series on Computational
           Intelligence, 2015, doi:10.1109/SSCI.2015.33.

    Examples
    --------
    >>> from imbkit.datasets import fetch_credit_card_fraud
    >>> X, y = fetch_credit_card_fraud(return_X_y=True)  # doctest: +SKIP
    """
    return _fetch(1597, "fetch_credit_card_fraud", "1", data_home, return_X_y, as_frame)


def fetch_kddcup99(
    *,
    data_home: str | Path | None = None,
    return_X_y: bool = False,
    as_frame: bool = True,
) -> Any:
    """Fetch network connections with 22 kinds of attack (OpenML data set 1113).

    Choose it for long tails: 23 classes from 280,790 rows down to 2. Most rows are repeated, so
    a random split leaks; keep equal rows in one fold.

    Parameters
    ----------
    data_home : str or path, default=None
        Where downloads are kept; scikit-learn's data folder if None.
    return_X_y : bool, default=False
        Return the pair ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a pandas DataFrame and Series; numpy arrays if False.

    Returns
    -------
    Bunch, or a pair of data and target
        What :func:`sklearn.datasets.fetch_openml` returns: ``data`` of shape (494020, 41),
        ``target`` of shape (494020,), ``frame``, ``feature_names``, ``target_names``, ``DESCR``;
        and ``positive_label`` (None: more than two classes).

    Raises
    ------
    FetchError
        If the table is not in the data folder and cannot be downloaded.
    MissingExtraError
        If `as_frame` is true and pandas is not installed.

    See Also
    --------
    sklearn.datasets.fetch_kddcup99 : The same connections from their first address.
    sklearn.datasets.fetch_openml : What does the work.

    Notes
    -----
    This is the ten percent sample of the KDD Cup. OpenML has 494020 of its 494021 rows. Its
    largest classes at the source are smurf 280790, neptune 107201 and normal 97278.

    References
    ----------
    .. [1] S. Stolfo, W. Fan, W. Lee, A. Prodromidis, P. Chan, "KDD Cup 1999 Data", UCI Machine
           Learning Repository, 1999, doi:10.24432/C51C7N.
    .. [2] M. Tavallaee, E. Bagheri, W. Lu, A. A. Ghorbani, "A detailed analysis of the KDD CUP
           99 data set", IEEE Symposium on Computational Intelligence for Security and Defense
           Applications, 2009, doi:10.1109/CISDA.2009.5356528.

    Examples
    --------
    >>> from imbkit.datasets import fetch_kddcup99
    >>> X, y = fetch_kddcup99(return_X_y=True)  # doctest: +SKIP
    """
    return _fetch(1113, "fetch_kddcup99", None, data_home, return_X_y, as_frame)


def _fetch(
    data_id: int,
    who: str,
    positive: str | None,
    data_home: str | Path | None,
    return_X_y: bool,
    as_frame: bool,
) -> Any:
    """Ask scikit-learn for an OpenML table; say what to do when the network fails."""
    if as_frame:
        require("pandas", "compare", who)
    from sklearn import datasets  # heavy, and only needed here

    home = None if data_home is None else str(data_home)
    # The parser that needs pandas is faster, the other one serves those who have none.
    parser = "auto" if as_frame else "liac-arff"
    try:
        bunch = datasets.fetch_openml(
            data_id=data_id, data_home=home, as_frame=as_frame, parser=parser
        )
    except OSError as error:
        rule = f"OpenML data set {data_id} must be downloadable, or downloaded before"
        todo = (
            "Check the network or proxy and try again; or copy the folder 'openml' of a machine "
            "that has it and pass the folder above as data_home"
        )
        got = f"{type(error).__name__}: {error}"
        raise FetchError(message(who, rule, got, todo)) from error
    if return_X_y:
        return bunch.data, bunch.target
    bunch.positive_label = positive
    return bunch
