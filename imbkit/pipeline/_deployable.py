"""What to ship in place of a fitted model, held against the model."""

from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from imbkit._core.deploy import deploy
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError

__all__ = ["check_same", "deployable"]

METHODS = ("predict", "predict_proba", "decision_function")


def deployable(model: Any, X: Any = None) -> Any:
    """Return what to ship in place of a fitted model: the same predictions, no samplers.

    Choose it before a model is saved or converted: samplers serve training only, and without
    them the model needs neither imbalanced-learn nor imbkit where it is used.

    Parameters
    ----------
    model : estimator
        A fitted estimator. A pipeline ships as one of scikit-learn without its samplers and
        without those of nested pipelines, a :class:`~imbkit.thresholds.ThresholdClassifierCV`
        as a FixedThresholdClassifier, anything else as it is.
    X : table of shape (n_rows, n_features), default=None
        Rows on which ``predict``, ``predict_proba`` and ``decision_function`` (those that the
        model has) are compared; None compares nothing.

    Returns
    -------
    estimator
        Fitted. It shares its fitted parts with `model`, which is left as it was.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    InvalidParameterError
        If `model` is no estimator, a part of it cannot ship, or the predictions of the two
        are not exactly equal on `X`.

    See Also
    --------
    Pipeline : A pipeline whose samplers take companions along.
    imbkit.thresholds.ThresholdClassifierCV : A threshold that ships with its model.

    Notes
    -----
    Estimators held by other meta-estimators are not looked at: the ensembles of
    imbalanced-learn hold a sampler for each member and need the library to be loaded again.
    A search ships whole; pass its ``best_estimator_`` instead. Nothing is copied.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from imbkit.pipeline import deployable, make_pipeline
    >>> from imbkit.sampling import SMOTE
    >>> from imbkit.thresholds import ThresholdClassifierCV
    >>> X, y = make_classification(1000, weights=[0.9], random_state=0)
    >>> learner = make_pipeline(SMOTE(random_state=0), LogisticRegression())
    >>> model = ThresholdClassifierCV(learner, "f1").fit(X, y)
    >>> shipped = deployable(model, X[:100])
    >>> type(shipped).__name__, list(shipped.estimator.estimator.named_steps)
    ('FixedThresholdClassifier', ['logisticregression'])
    """
    who = "deployable"
    if isinstance(model, type) or not hasattr(model, "fit"):
        rule = "the model must be a fitted estimator"
        raise InvalidParameterError(message(who, rule, model, "Fit one first"))
    try:
        check_is_fitted(model)
    except NotFittedError:
        rule = "the model must be fitted"
        raise NotFittedError(message(who, rule, model, "Call fit first")) from None
    shipped = deploy(model)
    if X is not None:
        check_same(model, shipped, X)
    return shipped


def check_same(model: Any, shipped: Any, X: Any) -> None:
    """Refuse to ship what answers otherwise than the model.

    Parameters
    ----------
    model, shipped : estimator
        Fitted estimators.
    X : table of shape (n_rows, n_features)
        Rows on which every method of the model must give exactly equal values.

    Raises
    ------
    InvalidParameterError
        If a method is missing or a value differs.
    """
    for method in METHODS:
        if hasattr(model, method):
            _check_method(model, shipped, method, X)


def _check_method(model: Any, shipped: Any, method: str, X: Any) -> None:
    rule = f"{method} must be exactly equal before and after"
    if not hasattr(shipped, method):
        got = f"a {type(shipped).__name__} without this method"
        raise InvalidParameterError(message("deployable", rule, got, "Ship the model itself"))
    before, after = (np.asarray(getattr(each, method)(X)) for each in (model, shipped))
    if before.shape == after.shape:
        # NaN equals NaN here; labels may be texts, which have none.
        same = (before == after) | ((before != before) & (after != after))
        got = f"{np.count_nonzero(~same):,} other values of {before.size:,}"
    else:
        same, got = np.False_, f"shape {after.shape} instead of {before.shape}"
    if not np.all(same):
        todo = "Ship the model itself, and see whether a part of it draws random numbers"
        raise InvalidParameterError(message("deployable", rule, got, todo))
