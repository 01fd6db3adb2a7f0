"""Steps that keep what they were given."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.dummy import DummyClassifier


class Keeper(ClassifierMixin, BaseEstimator):
    """A classifier that keeps what its fit was given."""

    def __init__(self, C=1.0):
        self.C = C

    def fit(self, X, y, sample_weight=None, *, groups=None, amount=None, eval_set=None, X_val=None):
        self.classes_ = np.unique(y)
        self.X_, self.y_ = X, y
        self.got_ = {"sample_weight": sample_weight, "groups": groups, "amount": amount}
        self.eval_set_, self.X_val_ = eval_set, X_val
        self.model_ = DummyClassifier().fit(X, y, sample_weight)
        return self

    def predict(self, X):
        self.predicted_on_ = X
        return self.model_.predict(X)

    def fit_predict(self, X, y, **params):
        return self.fit(X, y, **params).predict(X)

    def score(self, X, y, sample_weight=None):
        return self.model_.score(X, y, sample_weight)


class Heedless(ClassifierMixin, BaseEstimator):
    """A classifier whose fit names nothing but rows and labels."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[0], len(X))


class Shift(TransformerMixin, BaseEstimator):
    """An affine transformer that keeps the weights that its fit was given."""

    def __init__(self, by=1.0):
        self.by = by

    def fit(self, X, y=None, sample_weight=None):
        self.weight_ = sample_weight
        self.n_rows_ = len(X)
        return self

    def transform(self, X):
        return X + self.by


class Plain(BaseEstimator):
    """A transformer without fit_transform."""

    def fit(self, X, y=None):
        self.n_rows_ = len(y)
        return self

    def transform(self, X):
        return X * 2


class Halves(BaseEstimator):
    """A sampler of somebody else that carries companions: it keeps every other row."""

    def fit_resample(self, X, y, *, sample_weight=None, groups=None, **companions):
        given = {"sample_weight": sample_weight, "groups": groups, **companions}
        self.called_with_ = {name for name, values in given.items() if values is not None}
        self.companions_ = {
            name: np.asarray(given[name])[::2] for name in sorted(self.called_with_)
        }
        return X[::2], y[::2]

    def fit(self, X, y):
        return self


def is_affine(values, X):
    """Whether values are an affine function of the rows, all of them, and not a constant."""
    design = np.column_stack([np.asarray(X), np.ones(len(X))])
    found = np.linalg.lstsq(design, np.asarray(values, float), rcond=None)[0]
    return np.ptp(values) > 0.1 and np.allclose(design @ found, values, atol=1e-9)
