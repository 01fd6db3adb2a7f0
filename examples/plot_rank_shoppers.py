"""
Rank shoppers by their last stage
=================================

A visit to an online shop may get as far as a page from which purchases come, and then to a
purchase. :class:`~imbkit.ordinal.PRESTOClassifierCV` learns both steps at once: the second one
borrows the weights of the first and departs from them where the rows insist.
"""

# %%
# The two columns of stages make one ordered target, the last stage last. What the middle stage is
# made of is no feature. Few rows train, as in the first days of a new shop.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from imbkit.datasets import load_online_shoppers
from imbkit.displays import OrdinalSlopesDisplay, ReliabilityDisplay
from imbkit.ordinal import PRESTOClassifierCV, ProportionalOddsClassifier, funnel_target

shop = load_online_shoppers().frame.dropna()
stages = pd.DataFrame({"valued page": shop["PageValues"] > 0, "purchase": shop["Revenue"]})
y = funnel_target(stages, base="visit", on_violation="deepest")
X = shop.select_dtypes("number").drop(columns="PageValues").clip(lower=0)
X = np.log1p(X)  # counts, seconds and rates with long tails
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=1500, stratify=y, random_state=0
)
print(pd.Series(y_train).value_counts(sort=False).to_string())

# %%
# Three models of the probability of a purchase, and the constant share. A model that sees the
# stages is compared with one that sees purchases only.
bought = y_test == "purchase"
ordered = {"PRESTO": PRESTOClassifierCV(cv=5), "proportional odds": ProportionalOddsClassifier()}
p = {name: m.fit(X_train, y_train).predict_proba(X_test)[:, -1] for name, m in ordered.items()}
logistic = make_pipeline(StandardScaler(), LogisticRegression())
p["logistic"] = logistic.fit(X_train, y_train == "purchase").predict_proba(X_test)[:, 1]
p["constant"] = np.full(len(bought), (y_train == "purchase").mean())
print(f"{'':20}{'log-loss':>10}{'average precision':>20}")
for name, each in p.items():
    print(f"{name:20}{log_loss(bought, each):10.4f}{average_precision_score(bought, each):20.4f}")

# %%
# The most probable class is hardly ever the rare one. The probabilities are the product: rank by
# them, and offer help to the thousand visits that come first.
presto = ordered["PRESTO"]
first = np.argsort(-p["PRESTO"])[:1000]
print(f"Predicted as a purchase: {(presto.predict(X_test) == 'purchase').mean():.1%} of the visits")
print(f"Of all visits {bought.mean():.1%} buy, of the first thousand {bought[first].mean():.1%}")

# %%
# Left, the weights at both boundaries: level lines are shared, bends belong to the last stage.
# Right, whether the probabilities are right.
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
OrdinalSlopesDisplay.from_estimator(presto, ax=left)
ReliabilityDisplay.from_predictions(bought, {n: p[n] for n in ("PRESTO", "logistic")}, ax=right)
plt.show()
