"""What only a comparison of stages sums up: every model against the baseline, and skill."""

from collections.abc import Iterator, Sequence

import numpy as np

from imbkit.bench._schema import EntrySummary, PairedDifference
from imbkit.bench._skill import SKILLS
from imbkit.bench._stats import compare_pairs, holm
from imbkit.bench._values import Values

__all__ = ["against_baseline", "skill_cautions"]


def against_baseline(values: Values) -> list[PairedDifference]:
    """Return the paired difference of every model from the baseline, in the losses.

    A verdict is about the best challenger alone; here every model has its own. The p-values
    are adjusted for the number of challengers by Holm's method, one loss at a time.
    """
    if not values.card["task"].get("stages"):
        return []
    base, *others = values.contenders
    differences = []
    for metric in SKILLS.values():
        cards: list[PairedDifference] = []
        p_values = []
        for entry in others:
            first, second = values.score(entry, metric), values.score(base, metric)
            common = ~(np.isnan(first) | np.isnan(second))
            if not common.any():
                continue
            pair = compare_pairs(first[common], second[common], values.test_to_train, 0.0)
            cards.append(
                PairedDifference(
                    id=entry["id"],
                    metric=metric,
                    difference=pair.mean,
                    low=_finite(pair.low),
                    high=_finite(pair.high),
                    p_value=None,
                )
            )
            p_values.append(pair.p_value)
        for card, p_value in zip(cards, holm(np.array(p_values)), strict=True):
            card["p_value"] = _finite(float(p_value))
        differences += cards
    return differences


def skill_cautions(entries: Sequence[EntrySummary], constant: str, winner: str) -> Iterator[str]:
    """Say that models may be no better than a constant, if so."""
    lows = {
        entry["id"]: entry["scores"]["log_loss_skill"]["low"]
        for entry in entries
        if constant not in ("", entry["id"]) and "log_loss_skill" in entry["scores"]
    }
    better = [name for name, low in lows.items() if low is not None and low > 0]
    if lows and not better:
        yield (
            "No model is better than the constant beyond noise: on a table like this the share of "
            "the last stage may be all that is known of a row."
        )
    elif lows and winner not in better:
        yield "The recommended model is not better than the constant beyond noise; others are."


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
