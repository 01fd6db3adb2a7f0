"""
Rank shoppers by their last stage
=================================

A visit to an online shop may get as far as looking at ten products, and then to a purchase.
:class:`~imbkit.ordinal.PRESTOClassifierCV` learns both steps at once: the second one borrows the
weights of the first and departs from them where the rows insist.
"""

# %%
# Columns of stages make one ordered target, the rare stage last; some visits buy after fewer
# products. What a stage is made of is no feature. Few rows train, as in a new shop's first days.
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
stages = pd.DataFrame({"browsed": shop["ProductRelated"] >= 10, "purchase": shop["Revenue"]})
y = funnel_target(stages, base="glance", on_violation="deepest")
numbers = shop.select_dtypes("number").drop(columns=["ProductRelated", "ProductRelated_Duration"])
X = np.log1p(numbers.clip(lower=0))  # counts, seconds and rates have long tails
X["new visitor"] = 1.0 * (shop["VisitorType"] == "New_Visitor")
X["weekend"] = 1.0 * shop["Weekend"]
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=1500, stratify=y, random_state=0
)
print(pd.Series(y_train).value_counts(sort=False).to_string())

# %%
# The probability of a purchase by three models and by the constant share, judged by a proper
# score and as a ranking. Two models see the stages, the logistic regression purchases only.
bought = y_test == "purchase"
presto = PRESTOClassifierCV(scoring="neg_rare_log_loss").fit(X_train, y_train)
same = ProportionalOddsClassifier().fit(X_train, y_train)
logistic = make_pipeline(StandardScaler(), LogisticRegression())
p = {"PRESTO": presto.predict_proba(X_test)[:, -1]}
p["proportional odds"] = same.predict_proba(X_test)[:, -1]
p["logistic"] = logistic.fit(X_train, y_train == "purchase").predict_proba(X_test)[:, 1]
p["constant"] = np.full(len(bought), (y_train == "purchase").mean())
print(f"{'':20}{'log-loss':>10}{'average precision':>20}")
for name, each in p.items():
    print(f"{name:20}{log_loss(bought, each):10.4f}{average_precision_score(bought, each):20.4f}")

# %%
# Proportional odds have one weight for both steps, and lose by it. PRESTO shares some weights,
# parts others, and comes up with the model of purchases alone, which it does not beat. Ranked by
# it, the first visits are worth help.
first = np.argsort(-p["PRESTO"])[:1000]
print(f"Of all visits {bought.mean():.1%} buy, of the first thousand {bought[first].mean():.1%}")

# %%
# Left, the weight of a standard deviation of each feature at both boundaries. The value of the
# pages seen counts for both alike; exits and new visitors tell who looks around more than who buys.
# Right, whether the probabilities of a purchase are right.
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
OrdinalSlopesDisplay.from_estimator(presto, scale=X_train.std(), ax=left)
some = {name: p[name] for name in ("PRESTO", "proportional odds")}
ReliabilityDisplay.from_predictions(bought, some, ax=right)
plt.show()
