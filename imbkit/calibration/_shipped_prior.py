"""Models of scikit-learn whose own parameters take up a change of the class shares."""

from copy import copy
from typing import Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, GaussianNB, MultinomialNB
from sklearn.pipeline import Pipeline

from imbkit._core.types import FloatArray

__all__ = ["with_factors"]


def with_factors(model: Any, ratio: FloatArray) -> Any:
    """Return a model that gives each class's probability multiplied by a factor, or None.

    Parameters
    ----------
    model : estimator
        Fitted classifier or pipeline of scikit-learn.
    ratio : ndarray of shape (n_classes,)
        Positive factors.

    Returns
    -------
    estimator or None
        A shallow copy: logistic regression and linear discriminants with another intercept,
        naive Bayes with other priors, a pipeline that ends in one. None for other models.
    """
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        changed = with_factors(last, ratio)
        return None if changed is None else Pipeline([*model.steps[:-1], (name, changed)])
    log_ratio = np.log(ratio)
    changed = copy(model)
    if isinstance(model, (LogisticRegression, LinearDiscriminantAnalysis)):
        one = np.size(model.intercept_) == 1 or len(model.classes_) == 2
        added = log_ratio[1] - log_ratio[0] if one else log_ratio
        changed.intercept_ = np.asarray(model.intercept_ + added)
    elif isinstance(model, GaussianNB):
        prior = model.class_prior_ * ratio
        changed.class_prior_ = prior / prior.sum()
    elif isinstance(model, (BernoulliNB, CategoricalNB, MultinomialNB)):
        changed.class_log_prior_ = model.class_log_prior_ + log_ratio
    else:
        return None
    return changed
