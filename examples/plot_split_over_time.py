"""
Split over time, with groups and late labels
============================================

A model of fraud is used on payments of tomorrow, and learns from those whose fraud is known by
then. A random split tests on the middle of what it was trained on. Here both are drawn, and then
scored.
"""

# %%
# Two months of invented payments; whether one was a fraud becomes known after seven days.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score

from imbkit.datasets import make_transactions
from imbkit.splits import PrequentialSplit

payments = make_transactions(n_days=60, fraud_rate=0.02, drift=True, random_state=0)
X, y, customers = payments.data, payments.target, payments.customer
print(f"{len(y):,} payments of {customers.nunique()} customers, {y.mean():.1%} frauds")

# %%
# Five stretches of time are tested, each with what was known before it. Customers stay for the
# whole record, so a fifth of them is tested in each stretch, and leaves that training side.
cv = PrequentialSplit(5, label_delay="7d")
splits = list(cv.split(X, y, groups=customers, time=payments.time))
for train, test in splits:
    shared = set(customers[train]) & set(customers[test])
    print(f"{len(train):6,} rows train, {y[train].sum():3} of them frauds;", end=" ")
    print(f"{len(test):5,} rows test, {y[test].sum():2} frauds; {len(shared)} customers in both")

# %%
# Each row of the picture is a split: the seven days before a test belong to neither side.
day = (payments.time - payments.time.min()).dt.total_seconds().to_numpy() / 86_400
random = StratifiedKFold(5, shuffle=True, random_state=0)
some = np.random.default_rng(0).permutation(len(y))[:6000]

fig, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
for ax, pairs, title in zip(
    axes, (random.split(X, y), splits), ("random folds", "PrequentialSplit"), strict=True
):
    for k, (train, test) in enumerate(pairs):
        for rows, color, label in ((train, "C0", "training"), (test, "C1", "test")):
            shown = np.intersect1d(rows, some)
            height = k + 0.7 * (customers.to_numpy()[shown] / customers.max() - 0.5)
            ax.scatter(day[shown], height, s=1, color=color, label=None if k else label)
    ax.set(title=title, xlabel="day", yticks=range(5))
axes[0].set_yticklabels([f"split {k + 1}" for k in range(5)])
axes[0].invert_yaxis()
axes[1].legend(markerscale=6, loc="upper right")
plt.show()

# %%
# The random folds promise more than any later stretch gave. (The first splits also have fewer
# rows to learn from.)
learner = HistGradientBoostingClassifier(max_iter=50, random_state=0)
for name, pairs in {"random folds": random, "over time": splits}.items():
    scores = cross_val_score(learner, X, y, cv=pairs, scoring="average_precision")
    print(f"{name:12} average precision {scores.mean():.3f}, by fold {np.round(scores, 2)}")
