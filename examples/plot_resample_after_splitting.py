"""
Resample after splitting, never before
======================================

A sampler that sees the whole table before it is split puts copies of the test rows, or points
between them, into the training side. The score then says how well the model remembers. Here a
table with 0.5 % positive rows is scored both ways.
"""

# %%
# Every model is judged by average precision on five folds. The positive rows are hard to find:
# a tenth of the labels of the rare class are noise.
import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score

X, y = make_classification(
    20_000, n_features=12, n_informative=4, weights=[0.995], flip_y=0.001, random_state=0
)
learner = HistGradientBoostingClassifier(max_iter=50, random_state=0)
folds = StratifiedKFold(5, shuffle=True, random_state=0)


def score(estimator, X, y):
    """Mean average precision over the test folds."""
    return cross_val_score(estimator, X, y, cv=folds, scoring="average_precision").mean()


# %%
# *Wrong*: ``fit_resample`` on the whole table, then the folds. *Right*: the sampler is a step of
# a pipeline, so that it works on training sides alone and the test folds stay as they are.
samplers = {"SMOTE": SMOTE(random_state=0), "random copies": RandomOverSampler(random_state=0)}
wrong = {name: score(learner, *sampler.fit_resample(X, y)) for name, sampler in samplers.items()}
right = {name: score(make_pipeline(s, learner), X, y) for name, s in samplers.items()}
untouched = score(learner, X, y)

print(f"{y.mean():.1%} of {y.size:,} rows are positive; average precision:")
for name in samplers:
    print(f"{name:14} before splitting {wrong[name]:.3f}, inside the folds {right[name]:.3f}")
print(f"{'untouched':14} {untouched:.3f}")

# %%
