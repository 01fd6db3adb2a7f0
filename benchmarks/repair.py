"""What resampling does to probabilities, and what repairing them brings back.

Run: python benchmarks/repair.py [--data FOLDER] [--table NAME,...]

Twenty tables, two learners, six ways of balancing, three folds. Each model's Brier score and
log-loss on test folds at the natural share: as it is, inside ResamplingCorrectedClassifier, and
inside it with ``calibration="sigmoid"`` whatever the strategy; relative to the untouched learner
on the same folds. Printed as Markdown.
"""

import argparse
import warnings

import numpy as np
from _binary_tables import LEARNERS, TABLES, load
from _sampler_tables import folder_of
from _timing import machine
from imblearn.ensemble import BalancedBaggingClassifier
from sklearn.base import clone
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import StratifiedKFold

from imbkit.calibration import ResamplingCorrectedClassifier
from imbkit.pipeline import make_pipeline
from imbkit.sampling import SMOTE, SMOTEENN, RandomOverSampler, RandomUnderSampler

SAMPLERS = {
    "random under": RandomUnderSampler(random_state=0),
    "random over": RandomOverSampler(random_state=0),
    "SMOTE": SMOTE(random_state=0),
    "SMOTE + ENN": SMOTEENN(random_state=0),
}
STRATEGIES = ("class weight", *SAMPLERS, "balanced bagging")
# Inside and outside; some tables are sorted, so that folds have to be shuffled.
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
SCORES = {"Brier": brier_score_loss, "log-loss": log_loss}


def weighted(learner):
    """Return a learner with balanced class weights."""
    name = "model__class_weight" if hasattr(learner, "steps") else "class_weight"
    return clone(learner).set_params(**{name: "balanced"})


def strategy(name, learner):
    """Return a learner under a strategy."""
    if name == "class weight":
        return weighted(learner)
    if name == "balanced bagging":
        return BalancedBaggingClassifier(clone(learner), n_estimators=5, random_state=0)
    return make_pipeline(SAMPLERS[name], clone(learner))


def scores_of(models, X, y):
    """Return mean test scores over three folds: one row a model, in the order of SCORES.

    Of a corrected model the one inside comes first.
    """
    rows = []
    for train, test in FOLDS.split(X, y):
        fitted = [model.fit(X[train], y[train]) for model in models]
        if isinstance(fitted[0], ResamplingCorrectedClassifier):
            fitted.insert(0, fitted[0].estimator_)
        probabilities = [model.predict_proba(X[test])[:, 1] for model in fitted]
        rows.append([[score(y[test], p) for score in SCORES.values()] for p in probabilities])
    return np.mean(rows, axis=0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--table", default=",".join(TABLES))
    options = parser.parse_args()
    tables = options.table.split(",")
    folder = folder_of(options.data)
    warnings.simplefilter("ignore")
    relative = {}  # (learner, strategy) -> tables x (raw, repaired, sigmoid) x scores
    lines = []
    for table in tables:
        X, y = load(folder, table)
        for learner_name, learner in LEARNERS.items():
            base = scores_of([clone(learner)], X, y)[0]
            line = [table, learner_name, f"{y.mean():.1%}", f"{base[1]:.4f}"]
            for name in STRATEGIES:
                repaired = ResamplingCorrectedClassifier(strategy(name, learner), cv=FOLDS)
                asked = clone(repaired).set_params(calibration="sigmoid")
                three = scores_of([repaired, asked], X, y) / base
                relative.setdefault((learner_name, name), []).append(three)
                line.append(" → ".join(f"{value:.2f}" for value in three[:, 1]))
            lines.append("| " + " | ".join(line) + " |")
            print(lines[-1], flush=True)
    print(f"\n{machine()}\n{len(tables)} tables, 3 folds; relative to the untouched learner\n")
    names = [f"{score} {kind}" for score in SCORES for kind in ("raw", "repaired", "sigmoid")]
    print(f"| learner | strategy | {' | '.join(names)} | log-loss lower by repair, by sigmoid |")
    print("|---|---|" + "--:|" * 7)
    for (learner_name, name), each in relative.items():
        stack = np.array(each)
        middle = np.exp(np.log(stack).mean(axis=0))
        better = [int((stack[:, kind, 1] < stack[:, 0, 1]).sum()) for kind in (1, 2)]
        cells = [f"{middle[kind, score]:.2f}" for score in range(2) for kind in range(3)]
        cells = [learner_name, name, *cells, f"{better[0]}, {better[1]} of {len(each)}"]
        print(f"| {' | '.join(cells)} |")
    print("\n| table | learner | positive | log-loss | " + " | ".join(STRATEGIES) + " |")
    print("|---|---|--:|--:|" + "--:|" * len(STRATEGIES))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
