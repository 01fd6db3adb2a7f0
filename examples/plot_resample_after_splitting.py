"""
Resample after splitting, never before
======================================

A sampler that sees the whole table before it is split puts copies of test rows, or points
between them, into the training side. The score then says how well the model remembers. Here a
table with 0.5 % positive rows is scored both ways, and the models on rows that come later.
"""

# %%
# Half of the rows are for the folds, the other half stands for what comes later. The positive
# rows are hard to find, and some ten of a hundred have got their label by mistake.
import matplotlib.pyplot as plt
import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split

X, y = make_classification(
    40_000, n_features=12, n_informative=4, weights=[0.9955], flip_y=0.001, random_state=0
)
X, X_later, y, y_later = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
learner = HistGradientBoostingClassifier(max_iter=50, random_state=0)
folds = StratifiedKFold(5, shuffle=True, random_state=0)
samplers = {"SMOTE": SMOTE(random_state=0), "random copies": RandomOverSampler(random_state=0)}


def score(model, X, y):
    """Return the mean average precision over the test folds."""
    return cross_val_score(model, X, y, cv=folds, scoring="average_precision").mean()


# %%
# *Wrong*: ``fit_resample`` on the whole table, then the folds. *Right*: the sampler is a step of
# a pipeline, so that it sees training sides alone and the test folds stay as they are.
found = {"untouched": [np.nan, score(learner, X, y)]}
models = {"untouched": learner}
for name, sampler in samplers.items():
    models[name] = make_pipeline(sampler, learner)
    found[name] = [score(learner, *sampler.fit_resample(X, y)), score(models[name], X, y)]
for name, model in models.items():
    later = model.fit(X, y).predict_proba(X_later)[:, 1]
    found[name].append(average_precision_score(y_later, later))

print(f"{y.mean():.2%} of {y.size:,} rows are positive. Average precision:")
print(f"{'':14}{'before splitting':>18}{'inside the folds':>18}{'on later rows':>18}")
for name, values in found.items():
    cells = ["" if np.isnan(value) else f"{value:.3f}" for value in values]
    print(f"{name:14}{cells[0]:>18}{cells[1]:>18}{cells[2]:>18}")

# %%
# The score of the wrong way is nearly perfect, whatever the model is worth: half of its test
# rows are positive, and most of these resemble a training row. What the folds say of the right
# way is near what later rows show. Whether resampling helps is a question for the right way
# alone.
ways = ["before splitting", "inside the folds", "on later rows"]
places = np.arange(len(found))
fig, ax = plt.subplots(layout="constrained")
for k, way in enumerate(ways):
    heights = [values[k] for values in found.values()]
    bars = ax.bar(places + 0.27 * (k - 1), heights, width=0.25, label=way)
    ax.bar_label(bars, ["" if np.isnan(h) else f"{h:.2f}" for h in heights], padding=2)
ax.set(xticks=places, xticklabels=list(found), ylabel="average precision", ylim=(0, 1.1))
fig.legend(loc="outside upper center", ncols=3)
plt.show()
