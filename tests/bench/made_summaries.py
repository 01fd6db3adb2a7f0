"""Complete summaries that no run made: two classes, many classes, and hostile texts."""

import math
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
MONEY = {
    "cost_per_1000": ("Cost per 1,000 rows", False, (None, None), 931.0),
    "saved_per_1000": ("Saved per 1,000 rows", True, (None, None), 2130.0),
    "captured_amount": ("Captured amount", True, UNIT, 0.86),
    "entity_precision": ("Group precision", True, UNIT, 0.43),
}
BASELINE = "none/hist_gradient_boosting"
SMOTE = "smote/hist_gradient_boosting"
ENSEMBLE = "under_ensemble/hist_gradient_boosting"


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
                "recalls": {},
            }
            for policy, cut, scale in (("default", 0.5, 0.9), ("tuned", 0.21, 1.0))
        ]
        recalls = {"0": _estimate(rng, 0.99, True, UNIT), "1": _estimate(rng, 0.8, True, UNIT)}
        entries.append(_entry(strategy, learner, scores, policies, recalls))
    entries[5] |= {"failed": 1, "done": 9}
    entries[12] |= {"missing": 10, "done": 0}
    _empty(entries[12])
    entries[7]["scores"]["brier"] = entries[7]["scores"]["log_loss"] = _nothing()
    return {
        "schema": "imbkit.comparison",
        "schema_version": 3,
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
            "decision_policy": "tuned",
            "weight": "",
            "label_delay": "",
            "quick": False,
        },
        "data": _data(),
        "metrics": {name: _metric(name, *facts[:3]) for name, facts in known.items()},
        "verdicts": [
            _verdict(
                "ranking",
                "average_precision",
                SMOTE,
                0.013,
                (-0.008, 0.034),
                "Nothing ranks better than the untouched histogram boosting beyond noise: the best "
                "challenger, SMOTE with histogram boosting, is +0.013 away in average precision.",
                "not beaten",
            ),
            _verdict(
                "decisions",
                "mcc",
                ENSEMBLE,
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
        "recommended": ENSEMBLE,
        "recommended_policy": "tuned",
        "folds": [
            {
                "repeat": k // 5,
                "fold": k % 5,
                "n_train": 3018,
                "n_test": 754,
                "positives": 46 + (k % 5 == 0),
                "start": "",
                "end": "",
            }
            for k in range(10)
        ],
        "curves": [
            _curves(entry, skill, seed=k)
            for k, (entry, skill) in enumerate(((BASELINE, 2.6), (SMOTE, 2.7), (ENSEMBLE, 3.0)))
        ],
        "pairs": [
            _pairs_matrix("ranking", "average_precision", entries),
            _pairs_matrix("decisions", "mcc", entries),
        ],
        "money": None,
        "budget": None,
        "promise": None,
        "base_rates": _base_rates(ENSEMBLE, "tuned", rows=1e6, per_day=False),
        "optimism": None,
        "held_out": None,
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


def rich_summary():
    """A summary of two classes with costs, alerts per day, time, groups, leaks and a test table."""
    rng = random.Random(2)
    summary = binary_summary()
    extra = {name: _metric(name, *facts[:3]) for name, facts in MONEY.items()}
    summary["metrics"] = extra | summary["metrics"]
    for entry in summary["entries"]:
        tuned = entry["policies"][-1]["metrics"]
        for policy, threshold in (("expected_loss", None), ("budget", None)):
            entry["policies"].append(
                {"policy": policy, "threshold": threshold, "metrics": dict(tuned), "recalls": {}}
            )
        for policy in entry["policies"]:
            for name, (_, _, bounds, centre) in MONEY.items():
                known = entry["done"] and (name != "entity_precision" or policy == "budget")
                policy["metrics"][name] = (
                    _estimate(rng, centre * rng.uniform(0.9, 1.1), False, bounds)
                    if known
                    else _nothing()
                )
    summary["task"] |= {
        "decision_metric": "cost_per_1000",
        "decision_policy": "expected_loss",
        "weight": "weight",
        "label_delay": "7d",
        "folds": 10,
        "repeats": 1,
    }
    summary["recommended_policy"] = "expected_loss"
    summary["verdicts"][1] |= {
        "metric": "cost_per_1000",
        "policy": "expected_loss",
        "best_policy": "expected_loss",
        "baseline_mean": 1012.0,
        "best_mean": 931.0,
        "difference": -81.0,
        "low": -140.0,
        "high": -22.0,
        "rope": 10.1,
        "p_value": 0.0002,
        "sentence": "For decisions, by cost per 1,000 rows, under-sampling ensemble, histogram "
        "boosting by expected loss (931) beat the baseline, untouched, histogram boosting by "
        "expected loss (1,012), beyond noise: a difference of -81 (95 % interval -140 to -22).",
    }
    summary["data"] |= {
        "near_duplicate_rows": 112,
        "group_column": "customer",
        "groups": 841,
        "time_column": "seen",
        "time_start": "2025-01-01T00:00:00",
        "time_end": "2025-12-31T23:10:00",
        "periods": [
            {
                "start": f"2025-{1 + k // 2:02}-{1 + 15 * (k % 2):02}T00:00:00",
                "rows": 157 + 4 * k,
                "positives": 4 + k % 7,
            }
            for k in range(24)
        ],
        "leaks": [
            {
                "column": "verdict_code",
                "kind": "perfect",
                "value": 0.998,
                "text": "The column 'verdict_code' alone ranks the rows almost without error: "
                "drop it unless it is known before the outcome.",
            },
            {
                "column": "row_id",
                "kind": "order",
                "value": None,
                "text": "The column 'row_id' runs with the position of the rows: drop it.",
            },
        ],
    }
    for k, fold in enumerate(summary["folds"]):
        day = f"2025-{k + 2:02}"
        fold |= {"repeat": 0, "fold": k, "start": f"{day}-01T00:00:00", "end": f"{day}-28T00:00:00"}
    for curves in summary["curves"]:
        curves["budget_amount"] = curves["budget_recall"]
        for key in ("mean", "low", "high"):
            curves["objective"][key] = [3000 * (1.1 - v) for v in curves["objective"][key]]
    summary["pairs"][1]["metric"] = "cost_per_1000"
    return summary | {
        "money": {
            "fn_cost": "amount",
            "fp_cost": "5",
            "tp_gain": "0",
            "constant": False,
            "nothing": 3061.0,
            "everything": 4693.0,
            "cut": None,
        },
        "budget": {"alerts": 100.0, "per_day": True, "share": 0.01, "entity": "customer"},
        "base_rates": _base_rates(ENSEMBLE, "expected_loss", rows=9_583.0, per_day=True),
        "optimism": {
            "entry": BASELINE,
            "metric": "average_precision",
            "time_mean": 0.81,
            "random_mean": 0.93,
        },
        "held_out": {
            "name": "later.parquet",
            "rows": 22_544,
            "positives": 2_754,
            "unseen_labels": ["mscan", "worm"],
            "repeated_rows": 330,
            "entries": [
                {
                    "id": entry,
                    "policy": "expected_loss",
                    "threshold": None,
                    "scores": {"average_precision": 0.7 + lead, "cost_per_1000": 1200.0, "x": None},
                    "low": {"average_precision": 0.68 + lead, "cost_per_1000": 1100.0, "x": None},
                    "high": {"average_precision": 0.72 + lead, "cost_per_1000": 1300.0, "x": None},
                }
                for entry, lead in ((BASELINE, 0.0), (ENSEMBLE, 0.04))
            ],
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
        entry["policies"] = [
            {
                "policy": policy,
                "threshold": None,
                "metrics": dict(kept),
                "recalls": {label: _estimate(rng, 0.7, place == 1, UNIT) for label in labels},
            }
            for policy in ("argmax", "tuned")
        ]
        entry["recalls"] = entry["policies"][1]["recalls"]
        entry["calibration"] = None
        if entry["done"]:
            entry["class_weights"] = {
                label: {"median": 2.0**k, "low": 1.5**k, "high": 3.0**k, "folds": [2.0**k] * 10}
                for k, label in enumerate(labels)
            }
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
    summary["task"] |= {"kind": "multiclass", "positive": "", "inner_folds": 3}
    summary["task"]["decision_policy"] = summary["recommended_policy"] = "tuned"
    summary |= {"curves": [], "base_rates": None}
    for verdict in summary["verdicts"]:
        if verdict["question"] == "decisions":
            verdict["policy"] = verdict["best_policy"] = "tuned"
    return summary


def hostile_summary():
    """Hostile texts wherever a text can come from data, a learner or the command line."""
    return _poisoned(multiclass_summary(HOSTILE))


def hostile_rich_summary():
    """The same with two classes, costs, time, leaks and a test table."""
    summary = _poisoned(rich_summary())
    data = summary["data"]
    data |= {"group_column": HOSTILE[0], "time_column": HOSTILE[1], "time_start": HOSTILE[2]}
    data["time_end"] = HOSTILE[3]
    for card, text in zip(data["classes"], HOSTILE, strict=False):
        card["label"] = text
    for k, period in enumerate(data["periods"]):
        period["start"] = HOSTILE[k % len(HOSTILE)]
    data["leaks"] = [
        {"column": name, "kind": kind, "value": 0.999, "text": name}
        for name in HOSTILE
        for kind in ("perfect", "outcome", "identifier", "order")
    ]
    for fold in summary["folds"]:
        fold |= {"start": HOSTILE[2], "end": HOSTILE[4]}
    summary["money"] |= dict(zip(("fn_cost", "fp_cost", "tp_gain"), HOSTILE, strict=False))
    summary["budget"]["entity"] = summary["task"]["weight"] = HOSTILE[0]
    summary["held_out"] |= {"name": HOSTILE[0], "unseen_labels": list(HOSTILE)}
    return summary


def crowded_summary():
    """Two classes, 64 entries of long names, 60 folds and everything that can be drawn."""
    summary = rich_summary()
    first, *rest = summary["entries"]
    copies = [
        entry
        | {"id": f"{entry['id']}{k}", "title": f"{entry['title']}, variant {k} " + "long " * 20}
        for k in range(1, 6)
        for entry in rest
    ]
    summary["entries"] = [first, *rest, *copies][:64]
    summary["folds"] = [summary["folds"][k % 10] | {"fold": k} for k in range(60)]
    for entry in summary["entries"]:
        for estimate in [*entry["scores"].values()] + [
            value for policy in entry["policies"] for value in policy["metrics"].values()
        ]:
            estimate["folds"] = estimate["folds"][:10] * 6
    summary["pairs"] = [
        _pairs_matrix(pair["question"], pair["metric"], summary["entries"])
        for pair in summary["pairs"]
    ]
    summary["curves"] = [_curves(BASELINE, 2.6, points=400), _curves(SMOTE, 2.9, points=400)] + [
        _curves(entry["id"], 2.8, points=400) for entry in copies[:2]
    ]
    return summary


def bare_summary():
    """Two classes, of which no cell was finished."""
    summary = binary_summary()
    for verdict in summary["verdicts"]:
        gone = (
            "best", "best_mean", "difference", "low", "high", "p_value",
            "probability_better", "probability_equivalent", "baseline_mean",
        )  # fmt: skip
        verdict |= dict.fromkeys(gone)
        verdict |= {"best_policy": "none", "outcome": "undecided"}
        verdict["sentence"] = "Nothing can be said: no cell of the baseline was finished."
    for entry in summary["entries"]:
        entry |= {"scores": {}, "policies": [], "recalls": {}, "done": 0, "missing": 10}
        entry["calibration"] = None
    summary["timing"]["entries"] = {}
    summary |= {"curves": [], "pairs": [], "base_rates": None, "recommended": BASELINE}
    return summary


def _poisoned(summary):
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
        "class_weights": {},
        "calibration": _calibration(strategy),
    }


def _calibration(strategy):
    """Errors before and after repair; the untouched learner needed none."""
    off = 1.0 if strategy == "none" else 4.0
    before = {
        "brier": 0.013 * off,
        "log_loss": 0.047 * off,
        "brier_positive": 0.21 / off,
        "brier_negative": 0.004 * off**2,
        "calibration_error": 0.006 * off,
        "mean": 0.0612 * off,
        "share": 0.0612,
    }
    after = before | {"brier": 0.0127, "log_loss": 0.045, "brier_negative": None, "mean": 0.0609}
    repairs = [] if strategy == "none" else ["sigmoid"]
    return {"before": before, "after": after if repairs else None, "repairs": repairs}


def _estimate(rng, centre, tied, bounds):
    low, high = bounds
    reach = 0.04 * centre
    bottom = -math.inf if low is None else low
    top = math.inf if high is None else high
    centre = min(centre, top)
    return {
        "mean": centre,
        "low": max(centre - reach, bottom),
        "high": min(centre + reach, top),
        "bootstrap_low": max(centre - 0.7 * reach, bottom),
        "bootstrap_high": min(centre + 0.6 * reach, top),
        "folds": [centre + reach * rng.uniform(-1, 1) for _ in range(10)],
        "tied_with_best": tied,
    }


def _nothing():
    ends = dict.fromkeys(("mean", "low", "high", "bootstrap_low", "bootstrap_high"))
    return ends | {"folds": [None] * 10, "tied_with_best": False}


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


def _curves(entry, skill, seed=0, points=80):
    """Curves of scores that are normal in both classes, `skill` deviations apart."""
    rng = random.Random(seed)
    share = 231 / 3772
    cuts = [5 - 9 * k / (points - 1) for k in range(points)]
    fpr, tpr = [_above(cut) for cut in cuts], [_above(cut - skill) for cut in cuts]
    recalls = [k / (points - 1) for k in range(points)]
    at = [fpr[min(range(points), key=lambda i: abs(tpr[i] - r))] for r in recalls]
    precision = [
        r * share / (r * share + (1 - share) * f) if r else None
        for r, f in zip(recalls, at, strict=True)
    ]
    rates = [10 ** (-5 + 5 * k / (points - 1)) for k in range(points)]
    caught = [tpr[min(range(points), key=lambda i: abs(fpr[i] - r))] for r in rates]
    alerted = [10 ** (-4 + 4 * k / (points - 1)) for k in range(points)]
    cut = [(k + 0.5) / points for k in range(points)]
    mcc = [0.8 * math.exp(-(((c - 0.3) / 0.4) ** 2)) for c in cut]
    found = [min(1.0, a / share * skill / 3.2) for a in alerted]
    right = [min(1.0, f * share / a) for f, a in zip(found, alerted, strict=True)]
    chances = [0.0004, 0.002, 0.009, 0.03, 0.08, 0.2, 0.45, 0.8, 0.97]
    raw = [_bin(400 - 40 * k, min(p * 1.6, 0.995), p) for k, p in enumerate(chances)]
    mended = [_bin(400 - 40 * k, p * 1.02, p) for k, p in enumerate(chances)]
    return {
        "id": entry,
        "precision_recall": _band(rng, recalls, precision),
        "roc": _band(rng, rates, caught),
        "objective": _band(rng, cut, mcc),
        "thresholds": [0.21, 0.24, 0.3, 0.18, 0.33, 0.27, 0.22, 0.4, 0.29, 0.31],
        "budget_recall": _band(rng, alerted, found),
        "budget_precision": _band(rng, alerted, right),
        "budget_amount": None,
        "reliability": raw,
        "repaired": [] if entry == BASELINE else mended,
    }


def _above(value):
    return 0.5 * math.erfc(value / math.sqrt(2))


def _band(rng, x, values):
    width = rng.uniform(0.02, 0.05)
    return {
        "x": x,
        "mean": values,
        "low": [None if v is None else max(v - width, 0.0) for v in values],
        "high": [None if v is None else min(v + width, 1.0) for v in values],
    }


def _bin(rows, predicted, observed):
    reach = 2 * math.sqrt(observed * (1 - observed) / rows)
    return {
        "rows": rows,
        "predicted": predicted,
        "observed": observed,
        "low": max(observed - reach, 0.0),
        "high": min(observed + reach, 1.0),
    }


def _pairs_matrix(question, metric, entries):
    ids = [entry["id"] for entry in entries]
    better = [
        [None if i == j else round(1 / (1 + math.exp(i - j)), 3) for j in range(len(ids))]
        for i in range(len(ids))
    ]
    return {"question": question, "metric": metric, "entries": ids, "better": better}


def _base_rates(entry, policy, *, rows, per_day):
    lines = []
    for prevalence, kind in ((231 / 3772, "table"), (0.01, "asked"), (0.0006, "other")):
        right, wrong = rows * prevalence * 0.8, rows * (1 - prevalence) * 0.016
        lines.append(
            {
                "prevalence": prevalence,
                "true_alerts": right,
                "false_alerts": wrong,
                "precision": right / (right + wrong),
                "kind": kind,
                "alerts_per_1000": 1000 * (right + wrong) / rows,
                "cost_per_1000": 900.0 * prevalence if policy == "expected_loss" else None,
                "threshold": None if policy == "expected_loss" else 0.02 / (prevalence + 0.02),
            }
        )
    return {
        "threshold": "none" if policy == "expected_loss" else "tuned",
        "entry": entry,
        "policy": policy,
        "recall": 0.8,
        "false_positive_rate": 0.016,
        "rows": rows,
        "per_day": per_day,
        "lines": lines,
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
        "near_duplicate_rows": 0,
        "group_column": "",
        "groups": 0,
        "time_column": "",
        "time_start": "",
        "time_end": "",
        "periods": [],
        "leaks": [],
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
