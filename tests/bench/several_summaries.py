"""Summaries of single tables with chosen means, for tests of what is made of several."""

import numpy as np

BASE = "none/boosting"
TITLES = {"none": "untouched", "smote": "SMOTE", "over": "over-sampling", "weight": "weights"}


def one_summary(name, means, *, kind="binary", greater=True):
    """The summary of a table: entry -> mean, the same for both questions; None has failed."""
    policy = "tuned" if kind == "binary" else "argmax"
    entries = [_entry(entry, mean, policy) for entry, mean in means.items()]
    cards = {
        metric: {
            "name": metric,
            "title": title,
            "greater_is_better": greater,
            "low": 0.0,
            "high": 1.0,
            "meaning": f"What {title} means.",
        }
        for metric, title in (("average_precision", "Average precision"), ("mcc", "MCC"))
    }
    return {
        "versions": {"imbkit": "0.1.0", "numpy": "2.0.0"},
        "task": {"kind": kind, "folds": 5, "repeats": 2, "seed": 0, "quick": False},
        "data": {
            "name": name,
            "rows": 1000,
            "features": 7,
            "classes": [
                {"label": "no", "rows": 940, "positive": False},
                {"label": "yes", "rows": 60, "positive": kind == "binary"},
            ],
        },
        "metrics": cards,
        "verdicts": [
            _verdict("ranking", "average_precision", "none"),
            _verdict("decisions", "mcc", policy),
        ],
        "entries": entries,
    }


def many_summaries(scores, ids=None, **options):
    """Summaries of as many tables as there are rows of scores, the baseline's column first."""
    scores = np.asarray(scores, dtype=float)
    ids = ids or [BASE, *(f"s{k}/logistic" for k in range(1, scores.shape[1]))]
    return {
        f"t{t}": one_summary(
            f"t{t}",
            {e: None if np.isnan(v) else float(v) for e, v in zip(ids, row, strict=True)},
            **options,
        )
        for t, row in enumerate(scores)
    }


def _entry(entry, mean, policy):
    strategy, learner = entry.split("/")
    estimate = {"mean": mean, "low": None, "high": None, "folds": [mean], "tied_with_best": False}
    other = estimate | {"mean": 0.123}
    return {
        "id": entry,
        "title": f"{TITLES.get(strategy, strategy)} + {learner}",
        "baseline": entry == BASE,
        "done": 10 if mean is not None else 9,
        "failed": 0 if mean is not None else 1,
        "missing": 0,
        "scores": {"average_precision": estimate | {"mean": 0.5 if mean is None else mean}},
        "policies": [
            {"policy": "default", "threshold": None, "metrics": {"mcc": other}},
            {"policy": policy, "threshold": None, "metrics": {"mcc": estimate}},
        ],
    }


def _verdict(question, metric, policy):
    return {
        "question": question,
        "metric": metric,
        "policy": policy,
        "outcome": "not beaten",
        "best": None,
        "difference": None,
    }
