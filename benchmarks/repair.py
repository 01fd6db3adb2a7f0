"""What resampling does to probabilities, and what repairing them brings back.

Run: python benchmarks/repair.py [--data FOLDER] [--table NAME,...]

Twenty tables, two learners, six ways of balancing, three folds. Each model's Brier score and
log-loss on test folds at the natural share, as it is and inside ResamplingCorrectedClassifier,
relative to the untouched learner on the same folds. Printed as Markdown.
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


def scores_of(model, X, y):
    """Return mean test scores over three folds: of the inner model, then of the repaired one."""
    rows = []
    for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(X, y):
        model.fit(X[train], y[train])
        wrapped = isinstance(model, ResamplingCorrectedClassifier)
        models = (model.estimator_, model) if wrapped else (model,)
        probabilities = [each.predict_proba(X[test])[:, 1] for each in models]
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
    relative = {}  # (learner, strategy) -> tables x (raw, repaired) x scores
    lines = []
    for table in tables:
        X, y = load(folder, table)
        for learner_name, learner in LEARNERS.items():
            base = scores_of(clone(learner), X, y)[0]
            line = [table, learner_name, f"{y.mean():.1%}", f"{base[1]:.4f}"]
            for name in STRATEGIES:
                repaired = ResamplingCorrectedClassifier(strategy(name, learner), cv=3)
                pair = scores_of(repaired, X, y) / base
                relative.setdefault((learner_name, name), []).append(pair)
                line.append(f"{pair[0, 1]:.2f} → {pair[1, 1]:.2f}")
            lines.append("| " + " | ".join(line) + " |")
            print(lines[-1], flush=True)
    print(f"\n{machine()}\n{len(tables)} tables, 3 folds; relative to the untouched learner\n")
    print("| learner | strategy | Brier raw | Brier repaired | log-loss raw | log-loss repaired "
          "| tables where repair lowers the log-loss |")  # fmt: skip
    print("|---|---|--:|--:|--:|--:|--:|")
    for (learner_name, name), pairs in relative.items():
        stack = np.array(pairs)
        middle = np.exp(np.log(stack).mean(axis=0))
        better = int((stack[:, 1, 1] < stack[:, 0, 1]).sum())
        cells = [f"{middle[kind, score]:.2f}" for score in range(2) for kind in range(2)]
        cells = [learner_name, name, *cells, f"{better} of {len(pairs)}"]
        print(f"| {' | '.join(cells)} |")
    print("\n| table | learner | positive | log-loss | " + " | ".join(STRATEGIES) + " |")
    print("|---|---|--:|--:|" + "--:|" * len(STRATEGIES))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
