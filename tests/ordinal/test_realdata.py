"""The models on five real tables: what holds whatever the rows are."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import train_test_split

from imbkit.ordinal import (
    PRESTOClassifier,
    PRESTOClassifierCV,
    ProportionalOddsClassifier,
    funnel_target,
)

pytestmark = pytest.mark.realdata

# Rows of each class, the one of interest last; grades with too few rows are merged.
TABLES = {
    "winequality_white": [20, 163, 1457, 2198, 880, 175, 5],
    "hillstrom_funnel": [54606, 8816, 578],
    "online_shoppers": [9230, 1192, 1908],
    "car_evaluation": [1210, 384, 69, 65],
    "esl": [52, 100, 116, 135, 62, 23],
}
MOST_ROWS, LEAST_ROWS = 6_000, 100

every_table = pytest.mark.parametrize("name", TABLES)


def stages_of(frame, name):
    """Classes from 0, in order."""
    target = frame["target"].astype(int)
    if name == "hillstrom_funnel":
        stages = pd.DataFrame({"visit": target >= 1, "conversion": target == 2})
        return np.array(funnel_target(stages).codes, dtype=int)
    if name == "online_shoppers":
        stages = pd.DataFrame({"valued page": frame["PageValues"] > 0, "purchase": target == 1})
        return np.array(funnel_target(stages, on_violation="deepest").codes, dtype=int)
    if name == "esl":
        target = target.clip(3, 8)
    return np.unique(target, return_inverse=True)[1]


def table(folder, name):
    """Features as numbers on one scale, and classes."""
    frame = pd.read_parquet(folder / f"{name}.parquet")
    y = stages_of(frame, name)
    features = frame.drop(columns=[c for c in frame if c.startswith("target")])
    features = pd.get_dummies(features.drop(columns="PageValues", errors="ignore"), drop_first=True)
    X = features.astype(float).fillna(0.0)
    # A level of a few rows may separate classes, and unpenalised weights have no optimum then.
    X = X.loc[:, (X != 0).sum() >= LEAST_ROWS].to_numpy()
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0), y


def halves(folder, name):
    """Training and test rows, at most so many of each."""
    X, y = table(folder, name)
    size = min(MOST_ROWS, y.size // 2)
    return train_test_split(X, y, train_size=size, test_size=size, stratify=y, random_state=0)


@every_table
def test_the_classes_are_those_of_the_table(data_folder, name):
    _, y = table(data_folder, name)
    assert np.bincount(y).tolist() == TABLES[name]


@every_table
def test_a_path_over_folds(data_folder, name):
    X, X_new, y, _ = halves(data_folder, name)
    model = PRESTOClassifierCV(alphas=10, eps=0.01, cv=2).fit(X, y)
    assert model.kkt_violation_ <= 1e-5 * model.alpha_max_
    P = model.predict_proba(X_new)
    assert P.min() >= 0
    np.testing.assert_allclose(P.sum(axis=1), 1.0, atol=1e-12)
    # Repairing boundaries that cross leaves the rare probability as it is.
    np.testing.assert_array_equal(P[:, -1], model.predict_exceedance(X_new)[:, -1])
    # At the largest penalty the model is the constant one, and a smaller one fits better.
    shares = np.bincount(y) / y.size
    fitted = log_loss(y, model.predict_proba(X))
    assert fitted <= -(shares * np.log(shares)).sum() + 1e-9


@every_table
def test_the_rare_class_by_proper_scores(data_folder, name, capsys):
    X, X_new, y, y_new = halves(data_folder, name)
    last, last_new = y == y.max(), y_new == y.max()
    ordered = {
        "PRESTO": PRESTOClassifierCV(alphas=10, eps=0.01, cv=2),
        "proportional odds": ProportionalOddsClassifier(1e-4),  # cars for two are all refused
    }
    found = {n: model.fit(X, y).predict_proba(X_new)[:, -1] for n, model in ordered.items()}
    binary = {"logistic": LogisticRegression(max_iter=1000), "constant": DummyClassifier()}
    found |= {n: model.fit(X, last).predict_proba(X_new)[:, 1] for n, model in binary.items()}
    with capsys.disabled():
        print(f"\n{name}, {last_new.sum()} of {last_new.size} test rows in the last class")
        for model, p in found.items():
            scores = log_loss(last_new, p), brier_score_loss(last_new, p)
            print(f"  {model:18}{scores[0]:10.5f}{scores[1]:10.5f}")
    # Not that PRESTO wins: that its probabilities are sane where a class has rows to learn from.
    if last.sum() >= 10:
        losses = {model: log_loss(last_new, p) for model, p in found.items()}
        assert losses["PRESTO"] < 1.1 * losses["constant"]
        assert losses["PRESTO"] < 1.25 * losses["logistic"]


@every_table
def test_shrunk_to_the_end_it_is_proportional_odds(data_folder, name):
    X, X_new, y, _ = halves(data_folder, name)
    if name == "car_evaluation":
        with pytest.warns(ConvergenceWarning, match="no finite optimum exists"):
            ProportionalOddsClassifier().fit(X, y)
        return
    same = ProportionalOddsClassifier(tol=1e-9).fit(X, y)
    shrunk = PRESTOClassifier(1e3, level_penalty=0.0, tol=1e-9).fit(X, y)
    assert (shrunk.delta_[1:] == 0).all()
    np.testing.assert_allclose(
        shrunk.predict_proba(X_new), same.predict_proba(X_new), atol=1e-5, rtol=1e-3
    )
