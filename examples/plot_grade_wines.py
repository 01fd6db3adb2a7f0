"""
Grade wines by shared weights
=============================

Tasters' grades are ordered classes with rare ends. Does the same property that lifts a wine from
5 to 6 also lift it from 7 to 8? :class:`~imbkit.ordinal.PRESTOClassifierCV` assumes so until the
rows say otherwise, and tells where they did.
"""

# %%
# White wines; grades 3 and 4 are one class, and so are 8 and 9, of which there are 5. Equal wines
# stay on one side.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import GroupShuffleSplit

from imbkit.datasets import load_wine_quality
from imbkit.displays import OrdinalSlopesDisplay
from imbkit.metrics import macro_mae_score
from imbkit.ordinal import (
    CumulativeLinkClassifier,
    PRESTOClassifierCV,
    ProportionalOddsClassifier,
    presto_path,
)

X, grade = load_wine_quality(color="white", return_X_y=True)
y = grade.astype(int).clip(4, 8).to_numpy()
same = X.groupby(list(X.columns)).ngroup()
train, test = next(GroupShuffleSplit(1, test_size=0.5, random_state=0).split(X, y, same))
print(pd.Series(y[train]).value_counts(sort=False).sort_index().to_string())

# %%
# One weight vector for all boundaries, one each, and what lies in between. The last two columns
# judge the probability of grade 8 alone; its share is the constant to beat.
models = {
    "proportional odds": ProportionalOddsClassifier(),
    "PRESTO": PRESTOClassifierCV(cv=5),
    "free boundaries": CumulativeLinkClassifier(alpha=1e-6),
}
best = y[test] == 8
share = (y[train] == 8).mean()
print(f"{'':20}{'log-loss':>10}{'macro MAE':>11}{'of grade 8':>12}{'Brier':>9}")
for name, model in models.items():
    P = model.fit(X.iloc[train], y[train]).predict_proba(X.iloc[test])
    labels = model.classes_[P.argmax(axis=1)]
    print(f"{name:20}{log_loss(y[test], P):10.4f}{macro_mae_score(y[test], labels):11.3f}", end="")
    print(f"{log_loss(best, P[:, -1]):12.4f}{brier_score_loss(best, P[:, -1]):9.4f}")
constant = [share] * len(test)
print(f"{'constant':41}{log_loss(best, constant):12.4f}{brier_score_loss(best, constant):9.4f}")

# %%
# How each boundary differs from the one before, a wine's property in units of its own spread.
# Zeros are exact: there the weight is shared.
presto = models["PRESTO"]
spread = X.iloc[train].std(ddof=0)
changes = pd.DataFrame(presto.delta_ * spread.to_numpy(), columns=X.columns)
changes.index = ["4 | 5", "then 5 | 6", "then 6 | 7", "then 7 | 8"]
print(changes.round(2).T.to_string())

# %%
# Left, the weights across the boundaries. Right, the differences as the penalty falls: which
# properties leave the common weights first.
alphas, coefs, _, _ = presto_path(X.iloc[train], y[train], alphas=40)
differences = (coefs[1:] - coefs[:-1]) * spread.to_numpy()[:, None]
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
OrdinalSlopesDisplay.from_estimator(presto, ax=left)
right.semilogx(alphas, differences.reshape(-1, len(alphas)).T)
right.axvline(presto.alpha_, color="C7", linestyle="--", label="chosen")
right.set(xlabel="alpha", ylabel="difference between adjacent boundaries")
right.invert_xaxis()
right.legend()
plt.show()
