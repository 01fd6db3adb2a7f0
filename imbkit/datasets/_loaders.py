"""Loaders of the shipped tables: one thin function a table, for its name and its page."""

from typing import Any, Literal

from imbkit._core.messages import listing, message, shorten
from imbkit.datasets._read import load
from imbkit.datasets._tables import Column
from imbkit.exceptions import InvalidParameterError

__all__ = [
    "load_car_evaluation",
    "load_glass",
    "load_online_shoppers",
    "load_page_blocks",
    "load_sick",
    "load_wine_quality",
    "load_yeast",
]


def load_sick(*, return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load the thyroid table 'sick': few ill patients, missing values, mixed columns.

    Choose it for a first try of anything: it has what real tables have (missing values, flags,
    a nominal column, constant and repeated rows) and one row in sixteen is positive.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return the pair ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a pandas DataFrame and Series. If False, return numpy arrays, for which pandas
        need not be installed.

    Returns
    -------
    Bunch, or a pair of data and target
        Fields of the Bunch: ``data`` of shape (3772, 29), ``target`` of shape (3772,),
        ``frame`` (both in one DataFrame, or None), ``feature_names``, ``target_names``
        (the classes, in order), ``positive_label`` (``"sick"``), ``categories``
        (levels of each categorical feature) and ``DESCR``.

    Raises
    ------
    MissingExtraError
        If `as_frame` is true and pandas is not installed.

    See Also
    --------
    load_online_shoppers : More rows, few missing values.

    Notes
    -----
    Classes: negative 3541, sick 231.

    Frames hold numbers as float64, flags as bool, ``sex`` and ``referral source`` as category.
    Arrays are float64: flags are 0 and 1, categories their position in ``categories``, missing
    cells NaN.

    There are 6064 missing cells: 1 ``age``, 150 ``sex``, 369 ``TSH``, 769 ``T3``, 231 ``TT4``,
    387 ``T4U``, 385 ``FTI`` and all of ``TBG``, which was never measured. The feature
    ``sick`` is what the patient reports; the diagnosis is the target ``class``. One age is 455
    at the source.

    References
    ----------
    .. [1] R. Quinlan, "Thyroid Disease", UCI Machine Learning Repository, 1986,
           doi:10.24432/C5D010.
    .. [2] J. R. Quinlan, P. J. Compton, K. A. Horn, L. Lazarus, "Inductive knowledge
           acquisition: a case study", Proceedings of the Second Australian Conference on
           Applications of Expert Systems, 1986.

    Examples
    --------
    >>> from imbkit.datasets import load_sick
    >>> sick = load_sick()
    >>> sick.data.shape
    (3772, 29)
    >>> int((sick.target == sick.positive_label).sum())
    231
    """
    return load(["sick"], who="load_sick", return_X_y=return_X_y, as_frame=as_frame)


def load_wine_quality(
    *,
    color: Literal["red", "white", "both"] = "red",
    return_X_y: bool = False,
    as_frame: bool = True,
) -> Any:
    """Load tasters' grades of Portuguese wines: an ordered target with rare ends.

    Choose it for ordinal methods, or with its lowest or highest grades as the positive class.

    Parameters
    ----------
    color : {"red", "white", "both"}, default="red"
        Which wines. With ``"both"``, the red wines come first and a nominal feature ``color``
        is added.
    return_X_y : bool, default=False
        Return the pair ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a pandas DataFrame and Series. If False, return numpy arrays, for which pandas
        need not be installed.

    Returns
    -------
    Bunch, or a pair of data and target
        Fields of the Bunch: ``data`` of shape (n_rows, 11) or (n_rows, 12), ``target`` of shape
        (n_rows,), ``frame`` (both in one DataFrame, or None), ``feature_names``,
        ``target_names`` (the grades, ascending), ``positive_label`` (None: more than two
        classes), ``categories`` (levels of each categorical feature) and ``DESCR``. There are
        1599 red and 4898 white wines.

    Raises
    ------
    InvalidParameterError
        If `color` is something else.
    MissingExtraError
        If `as_frame` is true and pandas is not installed.

    See Also
    --------
    load_car_evaluation : An ordered target over nominal features.

    Notes
    -----
    Classes of the red wines: grade 3 10, 4 53, 5 681, 6 638, 7 199, 8 18. Classes of the white
    wines: grade 3 20, 4 163, 5 1457, 6 2198, 7 880, 8 175, 9 5.

    In frames the features are float64 and the target is an ordered category of integers; in
    arrays the target is int64. Nothing is missing. 240 rows of the red and 937 of the white
    table repeat an earlier row: keep equal rows in one fold.

    References
    ----------
    .. [1] P. Cortez, A. Cerdeira, F. Almeida, T. Matos, J. Reis, "Wine Quality", UCI Machine
           Learning Repository, 2009, doi:10.24432/C56S3T.
    .. [2] P. Cortez, A. Cerdeira, F. Almeida, T. Matos, J. Reis, "Modeling wine preferences by
           data mining from physicochemical properties", Decision Support Systems 47(4), 2009,
           doi:10.1016/j.dss.2009.05.016.

    Examples
    --------
    >>> from imbkit.datasets import load_wine_quality
    >>> wine = load_wine_quality(color="white")
    >>> wine.data.shape
    (4898, 11)
    >>> wine.target.value_counts(sort=False).tolist()
    [20, 163, 1457, 2198, 880, 175, 5]
    """
    colors = {"red": ["red"], "white": ["white"], "both": ["red", "white"]}
    if not isinstance(color, str) or color not in colors:
        rule = f"color must be one of {listing(colors)}"
        raise InvalidParameterError(message("load_wine_quality", rule, shorten(color)))
    return load(
        [f"wine_quality_{name}" for name in colors[color]],
        who="load_wine_quality",
        return_X_y=return_X_y,
        as_frame=as_frame,
        source=Column("color", "nominal", ("red", "white")) if color == "both" else None,
    )


def load_online_shoppers(*, return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load visits of an online shop: which of them end in a purchase.

    Choose it for a medium-sized table with several nominal columns.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return the pair ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a pandas DataFrame and Series. If False, return numpy arrays, for which pandas
        need not be installed.

    Returns
    -------
    Bunch, or a pair of data and target
        Fields of the Bunch: ``data`` of shape (12330, 17), ``target`` of shape (12330,),
        ``frame`` (both in one DataFrame, or None), ``feature_names``, ``target_names``
        (the classes, in order), ``positive_label`` (True), ``categories``
        (levels of each categorical feature) and ``DESCR``.

    Raises
    ------
    MissingExtraError
        If `as_frame` is true and pandas is not installed.

    See Also
    --------
    make_transactions : Many rows with times and amounts.

    Notes
    -----
    Classes: False 10422, True 1908.

    In frames the numbers, durations and rates are float64, ``Weekend`` and the target bool,
    the other columns category. Arrays are float64 (flags 0 and 1, categories their position in
    ``categories``) and the target bool.

    The table comes from an earlier public copy, in which 14 visits lack their first eight
    values (112 missing cells) and 33 have durations of -1. Both were left as they are.

    References
    ----------
    .. [1] C. O. Sakar, Y. Kastro, "Online Shoppers Purchasing Intention Dataset", UCI Machine
           Learning Repository, 2018, doi:10.24432/C5F88Q.
    .. [2] C. O. Sakar, S. O. Polat, M. Katircioglu, Y. Kastro, "Real-time prediction of online
           shoppers' purchasing intention using multilayer perceptron and LSTM recurrent neural
           networks", Neural Computing and Applications 31, 2019,
           doi:10.1007/s00521-018-3523-0.

    Examples
    --------
    >>> from imbkit.datasets import load_online_shoppers
    >>> X, y = load_online_shoppers(return_X_y=True)
    >>> X.shape, int(y.sum())
    ((12330, 17), 1908)
    """
    return load(
        ["online_shoppers"], who="load_online_shoppers", return_X_y=return_X_y, as_frame=as_frame
    )


def load_yeast(*, return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load sites of proteins in yeast cells: ten classes, the smallest with five rows.

    Choose it for many-class methods and for classes smaller than a number of folds.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return the pair ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a pandas DataFrame and Series. If False, return numpy arrays, for which pandas
        need not be installed.

    Returns
    -------
    Bunch, or a pair of data and target
        Fields of the Bunch: ``data`` of shape (1484, 8), ``target`` of shape (1484,),
        ``frame`` (both in one DataFrame, or None), ``feature_names``, ``target_names``
        (the classes, in order), ``positive_label`` (None: more than two classes), ``categories``
        (levels of each categorical feature) and ``DESCR``.

    Raises
    ------
    MissingExtraError
        If `as_frame` is true and pandas is not installed.

    See Also
    --------
    load_glass : Six classes, fewer rows.

    Notes
    -----
    Classes: CYT 463, NUC 429, MIT 244, ME3 163, ME2 51, ME1 44, EXC 35, VAC 30, POX 20, ERL 5.

    In frames the features are float64 and the target is category; in arrays the target is an
    array of str. Nothing is missing.

    The sequence name was dropped, which leaves repeated rows. The source's description counts
    37 rows of EXC; its file and this table have 35.

    References
    ----------
    .. [1] K. Nakai, "Yeast", UCI Machine Learning Repository, 1991, doi:10.24432/C5KG68.
    .. [2] P. Horton, K. Nakai, "A probabilistic classification system for predicting the
           cellular localization sites of proteins", Proceedings of the Fourth International
           Conference on Intelligent Systems for Molecular Biology, 1996.

    Examples
    --------
    >>> from imbkit.datasets import load_yeast
    >>> yeast = load_yeast()
    >>> yeast.data.shape
    (1484, 8)
    >>> int((yeast.target == "ERL").sum())
    5
    """
    return load(["yeast"], who="load_yeast", return_X_y=return_X_y, as_frame=as_frame)


def load_page_blocks(*, return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load blocks of scanned pages: mostly text, rarely a graphic or a line.

    Choose it for a table of numbers with one class of 90 percent and four rare ones.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return the pair ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a pandas DataFrame and Series. If False, return numpy arrays, for which pandas
        need not be installed.

    Returns
    -------
    Bunch, or a pair of data and target
        Fields of the Bunch: ``data`` of shape (5472, 10), ``target`` of shape (5472,),
        ``frame`` (both in one DataFrame, or None), ``feature_names``, ``target_names``
        (the classes, in order), ``positive_label`` (None: more than two classes), ``categories``
        (levels of each categorical feature) and ``DESCR``.

    Raises
    ------
    MissingExtraError
        If `as_frame` is true and pandas is not installed.

    See Also
    --------
    load_yeast : Ten classes.

    Notes
    -----
    Classes: text 4913, horizontal line 329, graphic 28, vertical line 87, picture 115.

    In frames counts of pixels are int64, the other features float64 and the target category; in
    arrays the target is an array of str. Nothing is missing.

    The table is one row short of the source, which has 5473 rows and 88 vertical lines: it was
    made from the copy of the KEEL repository, where that row is missing.

    References
    ----------
    .. [1] D. Malerba, "Page Blocks Classification", UCI Machine Learning Repository, 1994,
           doi:10.24432/C5J590.
    .. [2] F. Esposito, D. Malerba, G. Semeraro, "Multistrategy learning for document
           recognition", Applied Artificial Intelligence 8, 1994.

    Examples
    --------
    >>> from imbkit.datasets import load_page_blocks
    >>> blocks = load_page_blocks()
    >>> blocks.target_names
    ['text', 'horizontal line', 'graphic', 'vertical line', 'picture']
    >>> blocks.data.shape
    (5472, 10)
    """
    return load(["page_blocks"], who="load_page_blocks", return_X_y=return_X_y, as_frame=as_frame)


def load_glass(*, return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load kinds of glass by refraction and oxides: six classes in 214 rows.

    Choose it for the smallest real table: classes of 9 to 76 rows.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return the pair ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a pandas DataFrame and Series. If False, return numpy arrays, for which pandas
        need not be installed.

    Returns
    -------
    Bunch, or a pair of data and target
        Fields of the Bunch: ``data`` of shape (214, 9), ``target`` of shape (214,),
        ``frame`` (both in one DataFrame, or None), ``feature_names``, ``target_names``
        (the classes, in order), ``positive_label`` (None: more than two classes), ``categories``
        (levels of each categorical feature) and ``DESCR``.

    Raises
    ------
    MissingExtraError
        If `as_frame` is true and pandas is not installed.

    See Also
    --------
    load_yeast : Ten classes, more rows.

    Notes
    -----
    Classes: building_windows_float_processed 70, building_windows_non_float_processed 76,
    vehicle_windows_float_processed 17, containers 13, tableware 9, headlamps 29.

    In frames the features are float64 (``RI`` is the refractive index, the others are percent
    by weight of the oxide) and the target is category; in arrays the target is an array of str.
    Nothing is missing.

    The row number was dropped and the number of the type replaced by its name.

    References
    ----------
    .. [1] B. German, "Glass Identification", UCI Machine Learning Repository, 1987,
           doi:10.24432/C5WW2P.

    Examples
    --------
    >>> from imbkit.datasets import load_glass
    >>> glass = load_glass(as_frame=False)
    >>> glass.data.shape
    (214, 9)
    >>> int((glass.target == "tableware").sum())
    9
    """
    return load(["glass"], who="load_glass", return_X_y=return_X_y, as_frame=as_frame)


def load_car_evaluation(*, return_X_y: bool = False, as_frame: bool = True) -> Any:
    """Load graded cars: an ordered target over six ordered nominal features.

    Choose it where every feature is categorical, or for ordinal methods.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return the pair ``(data, target)`` instead of a Bunch.
    as_frame : bool, default=True
        Return a pandas DataFrame and Series. If False, return numpy arrays, for which pandas
        need not be installed.

    Returns
    -------
    Bunch, or a pair of data and target
        Fields of the Bunch: ``data`` of shape (1728, 6), ``target`` of shape (1728,),
        ``frame`` (both in one DataFrame, or None), ``feature_names``, ``target_names``
        (the classes, in order), ``positive_label`` (None: more than two classes), ``categories``
        (levels of each categorical feature) and ``DESCR``.

    Raises
    ------
    MissingExtraError
        If `as_frame` is true and pandas is not installed.

    See Also
    --------
    load_wine_quality : An ordered target over numbers.

    Notes
    -----
    Classes, ascending: unacc 1210, acc 384, good 69, vgood 65.

    In frames every column is an ordered category. Arrays are float64 (the position of each
    level in ``categories``, ascending) and the target is an array of str. Nothing is missing.

    Every combination of the features occurs once, so the table is a whole rule, not a sample
    of one.

    References
    ----------
    .. [1] M. Bohanec, "Car Evaluation", UCI Machine Learning Repository, 1988,
           doi:10.24432/C5JP48.
    .. [2] M. Bohanec, V. Rajkovic, "Knowledge acquisition and explanation for multi-attribute
           decision making", 8th International Workshop on Expert Systems and their
           Applications, 1988.

    Examples
    --------
    >>> from imbkit.datasets import load_car_evaluation
    >>> cars = load_car_evaluation()
    >>> cars.target.cat.categories.tolist()
    ['unacc', 'acc', 'good', 'vgood']
    >>> cars.categories["safety"]
    ['low', 'med', 'high']
    """
    return load(
        ["car_evaluation"], who="load_car_evaluation", return_X_y=return_X_y, as_frame=as_frame
    )
