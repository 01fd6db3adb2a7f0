"""How the promise of an objective was kept on the test folds."""

from collections.abc import Sequence

import numpy as np

from imbkit.bench._figures import decimals_for, number, span_text
from imbkit.bench._schema import EntrySummary, Estimate
from imbkit.bench._schema_promise import PromiseCard, PromiseEntry
from imbkit.bench._values import Values

__all__ = ["breaks_promise", "describe_promise", "summarise_promise"]

SLACK = 1e-12
"""A rate may miss its limit by rounding."""


def summarise_promise(values: Values, entries: Sequence[EntrySummary]) -> PromiseCard | None:
    """Return how every entry kept the promise, in the order of the entries; None without one."""
    promise = values.card["promise"]
    if promise is None:
        return None
    lines = []
    for entry in entries:
        attained = _attained(entry, promise["limited"])
        card = next(each for each in values.card["entries"] if each["id"] == entry["id"])
        infeasible = values.decision(card, "tuned", "infeasible")
        if attained is not None:
            known = [value for value in attained["folds"] if value is not None]
            lines.append(
                PromiseEntry(
                    id=entry["id"],
                    attained=attained,
                    kept=sum(_keeps(promise, value) for value in known),
                    folds=len(known),
                    infeasible=int(np.nansum(infeasible)),
                )
            )
    return promise | {"entries": lines}


def breaks_promise(promise: PromiseCard | None, entry: str) -> bool:
    """Whether the mean of the limited rate over the test folds is beyond the limit."""
    line = _line(promise, entry)
    mean = None if line is None else line["attained"]["mean"]
    return promise is not None and mean is not None and not _keeps(promise, mean)


def describe_promise(promise: PromiseCard, recommended: str, baseline: str) -> str:
    """Return in words whether the recommended entry, and the baseline, kept the promise."""
    said = f"Thresholds were tuned for the best {promise['free']} that keeps {promise['words']}."
    own, base = _line(promise, recommended), _line(promise, baseline)
    if own is None:
        return f"{said} It is not known whether that was kept: no cell was scored."
    decimals = decimals_for([own["attained"]["mean"], promise["limit"]])
    name = "the baseline" if recommended == baseline else "the recommended entry"
    said += f" On the test folds {name} {_kept(promise, own, decimals)}"
    if base is not None and recommended != baseline:
        said += f", and the baseline {_kept(promise, base, decimals)}"
    said += "."
    if breaks_promise(promise, recommended):
        said += " That is a promise broken on average: ask for more than you need, or for a "
        said += "confidence."
    if own["infeasible"]:
        said += f" On {own['infeasible']} of its training sides no threshold kept it, and the "
        said += "nearest one was taken."
    return said


def _kept(promise: PromiseCard, line: PromiseEntry, decimals: int) -> str:
    """Say in how many folds a line is within the limit, and with what mean."""
    attained = line["attained"]
    span = span_text(attained["low"], attained["high"], decimals)
    interval = f", 95 % interval {span}" if span else ""
    rate = promise["limited"].replace("_", " ").replace("false positive", "false-positive")
    return (
        f"kept it in {line['kept']} of {line['folds']} "
        f"(mean {rate} {number(attained['mean'], decimals)}{interval})"
    )


def _attained(entry: EntrySummary, metric: str) -> Estimate | None:
    for policy in entry["policies"]:
        if policy["policy"] == "tuned":
            return policy["metrics"].get(metric)
    return None


def _line(promise: PromiseCard | None, entry: str) -> PromiseEntry | None:
    lines = [] if promise is None else promise["entries"]
    return next((line for line in lines if line["id"] == entry and line["folds"]), None)


def _keeps(promise: PromiseCard, rate: float) -> bool:
    """Whether a rate is within the limit."""
    sign = 1.0 if promise["least"] else -1.0
    return sign * (rate - promise["limit"]) >= -SLACK
