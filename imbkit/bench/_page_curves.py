"""Curves over the test folds: each challenger drawn beside the baseline, in small multiples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from imbkit.bench._figures import (
    NOTHING,
    Axis,
    decimals_for,
    number,
    share_text,
)
from imbkit.bench._inert import inert
from imbkit.bench._page_tables import title_within
from imbkit.bench._plots import Canvas, Plot, across, upward
from imbkit.bench._schema import MetricCard, Summary
from imbkit.bench._schema_curves import Band, EntryCurves

__all__ = ["Curves", "curves_of", "drawn_entries"]

MOST_CHALLENGERS = 3
FEWEST_POINTS = 2
BASE, CHALLENGER = "baseline", "challenger"
SMALL_CUT = 0.05
"""Thresholds nearer to 0 or 1 than this need a logit axis."""


@dataclass(frozen=True, slots=True)
class Curves:
    """The drawings of a two-class comparison; an empty group is left out of the page."""

    ranking: tuple[tuple[Plot, ...], ...]
    """Precision and recall, then ROC."""
    thresholds: tuple[Plot, ...]
    objective: str
    """What the thresholds are held against."""
    budget: tuple[tuple[Plot, ...], ...]
    """Positives found, alerts that are right, and amount caught."""
    asked: str
    """The budget in words; empty if none was given."""


def drawn_entries(summary: Summary) -> tuple[EntryCurves | None, list[EntryCurves]]:
    """Return the baseline's curves and those of at most three challengers."""
    bases = {entry["id"] for entry in summary["entries"] if entry["baseline"]}
    base = next((curves for curves in summary["curves"] if curves["id"] in bases), None)
    others = [curves for curves in summary["curves"] if curves["id"] not in bases]
    return base, others[:MOST_CHALLENGERS]


def curves_of(summary: Summary, titles: Mapping[str, str]) -> Curves | None:
    """Return the drawings; None where there are no curves."""
    base, others = drawn_entries(summary)
    if base is None and not others:
        return None
    pairs: list[tuple[EntryCurves | None, EntryCurves | None]] = [(base, o) for o in others]
    pairs = pairs or [(base, None)]
    names = {c["id"]: titles.get(c["id"], inert(c["id"])) for c in summary["curves"]}
    share = next((c["share"] for c in summary["data"]["classes"] if c["positive"]), 0.0)
    rows = max((fold["n_test"] for fold in summary["folds"]), default=1_000_000)
    budget = summary["budget"]
    ranking = [
        [_precision_recall(one, two, names, share) for one, two in pairs],
        [_roc(one, two, names, 1 / rows) for one, two in pairs],
    ]
    card = _objective(summary)
    return Curves(
        ranking=_groups(ranking),
        thresholds=_thresholds(summary, card, [base, *others], names),
        objective=title_within(card, card["name"]),
        budget=_groups(_budget(pairs, names, share, budget["share"] if budget else None)),
        asked=_asked(summary),
    )


def _groups(rows: Sequence[Sequence[Plot | None]]) -> tuple[tuple[Plot, ...], ...]:
    """Return a group for each kind of drawing, or one of all if there is one of each kind."""
    known = [tuple(plot for plot in row if plot is not None) for row in rows]
    if all(len(row) <= 1 for row in known):
        known = [tuple(chain.from_iterable(known))]
    return tuple(row for row in known if row)


def _asked(summary: Summary) -> str:
    budget = summary["budget"]
    if budget is None:
        return ""
    of = "a day" if budget["per_day"] else "for the whole table"
    alerts = number(budget["alerts"], 0 if budget["alerts"] >= 10 else 1).removesuffix(".0")
    return f"{alerts} alerts {of}, which is {share_text(budget['share'])} of the rows"


def _precision_recall(
    one: EntryCurves | None, two: EntryCurves | None, names: Mapping[str, str], share: float
) -> Plot | None:
    bands = [c["precision_recall"] if c else None for c in (one, two)]
    if not any(_drawable(band) for band in bands):
        return None
    canvas = Canvas(across([0.0, 1.0]), upward([0.0, _top(bands)]))
    canvas.frame("Recall", "Precision", share_text, share_text)
    canvas.line([0.0, 1.0], [share, share], "chance")
    _draw(canvas, bands)
    values = _compared(bands, 0.5)
    return canvas.plot(
        _title("Precision and recall", two or one, names),
        f"Where half of the positives are found, {values} of the alerts are right.",
    )


def _roc(
    one: EntryCurves | None, two: EntryCurves | None, names: Mapping[str, str], lowest: float
) -> Plot | None:
    # Below the share of a single row, the folds have nothing to judge by.
    bands = [_between(c["roc"], lowest, 1.0) if c else None for c in (one, two)]
    if not any(_drawable(band) for band in bands):
        return None
    rates = _all_x(bands)
    canvas = Canvas(across(rates, "log"), upward([0.0, 1.0]))
    canvas.frame("False-positive rate", "Recall", share_text, share_text)
    along = sorted(set(rates))
    canvas.line(along, along, "chance")
    _draw(canvas, bands)
    values = _compared(bands, 0.01)
    return canvas.plot(
        _title("ROC", two or one, names),
        f"With {share_text(0.01)} of the negatives flagged, {values} of the positives are found.",
    )


def _budget(
    pairs: Sequence[tuple[EntryCurves | None, EntryCurves | None]],
    names: Mapping[str, str],
    share: float,
    asked: float | None,
) -> list[list[Plot]]:
    at = 0.01 if asked is None else asked
    alerted = f"With {share_text(at)} of the rows alerted"
    groups: list[list[Plot]] = []
    for key, title, y_title, says in (
        ("budget_recall", "Positives found", "Recall", "of the positives are found"),
        ("budget_precision", "Alerts that are right", "Precision", "of the alerts are right"),
        ("budget_amount", "Amount caught", "Amount", "of the positives' amount is caught"),
    ):
        plots: list[Plot] = []
        groups.append(plots)
        for one, two in pairs:
            bands: list[Band | None] = [c[key] if c else None for c in (one, two)]  # type: ignore[literal-required]
            if not any(_drawable(band) for band in bands):
                continue
            shares = _all_x(bands)
            canvas = Canvas(across([*shares, asked], "log"), upward([0.0, _top(bands)]))
            canvas.frame("Share of rows alerted", y_title, share_text, share_text)
            along = sorted(set(shares))
            chance = [share] * len(along) if key == "budget_precision" else along
            canvas.line(along, chance, "chance")
            if asked is not None:
                canvas.upright(asked, "asked", "asked")
            _draw(canvas, bands)
            finding = f"{alerted}, {_compared(bands, at)} {says}."
            plots.append(canvas.plot(_title(title, two or one, names), finding))
    return groups


def _thresholds(
    summary: Summary,
    card: MetricCard,
    shown: Sequence[EntryCurves | None],
    names: Mapping[str, str],
) -> tuple[Plot, ...]:
    """Return the objective at each threshold, one drawing an entry, all on the same axes."""
    known = [c for c in shown if c is not None and _drawable(c["objective"])]
    if not known:
        return ()
    limit = _limit(summary, card)
    bands = [_below(c["objective"], limit) for c in known]
    if not any(_drawable(band) for band in bands):
        # False alarms cost so much that no threshold is near the cost of alerting nothing.
        bands = [c["objective"] for c in known]
    x = _threshold_axis(bands, [cut for c in known for cut in c["thresholds"]])
    bands = [_between(band, x.low, x.high) for band in bands]
    heights = [v for b in bands for v in chain(b["mean"], b["low"], b["high"]) if v is not None]
    # Below the lowest point there is room for the strokes at the foot.
    foot = min(heights) - 0.12 * (max(heights) - min(heights))
    y = upward([*heights, foot])
    decimals = y.tick_decimals()
    plots = []
    for curves, band in zip(known, bands, strict=True):
        base = curves is shown[0]
        canvas = Canvas(x, y)
        canvas.frame(
            "Threshold", inert(card["title"], 40), _cut_text, lambda v: number(v, decimals)
        )
        canvas.band(band["x"], band["low"], band["high"], "band base" if base else "band")
        canvas.line(band["x"], band["mean"], "line base" if base else "line")
        canvas.feet(curves["thresholds"], "foot base" if base else "foot")
        who = BASE if base else CHALLENGER
        finding = _threshold_finding(card, curves["objective"], curves["thresholds"])
        plots.append(canvas.plot(f"{names[curves['id']]} ({who})", finding))
    return tuple(plots)


def _objective(summary: Summary) -> MetricCard:
    """Return the metric that thresholds are held against: with a budget alone there is none."""
    task, metrics = summary["task"], summary["metrics"]
    name = "mcc" if task["decision_policy"] == "budget" else task["decision_metric"]
    plain = MetricCard(
        name=name, title=name, greater_is_better=True, low=None, high=None, meaning=""
    )
    return metrics.get(name, plain)


def _limit(summary: Summary, card: MetricCard) -> float:
    """Return the cost beyond which a curve is not drawn: what lies there nobody would choose."""
    money = summary["money"]
    if money is None or card["name"] != "cost_per_1000":
        return math.inf
    return 2 * max(money["nothing"], 0.0) or math.inf


def _threshold_axis(bands: Sequence[Band], cuts: Sequence[float]) -> Axis:
    every = [x for band in bands for x in band["x"]]
    known = [cut for cut in cuts if math.isfinite(cut)]
    if not all(0 <= x <= 1 for x in every):
        return across([*every, *known])
    inner = [cut for cut in known if 0 < cut < 1]
    if not any(min(cut, 1 - cut) < SMALL_CUT for cut in inner):
        return across([0.0, 1.0, *known])
    low = min([1e-3, *(cut / 3 for cut in inner)])
    high = 1 - min([1e-3, *((1 - cut) / 3 for cut in inner)])
    return across([low, *(x for x in every if low < x < high), *inner, high], "logit")


def _threshold_finding(card: MetricCard, band: Band, cuts: Sequence[float]) -> str:
    known = [(m, x) for m, x in zip(band["mean"], band["x"], strict=True) if m is not None]
    if not known:
        return "No threshold could be judged on the test rows."
    best, at = max(known) if card["greater_is_better"] else min(known)
    said = f"On the test rows the best mean, {number(best, decimals_for([best]))}, "
    said += f"is at a threshold of {_cut_text(at)}"
    if not cuts:
        return f"{said}; no threshold was chosen on the training sides."
    low, high = _cut_text(min(cuts)), _cut_text(max(cuts))
    chosen = f"all {low}" if low == high else f"from {low} to {high}"
    return f"{said}; the thresholds chosen on the training sides were {chosen}."


def _cut_text(cut: float) -> str:
    return (f"{cut:.6g}" if 0.999 < cut < 1 else f"{cut:.3g}").replace("-", "\N{MINUS SIGN}")


def _draw(canvas: Canvas, bands: Sequence[Band | None]) -> None:
    """Draw baseline and challenger: bands first, so that no line is covered."""
    styles = (("band base", "line base", BASE), ("band", "line", CHALLENGER))
    known = [(b, style) for b, style in zip(bands, styles, strict=True) if b is not None]
    for band, (area, _, _) in known:
        canvas.band(band["x"], band["low"], band["high"], area)
    for band, (_, line, _) in known:
        canvas.line(band["x"], band["mean"], line)
    canvas.name_lines(
        [
            (name, band["x"], band["mean"], f"name{line.removeprefix('line')}")
            for band, (_, line, name) in known
        ]
    )


def _title(what: str, entry: EntryCurves | None, names: Mapping[str, str]) -> str:
    return what if entry is None else f"{what}: {names[entry['id']]}"


def _compared(bands: Sequence[Band | None], at: float) -> str:
    """Return the challenger's value at a place against the baseline's, in words."""
    base, challenger = (_near(band, at) for band in bands)
    if bands[1] is None:
        return f"{base} (baseline)"
    return challenger if bands[0] is None else f"{challenger} (baseline: {base})"


def _near(band: Band | None, at: float) -> str:
    """Return the mean at the point of a curve that is nearest to a place on a log scale."""
    if band is None or not band["x"]:
        return NOTHING
    nearest = min(range(len(band["x"])), key=lambda k: abs(band["x"][k] - at))
    return share_text(band["mean"][nearest])


def _drawable(band: Band | None) -> bool:
    return band is not None and sum(v is not None for v in band["mean"]) >= FEWEST_POINTS


def _all_x(bands: Sequence[Band | None]) -> list[float]:
    return [x for band in bands if band is not None for x in band["x"]]


def _top(bands: Sequence[Band | None]) -> float:
    """Return the upper end of an axis of shares: 1 unless all shares are small."""
    highest = [v for b in bands if b for v in chain(b["mean"], b["high"]) if v is not None]
    top = max(highest, default=1.0)
    return 1.0 if top > 0.5 or not top else 1.1 * top


def _between(band: Band, low: float, high: float) -> Band:
    """Return the part of a curve that lies between two places."""
    return _part(band, [k for k, x in enumerate(band["x"]) if low <= x <= high])


def _below(band: Band, limit: float) -> Band:
    """Return a curve without the points whose mean lies beyond a limit."""
    means = band["mean"]
    part = _part(band, [k for k, m in enumerate(means) if m is None or m <= limit])
    return part | {"high": [None if v is None else min(v, limit) for v in part["high"]]}


def _part(band: Band, kept: Sequence[int]) -> Band:
    return Band(
        x=[band["x"][k] for k in kept],
        mean=[band["mean"][k] for k in kept],
        low=[band["low"][k] for k in kept],
        high=[band["high"][k] for k in kept],
    )
