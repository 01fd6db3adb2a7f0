"""How sure is it: the scores of single folds, and every entry against every other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import mean

from imbkit.bench._figures import NOTHING, decimals_for, number, signed
from imbkit.bench._inert import inert
from imbkit.bench._plots import Canvas, Plot, across, upward
from imbkit.bench._schema import EntrySummary, MetricCard, Summary, Verdict
from imbkit.bench._schema_curves import FoldCard, PairMatrix

__all__ = ["FoldLine", "Matrix", "Shade", "fold_lines", "fold_plots", "matrix_of", "period_text"]

MOST_FOLDS = 120
MOST_PAIRS = 15
SHADES = ((0.05, "p0"), (0.3, "p1"), (0.7, "p2"), (0.95, "p3"), (1.01, "p4"))
"""Upper ends of the chances that have a shade."""


@dataclass(frozen=True, slots=True)
class FoldLine:
    """One split."""

    number: str
    repeat: str
    fold: str
    n_train: str
    n_test: str
    positives: str
    span: str
    """Time of its test rows; empty without a time column."""


@dataclass(frozen=True, slots=True)
class Shade:
    """A chance with the class of its background."""

    text: str
    style: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every entry (line) against every other (column), which has the number of its line."""

    key: str
    metric: str
    titles: tuple[str, ...]
    lines: tuple[tuple[Shade, ...], ...]
    finding: str
    left_out: str


def fold_lines(summary: Summary) -> tuple[FoldLine, ...]:
    """Return the splits."""
    return tuple(
        FoldLine(
            number=f"{place}",
            repeat=f"{card['repeat'] + 1}",
            fold=f"{card['fold'] + 1}",
            n_train=f"{card['n_train']:,}",
            n_test=f"{card['n_test']:,}",
            positives=f"{card['positives']:,}",
            span=f"{period_text(card['start'])} to {period_text(card['end'])}"
            if card["start"]
            else "",
        )
        for place, card in enumerate(summary["folds"][:MOST_FOLDS], start=1)
    )


def period_text(time: str) -> str:
    """Return a time as people write it: the day alone if it is midnight."""
    return inert(time.removesuffix("T00:00:00").replace("T", " "), 40)


def fold_plots(summary: Summary, titles: Mapping[str, str]) -> tuple[Plot, ...]:
    """Return, for each verdict, the best challenger's folds joined with the baseline's."""
    entries = {entry["id"]: entry for entry in summary["entries"]}
    plots = []
    for verdict in summary["verdicts"]:
        base, best = entries.get(verdict["baseline"]), entries.get(verdict["best"] or "")
        card = summary["metrics"].get(verdict["metric"])
        if base is not None and best is not None and card is not None:
            values = _folds(base, verdict), _folds(best, verdict, best=True)
            name = titles.get(best["id"], inert(best["id"]))
            plot = _fold_plot(card, summary["folds"], *values, name)
            plots += [] if plot is None else [plot]
    return tuple(plots)


def _folds(entry: EntrySummary, verdict: Verdict, best: bool = False) -> list[float | None]:
    """Return the values of an entry that a verdict rests on."""
    if verdict["question"] == "ranking":
        estimate = entry["scores"].get(verdict["metric"])
    else:
        policy = verdict["best_policy"] if best else verdict["policy"]
        metrics = [p["metrics"] for p in entry["policies"] if p["policy"] == policy]
        estimate = metrics[0].get(verdict["metric"]) if metrics else None
    return estimate["folds"] if estimate else []


def _fold_plot(
    card: MetricCard,
    folds: Sequence[FoldCard],
    base: Sequence[float | None],
    best: Sequence[float | None],
    name: str,
) -> Plot | None:
    places, x_title = _places(folds, max(len(base), len(best)))
    pairs = [
        (x, a, b)
        for x, a, b in zip(places, base, best, strict=False)
        if a is not None and b is not None
    ]
    if not pairs or len(pairs) > MOST_FOLDS:
        return None
    values = [v for _, a, b in pairs for v in (a, b)]
    margin = 0.06 * (max(values) - min(values))
    y = upward([min(values) - margin, max(values) + margin])
    reach = 0.1 * (max(places) - min(places)) or 0.5
    canvas = Canvas(across([min(places) - reach, max(places) + reach]), y)
    by_number = x_title == "Fold"
    ticks = _whole(places) if by_number else [min(places), max(places)]
    canvas.frame(
        x_title,
        inert(card["title"], 40),
        (lambda v: f"{v:.0f}") if by_number else _day,
        lambda v: number(v, y.tick_decimals()),
        x_ticks=ticks,
    )
    for x, a, b in pairs:
        canvas.segment((x, a), (x, b), "tie")
    xs = [x for x, _, _ in pairs]
    canvas.dots(xs, [a for _, a, _ in pairs], "point base", 3.4)
    canvas.dots(xs, [b for _, _, b in pairs], "point", 3.4)
    return canvas.plot(f"{inert(card['title'], 60)}: {name}", _fold_finding(card, pairs))


def _fold_finding(card: MetricCard, pairs: Sequence[tuple[float, float, float]]) -> str:
    sign = 1 if card["greater_is_better"] else -1
    ahead = sum(sign * (b - a) > 0 for _, a, b in pairs)
    gaps = [b - a for _, a, b in pairs]
    decimals = decimals_for(v for _, a, b in pairs for v in (a, b))
    many = f"{len(pairs)} folds" if len(pairs) != 1 else "1 fold"
    return (
        f"The challenger is better than the baseline on {ahead} of {many}; the differences run "
        f"from {signed(min(gaps), decimals)} to {signed(max(gaps), decimals)}, "
        f"{signed(mean(gaps), decimals)} on average."
    )


def _places(folds: Sequence[FoldCard], count: int) -> tuple[list[float], str]:
    """Return where folds stand: in time if it is known, else by their number."""
    spans = [(_moment(fold["start"]), _moment(fold["end"])) for fold in folds]
    middles = [(a + b) / 2 for a, b in spans if a is not None and b is not None]
    if len(middles) == count == len(folds) and len(set(middles)) == count > 1:
        return middles, "Time of the test rows"
    return [float(k + 1) for k in range(count)] or [1.0], "Fold"


def _moment(text: str) -> float | None:
    """Return the days since year 1 of an ISO time; None for anything else."""
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
    return (moment - datetime.min).total_seconds() / 86_400


def _day(days: float) -> str:
    return datetime.fromordinal(int(days) + 1).date().isoformat()


def _whole(places: Sequence[float]) -> list[float]:
    every = max(1, round(len(places) / 10))
    return [place for k, place in enumerate(places) if k % every == 0]


def matrix_of(
    summary: Summary, pairs: PairMatrix, titles: Mapping[str, str], index: int
) -> Matrix | None:
    """Return the chances of being better; None for fewer than two entries with a chance."""
    ids, better = pairs["entries"][:MOST_PAIRS], pairs["better"]
    known = [row[: len(ids)] for row in better[: len(ids)]]
    if len(ids) < 2 or not any(value is not None for row in known for value in row):
        return None
    names = tuple(titles.get(entry, inert(entry)) for entry in ids)
    card = summary["metrics"].get(pairs["metric"])
    left = len(pairs["entries"]) - len(ids)
    sure = sum(value is not None and value >= 0.95 for row in known for value in row)
    compared = len(ids) * (len(ids) - 1) // 2
    verb = "is" if sure == 1 else "are"
    return Matrix(
        key=f"pairs-{index}",
        metric=inert(card["title"] if card else pairs["metric"], 60),
        titles=names,
        lines=tuple(tuple(_shade(value) for value in row) for row in known),
        finding=f"Of {compared:,} pairs, {sure:,} {verb} decided with a chance of 95 % or more.",
        left_out=f"{left:,} more entries are in summary.json." if left > 0 else "",
    )


def _shade(value: float | None) -> Shade:
    if value is None:
        return Shade(NOTHING, "none")
    text = "< 1" if 0 < value < 0.01 else "> 99" if 0.99 < value < 1 else f"{100 * value:.0f}"
    return Shade(text, next(style for top, style in SHADES if value < top))
