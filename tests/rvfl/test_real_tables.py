"""On imbalanced tables class weights do the work, and GE-IFRVFL stands between."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from imbkit.metrics import gmean_score
from imbkit.rvfl import GEIFRVFLClassifier, RVFLClassifier

TABLES = ("glass_0_1_6_vs_2", "yeast_1_vs_7", "yeast6")
CS = (1e-4, 1e-2, 1.0, 1e2, 1e4)
PUBLISHED = {"weighting": "authors", "neighbor_correction": None, "kernel_width": 1.0}
MODELS = {
    "plain": RVFLClassifier(),
    "balanced": RVFLClassifier(class_weight="balanced"),
    "GE-IFRVFL": GEIFRVFLClassifier(**PUBLISHED),
}


def gmeans(model, X, y, train, test, seed):
    """G-mean of test rows for every C."""
    scaler = StandardScaler().fit(X[train])
    model.set_params(random_state=seed).fit(scaler.transform(X[train]), y[train])
    rows, found = scaler.transform(X[test]), []
    for coef in model.coef_path(CS):
        model.coef_ = coef
        found.append(gmean_score(y[test], model.predict(rows)))
    return np.array(found)


@pytest.mark.realdata
@pytest.mark.filterwarnings("ignore::imbkit.exceptions.ImbkitWarning")
def test_balanced_rvfl_is_ahead_of_ge_ifrvfl_ahead_of_rvfl(data_folder):
    """C is chosen by inner folds; outer folds and hidden layers of two seeds."""
    means = dict.fromkeys(MODELS, 0.0)
    for table in TABLES:
        frame = pd.read_parquet(data_folder / f"{table}.parquet")
        y = (frame["target"] == "positive").to_numpy()
        X = frame.drop(columns="target").select_dtypes("number").to_numpy(float)
        for seed in range(2):
            folds = StratifiedKFold(5, shuffle=True, random_state=seed)
            for train, test in folds.split(X, y):
                inner = StratifiedKFold(3, shuffle=True, random_state=seed)
                parts = [(train[a], train[b]) for a, b in inner.split(train, y[train])]
                for name, model in MODELS.items():
                    scores = sum(gmeans(model, X, y, *part, seed) for part in parts)
                    at = int(np.argmax(scores))
                    means[name] += gmeans(model, X, y, train, test, seed)[at] / 30
    assert means["balanced"] > means["GE-IFRVFL"] + 0.02
    assert means["GE-IFRVFL"] > means["plain"] + 0.05
