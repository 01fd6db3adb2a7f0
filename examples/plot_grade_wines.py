"""
Grade wines by shared weights
=============================

Tasters' grades are ordered classes with rare ends. Does the same property that lifts a wine from
5 to 6 also lift it from 7 to 8? :class:`~imbkit.ordinal.PRESTOClassifierCV` assumes so until the
rows say otherwise, and tells where they did.
"""

# %%
# White wines; grades 3 and 4 are one class, and so are 8 and 9, of which there are 5. Equal wines
# stay together, in the test as well as in the folds that choose the penalty.
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import StratifiedGroupKFold

from imbkit.datasets import load_wine_quality
from imbkit.displays import OrdinalSlopesDisplay, RegularizationPathDisplay
from imbkit.metrics import macro_mae_score
from imbkit.ordinal import (
    CumulativeLinkClassifier,
    PRESTOClassifierCV,
    ProportionalOddsClassifier,
)

X, grade = load_wine_quality(color="white", return_X_y=True)
y = grade.astype(int).clip(4, 8).to_numpy()
wine = X.groupby(list(X.columns)).ngroup().to_numpy()
folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
train, test = next(folds.split(X, y, wine))
X_train, X_test, y_train, y_test = X.iloc[train], X.iloc[test], y[train], y[test]
print(pd.Series(y_train).value_counts().sort_index().to_string())

# %%
# One weight vector for all boundaries, one each, and what lies in between. The last two columns
# judge the probability of grade 8 alone; its share is the constant to beat.
presto = PRESTOClassifierCV(cv=folds).fit(X_train, y_train, groups=wine[train])
models = {
    "proportional odds": ProportionalOddsClassifier().fit(X_train, y_train),
    "PRESTO": presto,
    "free boundaries": CumulativeLinkClassifier(alpha=1e-6).fit(X_train, y_train),
}
best, share = y_test == 8, (y_train == 8).mean()
print(f"{'':20}{'log-loss':>10}{'macro MAE':>11}{'of grade 8':>12}{'Brier':>9}{'crossing':>10}")
for name, model in models.items():
    P, labels = model.predict_proba(X_test), model.predict(X_test)
    print(f"{name:20}{log_loss(y_test, P):10.4f}{macro_mae_score(y_test, labels):11.3f}", end="")
    print(f"{log_loss(best, P[:, -1]):12.4f}{brier_score_loss(best, P[:, -1]):9.4f}", end="")
    print(f"{model.crossing_rate(X_test):10.1%}")
constant = [share] * len(test)
print(f"{'constant':41}{log_loss(best, constant):12.4f}{brier_score_loss(best, constant):9.4f}")

# %%
# How each boundary differs from the one before, a property in units of its own spread. A dot is a
# zero, which is exact: there the weight is shared.
spread = X_train.std(ddof=0)
changes = pd.DataFrame(presto.delta_ * spread.to_numpy(), columns=X.columns)
changes.index = ["4 | 5", "then 5 | 6", "then 6 | 7", "then 7 | 8"]
print(changes.T.to_string(float_format=lambda value: f"{value:.2f}" if value else "."))

# %%
# The weights at the chosen penalty, and the differences as the penalty weakens: which properties
# leave the common weights first.
OrdinalSlopesDisplay.from_estimator(presto, scale=spread)
RegularizationPathDisplay.from_estimator(presto, scale=spread)
plt.show()
