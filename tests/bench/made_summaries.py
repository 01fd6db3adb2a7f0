"""Complete summaries that no run made: two classes, many classes, and hostile texts."""

import random

HOSTILE = (
    '<script>alert("x")</script>',
    "\" onmouseover='alert(1)' x=\"",
    "</style></title></svg><img src=http://evil.example/x.png onerror=alert(1)>",
    "line\nbreak\r\n\tand tab",
    "right\u202eto\u202cleft \u2066isolate\u2069 mark\u200f",
    "null\x00bell\x07escape\x1b[31mred",
    "zero\u200bwidth\ufeff and \ud800 surrogate",
    "{{ 7 * 7 }} {% raw %} {# note #} ${x} `code` | pipe",
    "x" * 10_000,
    "שלום עולם",
)
STRATEGIES = {
    "none": "untouched",
    "class_weight": "class weights",
    "random_under": "random under-sampling",
    "random_over": "random over-sampling",
    "smote": "SMOTE",
    "smote_enn": "SMOTE + ENN",
    "under_ensemble": "under-sampling ensemble",
}
LEARNERS = {"hist_gradient_boosting": "histogram boosting", "logistic": "logistic regression"}
UNIT = (0.0, 1.0)
RANKING = {
    "average_precision": ("Average precision", True, UNIT, 0.83),
    "roc_auc": ("ROC AUC", True, UNIT, 0.986),
    "brier": ("Brier score", False, UNIT, 0.0131),
    "log_loss": ("Log-loss", False, (0.0, None), 0.047),
    "recall_at_fpr_0.01": ("Recall at 1 % FPR", True, UNIT, 0.81),
    "recall_at_fpr_0.001": ("Recall at 0.1 % FPR", True, UNIT, 0.52),
}
DECISIONS = {
    "mcc": ("MCC", True, (-1.0, 1.0), 0.78),
    "recall": ("Recall", True, UNIT, 0.8),
    "precision": ("Precision", True, UNIT, 0.77),
    "f1": ("F1", True, UNIT, 0.79),
    "gmean": ("G-mean", True, UNIT, 0.88),
    "balanced_accuracy": ("Balanced accuracy", True, UNIT, 0.89),
    "alert_rate": ("Alerts", True, UNIT, 0.065),
}


def binary_summary(seed=0):
    """A summary of two classes in which one cell failed and a metric is missing."""
    rng = random.Random(seed)
    known = RANKING | DECISIONS
    entries = []
    for place, (strategy, learner) in enumerate(_pairs()):
        made_up = strategy != "none"
        scores = {
            name: _estimate(rng, centre * (1 + 0.03 * rng.gauss(0, 1)), place < 4, (low, high))
            for name, (_, _, (low, high), centre) in RANKING.items()
        }
        if made_up:
            scores["brier"] = _estimate(rng, 0.013 * (1 + 4 * rng.random()), False, UNIT)
            scores["log_loss"] = _estimate(rng, 0.05 * (1 + 4 * rng.random()), False, (0, 9))
        policies = [
            {
                "policy": policy,
                "threshold": _estimate(rng, cut, False, UNIT),
                "metrics": {
                    name: _estimate(rng, centre * scale, place == 3, bounds)
                    for name, (_, _, bounds, centre) in DECISIONS.items()
                },
            }
            for policy, cut, scale in (("default", 0.5, 0.9), ("tuned", 0.21, 1.0))
        ]
        recalls = {"0": _estimate(rng, 0.99, True, UNIT), "1": _estimate(rng, 0.8, True, UNIT)}
        entries.append(_entry(strategy, learner, scores, policies, recalls))
    entries[5] |= {"failed": 1, "done": 9}
    entries[6] |= {"missing": 10, "done": 0}
    _empty(entries[6])
    entries[7]["scores"]["brier"] = entries[7]["scores"]["log_loss"] = _nothing()
    smote = "smote/hist_gradient_boosting"
    return {
        "schema": "imbkit.comparison",
        "schema_version": 1,
        "versions": {"imbkit": "0.1.0", "python": "3.11.9", "scikit-learn": "1.9.1"},
        "command": "imbkit compare sick.csv --target sick --seed 0",
        "task": {
            "kind": "binary",
            "target": "sick",
            "positive": "sick",
            "folds": 5,
            "repeats": 2,
            "inner_folds": 3,
            "seed": 0,
            "ranking_metric": "average_precision",
            "decision_metric": "mcc",
            "quick": False,
        },
        "data": _data(),
        "metrics": {name: _metric(name, *facts[:3]) for name, facts in known.items()},
        "verdicts": [
            _verdict(
                "ranking",
                "average_precision",
                smote,
                0.013,
                (-0.008, 0.034),
                "Nothing ranks better than the untouched histogram boosting beyond noise: the best "
                "challenger, SMOTE with histogram boosting, is +0.013 away in average precision.",
                "not beaten",
            ),
            _verdict(
                "decisions",
                "mcc",
                "under_ensemble/hist_gradient_boosting",
                0.041,
                (0.012, 0.07),
                "At a tuned threshold the under-sampling ensemble with histogram boosting decides "
                "better than the baseline beyond noise, by 0.041 in MCC.",
                "beaten",
            ),
        ],
        "cautions": [
            "61 rows repeat an earlier row and 4 of them carry another label.",
            "The test folds hold as few as 46 positive rows, so recall moves in steps of 2 %.",
        ],
        "entries": entries,
        "problems": [
            _problem("failed", "smote/logistic", "ValueError: Input X contains infinity.", 1),
            _problem("not run", "smote_enn/logistic", "The budget of 5 minutes was spent.", 10),
            _problem("left out", "kmeans_smote", "Needs clusters with enough rows.", 1),
            _problem("warning", "none/logistic", "ConvergenceWarning: no convergence", 7),
        ],
        "recipe": "from sklearn.ensemble import HistGradientBoostingClassifier\n\n"
        "model = HistGradientBoostingClassifier(random_state=0)\nmodel.fit(X, y)\n",
        "recommended": "under_ensemble/hist_gradient_boosting",
        "recommended_policy": "tuned",
        "timing": {
            "created": "2026-03-01T10:20:30+00:00",
            "wall_seconds": 83.2,
            "entries": {
                entry["id"]: {
                    "fit_seconds": rng.random() * 5,
                    "predict_seconds": rng.random() / 50,
                    "model_bytes": rng.random() * 3e6,
                }
                for entry in entries
                if entry["done"]
            },
        },
    }


def multiclass_summary(labels=("normal", "dos", "probe", "r2l", "u2r")):
    """A summary of many classes, with the recall of each."""
    rng = random.Random(1)
    summary = binary_summary(1)
    for name in ("recall_at_fpr_0.01", "recall_at_fpr_0.001", "alert_rate"):
        del summary["metrics"][name]
    for place, entry in enumerate(summary["entries"]):
        entry["scores"] = {k: v for k, v in entry["scores"].items() if k in summary["metrics"]}
        last = entry["policies"][-1]["metrics"]
        kept = {k: v for k, v in last.items() if k in summary["metrics"]}
        entry["policies"] = [{"policy": "argmax", "threshold": None, "metrics": kept}]
        entry["recalls"] = {label: _estimate(rng, 0.7, place == 1, UNIT) for label in labels}
    rows = [round(67_000 / 4**k) + 2 for k in range(len(labels))]
    summary["data"]["classes"] = [
        {
            "label": label,
            "rows": n,
            "share": n / sum(rows),
            "fewest_in_test_fold": n // 5,
            "positive": False,
        }
        for label, n in zip(labels, rows, strict=True)
    ]
    summary["data"]["rows"] = sum(rows)
    summary["task"] |= {"kind": "multiclass", "positive": "", "inner_folds": 0}
    summary["recommended_policy"] = "argmax"
    for verdict in summary["verdicts"]:
        if verdict["question"] == "decisions":
            verdict["policy"] = verdict["best_policy"] = "argmax"
    return summary


def hostile_summary():
    """Hostile texts wherever a text can come from data, a learner or the command line."""
    summary = multiclass_summary(HOSTILE)
    bad = " ".join(HOSTILE[:8])
    summary["data"] |= {
        "name": HOSTILE[0],
        "dropped": list(HOSTILE),
        "warnings": [f"The column {name} is constant." for name in HOSTILE],
        "columns": [
            {"name": name, "kind": "category", "missing": 0.1, "levels": 3, "note": name}
            for name in HOSTILE
        ],
    }
    summary["task"] |= {"target": HOSTILE[1], "positive": HOSTILE[2]}
    summary["cautions"] = list(HOSTILE)
    summary["command"] = bad
    summary["recipe"] = "\n".join(HOSTILE)
    summary["versions"] = {name: name for name in HOSTILE}
    summary["timing"]["created"] = HOSTILE[2]
    for verdict in summary["verdicts"]:
        verdict["sentence"] = bad
    for card in summary["metrics"].values():
        card["title"] = card["meaning"] = HOSTILE[0]
    for entry, text in zip(summary["entries"], HOSTILE * 2, strict=False):
        entry["title"] = text
    summary["problems"] = [_problem("warning", name, name, 1) for name in HOSTILE]
    return summary


def huge_summary():
    """More entries, classes, columns, warnings and text than a page can show."""
    summary = multiclass_summary(tuple(f"class {k:03d} {'y' * 200}" for k in range(100)))
    first, *rest = summary["entries"]
    copies = [entry | {"id": f"{entry['id']}{k}"} for k in range(12) for entry in rest]
    summary["entries"] = [first, *copies]
    summary["data"]["columns"] = [
        {
            "name": f"{k}{'z' * 300}",
            "kind": "number",
            "missing": 0.0,
            "levels": 9,
            "note": "w" * 999,
        }
        for k in range(20_000)
    ]
    summary["data"]["warnings"] = ["v" * 5_000] * 3_000
    summary["data"]["dropped"] = ["d" * 400] * 5_000
    summary["cautions"] = ["c" * 5_000] * 3_000
    summary["problems"] = [_problem("warning", "p" * 500, "t" * 9_000, 3)] * 5_000
    summary["recipe"] = ("r" * 5_000 + "\n") * 9_000
    return summary


def _pairs():
    yield "none", "hist_gradient_boosting"
    for learner in LEARNERS:
        for strategy in STRATEGIES:
            if (strategy, learner) != ("none", "hist_gradient_boosting"):
                yield strategy, learner


def _entry(strategy, learner, scores, policies, recalls):
    return {
        "id": f"{strategy}/{learner}",
        "strategy": strategy,
        "learner": learner,
        "title": f"{STRATEGIES[strategy]}, {LEARNERS[learner]}",
        "baseline": (strategy, learner) == ("none", "hist_gradient_boosting"),
        "changes_prior": strategy != "none",
        "done": 10,
        "failed": 0,
        "missing": 0,
        "scores": scores,
        "policies": policies,
        "recalls": recalls,
    }


def _estimate(rng, centre, tied, bounds):
    low, high = bounds
    reach = 0.04 * centre
    top = float("inf") if high is None else high
    centre = min(centre, top)
    return {
        "mean": centre,
        "low": max(centre - reach, low),
        "high": min(centre + reach, top),
        "folds": [centre + reach * rng.uniform(-1, 1) for _ in range(10)],
        "tied_with_best": tied,
    }


def _nothing():
    return {"mean": None, "low": None, "high": None, "folds": [None] * 10, "tied_with_best": False}


def _empty(entry):
    entry["scores"] = dict.fromkeys(entry["scores"], _nothing())
    for policy in entry["policies"]:
        policy["threshold"] = None
        policy["metrics"] = dict.fromkeys(policy["metrics"], _nothing())
    entry["recalls"] = dict.fromkeys(entry["recalls"], _nothing())


def _metric(name, title, greater, bounds):
    return {
        "name": name,
        "title": title,
        "greater_is_better": greater,
        "low": bounds[0],
        "high": bounds[1],
        "meaning": f"What {title} means, in one plain sentence that a manager can follow.",
    }


def _verdict(question, metric, best, difference, span, sentence, outcome):
    return {
        "question": question,
        "metric": metric,
        "policy": "none" if question == "ranking" else "tuned",
        "baseline": "none/hist_gradient_boosting",
        "baseline_mean": 0.83,
        "best": best,
        "best_policy": "none" if question == "ranking" else "tuned",
        "best_mean": 0.83 + difference,
        "difference": difference,
        "low": span[0],
        "high": span[1],
        "p_value": 0.21,
        "probability_better": 0.61,
        "probability_equivalent": 0.33,
        "rope": 0.01,
        "outcome": outcome,
        "sentence": sentence,
    }


def _problem(kind, where, text, count):
    return {"kind": kind, "where": where, "text": text, "count": count}


def _data():
    classes = [("negative", 3541, 708, False), ("sick", 231, 46, True)]
    return {
        "name": "sick",
        "rows": 3772,
        "features": 27,
        "missing": 0.0554,
        "duplicate_rows": 61,
        "contradicting_rows": 4,
        "classes": [
            {
                "label": label,
                "rows": rows,
                "share": rows / 3772,
                "fewest_in_test_fold": fewest,
                "positive": positive,
            }
            for label, rows, fewest, positive in classes
        ],
        "columns": [
            {"name": "age", "kind": "number", "missing": 0.0003, "levels": 93, "note": ""},
            {"name": "TSH", "kind": "number", "missing": 0.0978, "levels": 287, "note": ""},
            {
                "name": "referral source",
                "kind": "category",
                "missing": 0.0,
                "levels": 5,
                "note": "",
            },
            {
                "name": "TBG",
                "kind": "number",
                "missing": 1.0,
                "levels": 0,
                "note": "left out: no value at all",
            },
        ],
        "dropped": ["patient id"],
        "warnings": [
            "The column T3 alone reaches an average precision of 0.71: is it known before the "
            "outcome?",
        ],
    }
