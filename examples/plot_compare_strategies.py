"""
Compare strategies by money and alerts
======================================

A fraud costs its amount if nobody looks, a false alarm costs 5, and there is time to look at 500
payments of this table. Which way of training is worth it? ``compare`` measures a few, always
beside untouched boosting with a tuned threshold.
"""

# %%
# Two months of invented payments. The splits go forward in time, and a payment is not trained on
# before its label is known, a week later.
import matplotlib.pyplot as plt
import numpy as np

from imbkit.bench import compare
from imbkit.datasets import make_transactions

payments = make_transactions(n_customers=200, n_days=60, fraud_rate=0.02, random_state=0)
X, y = payments.data, payments.target
print(f"{len(y):,} payments, {y.sum()} of them frauds")

# %%
# The verdict has a sentence for ranking and one for decisions.
found = compare(
    X,
    y,
    strategies=["none", "random_under", "smote"],
    learners=["hist_gradient_boosting"],
    time=payments.time,
    label_delay="7d",
    costs={"fn_cost": "amount", "fp_cost": 5.0},
    alerts=500,
    cv=4,
)
print(found)

# %%
# Everything on the report's page comes from ``found.summary``. Here is one part of it: the share
# of frauds that are caught when the payments with the highest scores are looked at.
summary = found.summary
titles = {entry["id"]: entry["title"] for entry in summary["entries"]}

fig, ax = plt.subplots(layout="constrained")
for k, curve in enumerate(summary["curves"]):
    band = curve["budget_recall"]
    share, mean, low, high = (
        np.array(band[key], dtype=float) for key in ("x", "mean", "low", "high")
    )
    ax.plot(share, mean, color=f"C{k}", label=titles[curve["id"]])
    ax.fill_between(share, low, high, color=f"C{k}", alpha=0.15, linewidth=0)
ax.axvline(summary["budget"]["share"], color="C7", linestyle="--", label="500 alerts")
ax.set(
    xscale="log",
    ylim=(0, 1),
    xlabel="share of payments that are looked at",
    ylabel="share of frauds caught (band: lowest to highest fold)",
)
ax.legend(loc="upper left")
plt.show()

# %%
# The whole page: ``found.report("report.html")``, or ``found`` as the last line of a notebook's
# cell. The code that trains the recommended model: ``found.recipe()``.
