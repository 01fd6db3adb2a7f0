"""
Carry weights through a pipeline
================================

A missed fraud costs its amount, so the amount is the weight of a row. A sampler in the pipeline
changes the rows, and the weights must change with them. ``imbkit.pipeline.Pipeline`` sees to
that. Whether the sampler was a good idea is looked at as well.
"""

# %%
# The first month of invented payments trains. Its last labels become known within seven days, and
# the payments after those test.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from imbkit.datasets import make_transactions
from imbkit.metrics import captured_amount_at_budget
from imbkit.pipeline import make_pipeline
from imbkit.sampling import SMOTE, RandomUnderSampler

payments = make_transactions(n_days=52, fraud_rate=0.02, random_state=0)
day = (payments.time - payments.time.min()).dt.days
X, y, amount = payments.data, payments.target, payments.data["amount"]
train, test = day < 30, day >= 37
print(f"{train.sum():,} rows train, {y[train].sum()} of them frauds; {test.sum():,} rows test")

# %%
# The weights are given to ``fit`` of the whole pipeline. SMOTE makes new rows, and each gets a
# weight between those of its two parents. The logistic regression is fitted with all of them.
# (``logisticregression__`` says that the scaler, which could weigh as well, is not meant.)
model = make_pipeline(StandardScaler(), SMOTE(random_state=0), LogisticRegression(max_iter=1000))
model.fit(X[train], y[train], logisticregression__sample_weight=amount[train])
sampler = model.named_steps["smote"]
weights = np.asarray(sampler.companions_["sample_weight"])
made = sampler.steps_ > 0
print(f"{train.sum():,} weights went in, {weights.size:,} came out, {made.sum():,} for new rows")

# %%
# A new row's weight is as far between the two as the row itself.
a, b = np.asarray(amount[train])[sampler.parents_[made]].T
expected = a + sampler.steps_[made] * (b - a)
print("largest deviation:", np.abs(weights[made] - expected).max())

# %%
# How much of the amount lost to fraud is caught if one payment in two hundred can be looked at,
# with and without weights, for three ways to treat the rare class.
samplers = {
    "untouched": "passthrough",
    "RandomUnderSampler": RandomUnderSampler(random_state=0),
    "SMOTE": SMOTE(random_state=0),
}
found = {}
for step in samplers.values():
    for way, weight in {"equal weights": None, "weighted by amount": amount[train]}.items():
        model = make_pipeline(StandardScaler(), step, LogisticRegression(max_iter=1000))
        model.fit(X[train], y[train], logisticregression__sample_weight=weight)
        score = model.predict_proba(X[test])[:, 1]
        caught = captured_amount_at_budget(
            y[test], score, amount=amount[test], budget=0.005, normalize=True
        )
        found.setdefault(way, []).append(caught)

fig, ax = plt.subplots(layout="constrained")
for k, (way, heights) in enumerate(found.items()):
    bars = ax.bar(np.arange(3) + 0.4 * k - 0.2, heights, width=0.38, label=way)
    ax.bar_label(bars, [f"{height:.0%}" for height in heights], padding=2)
ax.set(xticks=range(3), xticklabels=list(samplers), ylabel="share of the amount that is caught")
ax.margins(y=0.1)
fig.legend(loc="outside upper center", ncols=2)
plt.show()

# %%
# Here weights help each of the three, and neither sampler helps: a budget of alerts needs a
# ranking, not balanced classes. :doc:`/guide/when_not_to_resample` says when to expect that.
