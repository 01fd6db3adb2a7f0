"""
Tune the threshold instead of the data
======================================

A classifier of a rare class seldom needs other rows; it needs another cut-off than 0.5. Here the
thyroid table ``sick`` (6 % positive) is classified at 0.5, then at the threshold that is best for
F1 on held-out folds.
"""

# %%
# A plain pipeline, with nothing done about the imbalance.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from imbkit.datasets import load_sick
from imbkit.metrics import f1_score
from imbkit.thresholds import ThresholdClassifierCV

X, y = load_sick(return_X_y=True, as_frame=False)
sick = load_sick(as_frame=False).positive_label
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
impute = SimpleImputer(keep_empty_features=True)  # one test was never taken
learner = make_pipeline(impute, StandardScaler(), LogisticRegression(max_iter=1000))
learner.fit(X_train, y_train)

# %%
# The same pipeline with a tuned threshold. The rule that is left behind can be read.
tuned = ThresholdClassifierCV(learner, "f1", pos_label=sick, random_state=0)
tuned.fit(X_train, y_train).rule_

# %%
# On rows that neither of them has seen:
for name, model in {"at 0.5": learner, "tuned": tuned}.items():
    print(f"{name:7} F1 = {f1_score(y_test, model.predict(X_test), pos_label=sick):.3f}")

# %%
# F1 at every cut-off of the held-out scores, and the thresholds that single folds would choose.
cuts, objective = tuned.curve_
low, high = tuned.threshold_interval_
inside = np.isfinite(cuts)

fig, ax = plt.subplots(layout="constrained")
ax.step(cuts[inside], objective[inside], where="post", label="F1 on held-out folds")
ax.axvspan(low, high, alpha=0.2, label="range over the folds")
ax.axvline(tuned.threshold_, color="C1", label=f"tuned: {tuned.threshold_:.3f}")
ax.axvline(0.5, color="C7", linestyle="--", label="0.5")
ax.set(xlabel="threshold", ylabel="F1", xlim=(0, 1))
ax.legend()
plt.show()
