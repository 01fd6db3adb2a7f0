"""
Balance nets
============

The same net, told in three ways that classes are rare: by weights, by balanced batches, and by a
loss that knows the class shares. And what that does to its probabilities.
"""

# %%
# Where proteins are in a yeast cell: ten classes, the rarest with 5 of 1,484 rows. Nothing has to
# be scaled or encoded first.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score, log_loss, recall_score
from sklearn.model_selection import train_test_split

from imbkit.datasets import load_yeast
from imbkit.nets import ImbalancedNetClassifier

X, y = load_yeast(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

# %%
# `loss` and `sampler` are names; the losses are in :mod:`imbkit.losses`, the samplers in
# :mod:`imbkit.nets`. Epochs are judged by balanced accuracy on a tenth of the training rows.
ways = {
    "cross-entropy": {},
    "class weights": {"class_weight": "balanced"},
    "balanced batches": {"sampler": "class_balanced"},
    "balanced softmax": {"loss": "balanced_softmax"},
}
fitted = {}
for name, settings in ways.items():
    model = ImbalancedNetClassifier(**settings, lr=5e-3, max_epochs=40, random_state=0)
    model.set_params(module__hidden=(64,))
    fitted[name] = model.fit(X_train, y_train)
    score = balanced_accuracy_score(y_test, model.predict(X_test))
    print(f"{name}: balanced accuracy {score:.3f}")

# %%
# Recall of each class, the frequent ones first. Cross-entropy gives the rare ones away; the others
# take from the frequent ones what they give to the rare.
classes, counts = np.unique(y, return_counts=True)
order = classes[np.argsort(-counts)]
fig, ax = plt.subplots(figsize=(10, 4.5), layout="constrained")
width = 0.8 / len(fitted)
for place, (name, model) in enumerate(fitted.items()):
    recalls = recall_score(y_test, model.predict(X_test), labels=order, average=None)
    ax.bar(np.arange(len(order)) + width * place, recalls, width, label=name)
labels = [f"{name}\n{counts[classes == name][0]}" for name in order]
ax.set_xticks(np.arange(len(order)) + 0.3, labels)
ax.set(ylabel="recall", xlabel="class, and its rows")
ax.legend()
plt.show()

# %%
# A balanced model's probabilities are those of a world in which all classes are equally frequent.
# `effective_prior_` says so, and ``predict_prior="train"`` gives those of the table, from the same
# net: better by far where probabilities are meant as such.
balanced = fitted["balanced softmax"]
print(np.round(balanced.effective_prior_, 2))
led_back = clone(balanced).set_params(predict_prior="train").fit(X_train, y_train)
for name, model in {**fitted, "balanced softmax, led back": led_back}.items():
    print(f"{name}: log-loss {log_loss(y_test, model.predict_proba(X_test)):.3f}")
