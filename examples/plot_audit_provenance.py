"""
Ask where synthetic rows come from
==================================

Every sampler of imbkit says which rows of the table each row of its output was made from. Here
SMOTE makes rows of a rare class of yeast proteins. Those that lie among other classes are
traced back to the few rows that they come from.
"""

# %%
# Of 1,484 proteins 30 belong to the vacuole. SMOTE makes new ones until there are as many as
# others.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from imbkit.datasets import load_yeast
from imbkit.displays import SamplingMapDisplay
from imbkit.sampling import SMOTE

X, site = load_yeast(return_X_y=True, as_frame=False)
X = StandardScaler().fit_transform(X)
y = np.where(site == "VAC", "vacuole", "other")
sampler = SMOTE(random_state=0)
X_new, y_new = sampler.fit_resample(X, y)
for name, labels in {"before": y, "after": y_new}.items():
    print(f"{name}: {np.sum(labels == 'other'):,} others, {np.sum(labels == 'vacuole'):,} vacuole")

# %%
# ``parents_`` names both rows that a new one lies between, ``steps_`` how far. That is all there
# is to know of it.
start, end = sampler.parents_.T
again = X[start] + sampler.steps_[:, np.newaxis] * (X[end] - X[start])
print("every row can be made again:", np.array_equal(again, X_new))

# %%
# A new row is doubtful if the nearest row that really exists is of another class.
made = np.flatnonzero(sampler.steps_ > 0)
nearest = NearestNeighbors(n_neighbors=1).fit(X).kneighbors(X_new[made], return_distance=False)
doubtful = y[nearest[:, 0]] != "vacuole"
print(f"{doubtful.sum()} of {made.size:,} new rows are doubtful")

# %%
# Who are their parents? How often each of the 30 rows was a parent, and how often of a
# doubtful row; those with the largest share of doubtful ones come first.
parents = sampler.parents_[made]
members = np.flatnonzero(y == "vacuole")
often = np.bincount(parents.ravel(), minlength=len(X))[members]
doubted = np.bincount(parents[doubtful].ravel(), minlength=len(X))[members]
order = np.argsort(-doubted / often)
share = doubted[order].cumsum()[9] / doubted.sum()
print(f"Ten of the {members.size} rows are {share:.0%} of the parents of doubtful ones.")

fig, ax = plt.subplots(figsize=(8, 3.5), layout="constrained")
ax.bar(range(members.size), often[order], color="C7", label="all new rows")
ax.bar(range(members.size), doubted[order], color="C1", label="doubtful new rows")
ax.set_xticks(range(members.size), members[order], rotation=90)
ax.set(xlabel="row of the table", ylabel="how often a parent")
fig.legend(loc="outside upper center", ncols=2)
plt.show()

# %%
# The map shows the lines to the parents. It sees two directions of eight only, so classes
# overlap more on it than in the table.
SamplingMapDisplay.from_sampler(sampler, X, y, max_rows=150)
plt.show()

# %%
# What to do about it is a question for somebody who knows the rows: is the label of row 1351
# right? Leaving out parents by such a count and testing on the same table would be choosing
# with the answer in hand. Without any sampler the question does not arise; see
# :doc:`/guide/when_not_to_resample`.
