"""
Repair probabilities after resampling
=====================================

A model that was trained on balanced classes expects far more of the rare class than there is.
Visits to an online shop are scored by a plain model, by one with class weights and by one behind
SMOTE, before and after :class:`~imbkit.calibration.ResamplingCorrectedClassifier`.
"""

# %%
# 12,330 visits, of which 15 % end in a purchase. Half of them train; only numbers are used.
from functools import partial

import matplotlib.pyplot as plt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, brier_score_loss
from sklearn.model_selection import train_test_split

from imbkit.calibration import ResamplingCorrectedClassifier
from imbkit.datasets import load_online_shoppers
from imbkit.displays import ReliabilityDisplay
from imbkit.metrics import brier_skill_score, stratified_brier_score
from imbkit.pipeline import make_pipeline
from imbkit.sampling import SMOTE

shop = load_online_shoppers()
numbers = shop.data.select_dtypes("number").dropna()
X, y = numbers.to_numpy(), shop.target[numbers.index].to_numpy()
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

# %%
# The wrapper fits the model as it is, then finds out what training did to the class shares. Class
# weights change nothing else, so arithmetic undoes them. SMOTE also makes new rows, so a curve is
# fitted on rows that were held out and that SMOTE has not touched.
learner = partial(HistGradientBoostingClassifier, max_iter=60, random_state=0)
models = {
    "class weights": learner(class_weight="balanced"),
    "SMOTE": make_pipeline(SMOTE(random_state=0), learner()),
}
probabilities = {"untouched": learner().fit(X_train, y_train).predict_proba(X_test)[:, 1]}
for name, model in models.items():
    repaired = ResamplingCorrectedClassifier(model).fit(X_train, y_train)
    probabilities[name] = repaired.estimator_.predict_proba(X_test)[:, 1]
    probabilities[f"{name}, repaired"] = repaired.predict_proba(X_test)[:, 1]
    print(f"{name}: {repaired.how_}")

# %%
# The mean probability shows what went wrong, and the Brier score (smaller is better) what that
# costs; its skill is what it saves of the score of one and the same 15 % for every visit. A repair
# of two classes leaves the ranking as it is, and so the average precision (AP). On buyers alone
# probabilities that are too high look good: never choose a model by the score of one class.
print(f"{y_test.mean():.1%} of the test rows are purchases")
print(f"{'':24}{'mean':>7}{'Brier':>8}{'skill':>8}{'of buyers':>11}{'AP':>8}")
for name, p in probabilities.items():
    of_buyers = stratified_brier_score(y_test, p, average=None)[1]
    brier, skill = brier_score_loss(y_test, p), brier_skill_score(y_test, p)
    print(f"{name:24}{p.mean():7.1%}{brier:8.4f}{skill:8.3f}", end="")
    print(f"{of_buyers:11.4f}{average_precision_score(y_test, p):8.4f}")

# %%
# Points on the diagonal are probabilities that hold; bars say how far chance could move them. The
# arithmetic for class weights is exact for a model that is right on the rows it was trained on.
# This one is too sure of itself, so something is left, which ``calibration="sigmoid"`` would mend.
# Neither way of balancing beats the untouched model, whose probabilities needed no repair.
fig, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for ax, name in zip(axes, ("class weights", "SMOTE"), strict=True):
    shown = ("untouched", name, f"{name}, repaired")
    sets = {each: probabilities[each] for each in shown}
    ReliabilityDisplay.from_predictions(y_test, sets, ax=ax)
plt.show()
