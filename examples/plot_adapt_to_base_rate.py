"""
Adapt to another base rate
==========================

A model goes to work in a place where the rare class is several times as frequent as in its training
table, or less frequent, and nobody there has labels. From unlabelled rows alone,
:class:`~imbkit.calibration.LabelShiftAdapter` estimates the new share and corrects the
probabilities.
"""

# %%
# Training rows have 5 % positive ones. Rows of one class look the same in both places: this is
# what the method assumes, and what here is true by construction.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from imbkit.calibration import LabelShiftAdapter
from imbkit.displays import ReliabilityDisplay

X, y = make_classification(
    60_000, n_informative=5, weights=[0.8], class_sep=0.8, flip_y=0.02, random_state=0
)
X, X_pool, y, y_pool = train_test_split(X, y, test_size=0.6, stratify=y, random_state=0)
rng = np.random.default_rng(0)


def draw(y, share, n_rows):
    """Return positions of rows of which a given share is positive."""
    n_positive = round(share * n_rows)
    positive = rng.choice(np.flatnonzero(y == 1), n_positive, replace=False)
    return np.r_[positive, rng.choice(np.flatnonzero(y == 0), n_rows - n_positive, replace=False)]


here = draw(y, 0.05, 15_000)
learner = HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=0)
model = LabelShiftAdapter(learner, random_state=0).fit(X[here], y[here])
print(f"Condition {model.condition_:.2f}: from 0 (classes look alike) to 1 (never confused)")

# %%
# Four thousand unlabelled rows from each of five places. ``adapt`` may be called again and again.
shares, found, ends = [0.01, 0.02, 0.1, 0.2, 0.4], [], []
print(f"{'truth':>6}{'estimate':>10}{'95 % interval':>18}{'log-loss before':>17}{'after':>8}")
for share in shares:
    rows = draw(y_pool, share, 4000)
    before = log_loss(
        y_pool[rows], model.calibrator_.predict_proba(model.estimator_.predict_proba(X_pool[rows]))
    )
    model.adapt(X_pool[rows])
    found.append(model.target_prior_[1])
    ends.append(model.target_prior_interval_[1])
    after = log_loss(y_pool[rows], model.predict_proba(X_pool[rows]))
    span = "{:.1%} to {:.1%}".format(*ends[-1])
    print(f"{share:6.0%}{found[-1]:10.1%}{span:>18}{before:17.4f}{after:8.4f}")

# %%
# Left, the estimates and their intervals against the truth. Right, the probabilities where every
# fifth row is positive: made for 5 %, they are too low there; adapted, they lie on the diagonal.
rows = draw(y_pool, 0.2, 4000)
base = model.calibrator_.predict_proba(model.estimator_.predict_proba(X_pool[rows]))
sets = {"made for 5 %": base, "adapted": model.adapt(X_pool[rows]).predict_proba(X_pool[rows])}

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
bars = np.abs(np.array(ends) - np.array(found)[:, None]).T
left.errorbar(shares, found, yerr=bars, fmt="o", capsize=3, label="estimate, 95 % interval")
left.plot([0.008, 0.5], [0.008, 0.5], color="C7", linestyle="--", label="truth")
left.axvline(0.05, color="C7", linestyle=":", label="share in training")
left.set(xscale="log", yscale="log", xlabel="true share", ylabel="estimated share")
left.legend()
sets = {name: p[:, 1] for name, p in sets.items()}
ReliabilityDisplay.from_predictions(y_pool[rows], sets, ax=right)
plt.show()
