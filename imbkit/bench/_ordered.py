"""The models of a target of stages: a panel of their own, and the last stage as what is judged.

Some are trained on all stages, the others on the last one against the rest. All are judged as
models of two classes, by the probability of the last stage, on the same splits.
"""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import StratifiedKFold

from imbkit._core.catalog import find
from imbkit._core.deploy import deploy
from imbkit._core.types import FloatArray
from imbkit.bench._panel import LEARNERS, Learner, Task

__all__ = [
    "CONSTANT",
    "PRESTO",
    "STAGE_LEARNERS",
    "LastStage",
    "stage_learner_names",
    "stage_panel",
]

BASELINE, CONSTANT = "logistic", "constant"
PROPORTIONAL_ODDS, PRESTO = "proportional_odds", "presto"
STAGE_LEARNERS = {
    BASELINE: "logistic regression of the last stage",
    CONSTANT: "constant share of the last stage",
    PROPORTIONAL_ODDS: "proportional odds",
    PRESTO: "PRESTO",
    "hist_gradient_boosting": "histogram boosting of the last stage",
}
"""Names and titles; the first is the baseline, and it and the constant are always compared."""
OWN_FOLDS = 5
PENALTIES = 30
"""Strengths that PRESTO chooses from; neighbours differ by a quarter."""


def stage_learner_names() -> list[tuple[str, str]]:
    """Return name and title of each learner that only a target of stages has."""
    return [(name, title) for name, title in STAGE_LEARNERS.items() if name not in LEARNERS]


def stage_panel(task: Task) -> dict[str, Learner]:
    """Return the learners of a target of stages.

    Parameters
    ----------
    task : Task
        The table, which says how many rows a model's own folds can have of a stage.

    Notes
    -----
    Proportional odds has the ridge penalty that scikit-learn's logistic regression has by
    default: without one there is no finite optimum where a level of a category lacks a stage,
    and the two models would differ in more than the stages. PRESTO chooses its penalty by what it
    is judged by, the log-loss of the last stage, on shuffled folds of whatever rows it is given.
    """
    ridge = float(f"{1 / task.n_train:.2g}")
    # Every stage must be in each fold, also where inner folds have taken rows away.
    folds = StratifiedKFold(max(min(OWN_FOLDS, task.fewest), 2), shuffle=True, random_state=0)
    models = {
        CONSTANT: DummyClassifier(strategy="prior"),
        PROPORTIONAL_ODDS: find("ProportionalOddsClassifier")(alpha=ridge, standardize=False),
        PRESTO: find("PRESTOClassifierCV")(alphas=PENALTIES, cv=folds, scoring="neg_rare_log_loss"),
    }
    panel = {}
    for name, title in STAGE_LEARNERS.items():
        usual = LEARNERS.get(name)
        panel[name] = Learner(
            name,
            title,
            usual.model if usual else models[name],
            native=usual is not None and usual.native,
            two_classes=usual.two_classes if usual else None,
            ordered=usual is None and name != CONSTANT,
        )
    return panel


class LastStage(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A model of stages as one of two classes: the last stage, 1, and the earlier ones, 0.

    Parameters
    ----------
    estimator : estimator
        Gives a probability of every stage.
    last : int
        Code of the last stage.
    """

    # Where metadata routing is switched on, the stages are asked for.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"stages": True}

    def __init__(self, estimator: Any, last: int) -> None:
        self.estimator = estimator
        self.last = last

    def fit(self, X: Any, y: ArrayLike, stages: ArrayLike, **params: Any) -> Self:
        """Fit the estimator on the stages of the rows; `y` says no more than they do."""
        self.estimator_ = clone(self.estimator).fit(X, stages, **params)
        self.classes_ = np.arange(2)
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probabilities of the earlier stages together, and of the last one."""
        place = list(self.estimator_.classes_).index(self.last)
        last = np.asarray(self.estimator_.predict_proba(X), dtype=float)[:, place]
        return np.column_stack([1 - last, last])

    def __deploy__(self) -> object:
        """Return the model of all stages: it is what ships."""
        return deploy(self.estimator_)
