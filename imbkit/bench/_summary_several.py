"""From the summaries of several tables to one: ranks, tests over tables, and a verdict."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from imbkit._core.messages import listing
from imbkit._core.types import FloatArray
from imbkit.bench._ranks import (
    average_ranks,
    cliques,
    friedman,
    least_p_value,
    signed_rank,
    wilcoxon_holm,
)
from imbkit.bench._schema import EntrySummary, Estimate, MetricCard, Summary
from imbkit.bench._schema_several import (
    SEVERAL_NAME,
    SEVERAL_VERSION,
    FriedmanCard,
    OneVerdict,
    QuestionCard,
    RankedEntry,
    SeveralSummary,
    SeveralTiming,
    TableCard,
)
from imbkit.bench._stats import holm

__all__ = ["FEWEST_TABLES", "LEVEL", "summarise_several"]

FEWEST_TABLES = 5
"""Fewer tables allow no test over tables."""
LEVEL = 0.05
POLICIES = {
    "default": "threshold 0.5",
    "tuned": "a tuned threshold",
    "argmax": "the most probable class",
    "budget": "an alert budget",
    "expected_loss": "the expected loss of each row",
}


def summarise_several(
    summaries: Mapping[str, Summary],
    problems: Mapping[str, str],
    directories: Mapping[str, str],
    *,
    wall_seconds: float,
) -> SeveralSummary:
    """Return one summary of those of several tables.

    Parameters
    ----------
    summaries : mapping
        Name of the table -> its summary; at least one.
    problems : mapping
        Name of a table that could not be compared -> why.
    directories : mapping
        Name of the table -> directory of its page; without those that have none.
    wall_seconds : float
        Of the whole call.
    """
    first = next(iter(summaries.values()))
    cards = [
        _table_card(name, summary, directories.get(name, "")) for name, summary in summaries.items()
    ]
    cards += [_unusable(name, why) for name, why in problems.items()]
    questions = [_ask("ranking", summaries), _ask("decisions", summaries)]
    task = first["task"]
    return SeveralSummary(
        schema=SEVERAL_NAME,
        schema_version=SEVERAL_VERSION,
        versions=first["versions"],
        kind=task["kind"],
        folds=max(summary["task"]["folds"] for summary in summaries.values()),
        repeats=task["repeats"],
        seed=task["seed"],
        quick=task["quick"],
        level=LEVEL,
        tables=cards,
        questions=questions,
        cautions=_cautions(questions, cards),
        timing=SeveralTiming(
            created=datetime.now(UTC).isoformat(timespec="seconds"), wall_seconds=wall_seconds
        ),
    )


def _table_card(name: str, summary: Summary, directory: str) -> TableCard:
    titles = {entry["id"]: entry["title"] for entry in summary["entries"]}
    classes = summary["data"]["classes"]
    positive = [c for c in classes if c["positive"]]
    rare = min(positive or classes, key=lambda c: c["rows"])
    return TableCard(
        name=name,
        directory=directory,
        rows=summary["data"]["rows"],
        features=summary["data"]["features"],
        rare=rare["label"],
        rare_rows=rare["rows"],
        verdicts=[
            OneVerdict(
                question=verdict["question"],
                outcome=verdict["outcome"],
                best=titles.get(verdict["best"] or "", ""),
                difference=verdict["difference"],
            )
            for verdict in summary["verdicts"]
        ],
        problem="",
        failed=sum(entry["failed"] for entry in summary["entries"]),
        missing=sum(entry["missing"] for entry in summary["entries"]),
    )


def _unusable(name: str, why: str) -> TableCard:
    return TableCard(
        name=name,
        directory="",
        rows=0,
        features=0,
        rare="",
        rare_rows=0,
        verdicts=[],
        problem=why,
        failed=0,
        missing=0,
    )


def _ask(
    question: Literal["ranking", "decisions"], summaries: Mapping[str, Summary]
) -> QuestionCard:
    """Answer one question over all tables on which the baseline has a score."""
    first = next(iter(summaries.values()))
    verdict = next(v for v in first["verdicts"] if v["question"] == question)
    card = first["metrics"][verdict["metric"]]
    baseline = next(entry for entry in first["entries"] if entry["baseline"])
    titles: dict[str, str] = {baseline["id"]: baseline["title"]}
    for summary in summaries.values():
        titles |= {entry["id"]: entry["title"] for entry in summary["entries"]}
    ids = list(titles)
    found = {
        name: [_mean(summary, entry, question, card["name"]) for entry in ids]
        for name, summary in summaries.items()
    }
    tables = [name for name, means in found.items() if means[0] is not None]
    shape = (len(tables), len(ids))
    scores = np.array([found[name] for name in tables], dtype=float).reshape(shape)
    return _judge(
        QuestionCard(
            question=question,
            policy=verdict["policy"],
            metric=card,
            baseline=baseline["id"],
            tables=tables,
            entries=[_entry(i, titles[i], k, scores, card, tables) for k, i in enumerate(ids)],
            scores=[],
            friedman=None,
            p_values=None,
            cliques=[],
            diagram=len(tables) >= FEWEST_TABLES,
            tables_needed=None,
            outcome="undecided",
            recommended=baseline["id"],
            sentence="",
        ),
        scores,
        many_classes=first["task"]["kind"] == "multiclass",
    )


def _mean(summary: Summary, entry_id: str, question: str, metric: str) -> float | None:
    """Mean of an entry on one table; None unless all its cells were finished."""
    entry = next((entry for entry in summary["entries"] if entry["id"] == entry_id), None)
    if entry is None or entry["failed"] or entry["missing"]:
        return None
    # Of many classes one table may be too small to tune on: its decisions are its own.
    verdict = next(v for v in summary["verdicts"] if v["question"] == question)
    scores = entry["scores"] if question == "ranking" else _decided(entry, verdict["policy"])
    return scores[metric]["mean"] if metric in scores else None


def _decided(entry: EntrySummary, policy: str) -> dict[str, Estimate]:
    return next((p["metrics"] for p in entry["policies"] if p["policy"] == policy), {})


def _entry(
    entry_id: str, title: str, column: int, scores: FloatArray, card: MetricCard, tables: list[str]
) -> RankedEntry:
    """Count an entry's tables against the baseline's, which is the first column."""
    differences = scores[:, column] - scores[:, 0]
    known = differences[~np.isnan(differences)]
    ahead = known if card["greater_is_better"] else -known
    unscored = [name for name, d in zip(tables, differences, strict=True) if np.isnan(d)]
    return RankedEntry(
        id=entry_id,
        title=title,
        baseline=column == 0,
        average_rank=None,
        left_out=f"failed, not run or left out on {listing(unscored)}" if unscored else "",
        wins=int((ahead > 0).sum()) if column else 0,
        ties=int((ahead == 0).sum()) if column else 0,
        losses=int((ahead < 0).sum()) if column else 0,
        mean_difference=float(known.mean()) if column and known.size else None,
        p_value=None,
        beats=False,
    )


def _judge(card: QuestionCard, scores: FloatArray, *, many_classes: bool) -> QuestionCard:
    """Rank and test the entries that every table scored, and say what came of it."""
    entries = card["entries"]
    ranked = [k for k, entry in enumerate(entries) if not entry["left_out"]]
    whole = scores[:, ranked]
    if card["tables"]:
        ranks = average_ranks(whole, card["metric"]["greater_is_better"])
        for k, rank in zip(ranked, ranks, strict=True):
            entries[k]["average_rank"] = float(rank)
    if card["diagram"] and len(ranked) > 1:
        _test(card, ranked, whole)
    # The order of ids settles equal ranks, so that equal runs give equal files.
    order = sorted(
        range(len(entries)),
        key=lambda k: (
            bool(entries[k]["left_out"]),
            entries[k]["average_rank"] or 0.0,
            not entries[k]["baseline"],
            entries[k]["id"],
        ),
    )
    card["entries"] = [entries[k] for k in order]
    card["scores"] = [[_plain(row[k]) for k in order] for row in scores]
    if (matrix := card["p_values"]) is not None:
        card["p_values"] = [[matrix[i][j] for j in order] for i in order]
    winners = [entry["id"] for entry in card["entries"] if entry["beats"]]
    card["recommended"] = winners[0] if winners else card["baseline"]
    card["sentence"] = _sentence(card, many_classes)
    return card


def _test(card: QuestionCard, ranked: list[int], whole: FloatArray) -> None:
    """Friedman for all, then the signed ranks: each challenger, and every pair."""
    entries, n_tables = card["entries"], len(card["tables"])
    differ = True
    if len(ranked) > 2:
        found = friedman(whole)
        finite = np.isfinite(found.f_statistic)
        card["friedman"] = FriedmanCard(
            statistic=found.statistic,
            p_value=found.p_value,
            f_statistic=found.f_statistic if finite else None,
            f_p_value=found.f_p_value,
        )
        differ = found.f_p_value < LEVEL
    sign = 1.0 if card["metric"]["greater_is_better"] else -1.0
    tests = [signed_rank(sign * (whole[:, j] - whole[:, 0])) for j in range(1, len(ranked))]
    adjusted = holm(np.array([test.p_value for test in tests]))
    for k, test, p_value in zip(ranked[1:], tests, adjusted, strict=True):
        entries[k]["p_value"] = float(p_value)
        entries[k]["beats"] = bool(differ and test.lean > 0 and p_value < LEVEL)
    pairs = wilcoxon_holm(whole)
    matrix: list[list[float | None]] = [[None] * len(entries) for _ in entries]
    for i, row in zip(ranked, pairs, strict=True):
        for j, p_value in zip(ranked, row, strict=True):
            matrix[i][j] = float(p_value) if i != j else None
    card["p_values"] = matrix
    ranks = np.array([entries[k]["average_rank"] for k in ranked], dtype=float)
    # Where Friedman's test sees no difference at all, none is looked for among the pairs.
    groups = cliques(ranks, pairs if differ else np.ones_like(pairs), LEVEL)
    card["cliques"] = [[entries[ranked[i]]["id"] for i in group] for group in groups]
    needed = card["tables_needed"] = _tables_needed(len(tests))
    if any(entry["beats"] for entry in entries):
        card["outcome"] = "beaten"
    elif n_tables >= needed:
        card["outcome"] = "not beaten"


def _tables_needed(n_challengers: int) -> int:
    """Tables with which the clearest of so many challengers passes Holm's first step."""
    needed = FEWEST_TABLES
    while n_challengers * least_p_value(needed) >= LEVEL:
        needed += 1
    return needed


def _sentence(card: QuestionCard, many_classes: bool) -> str:
    """Say who beat the baseline over the tables, or why nobody did."""
    lead = _lead(card)
    entries = card["entries"]
    base = next(entry for entry in entries if entry["baseline"])
    name = f"the baseline, {base['title']}"
    if card["policy"] != "none":
        words = POLICIES | ({"tuned": "tuned weights of the classes"} if many_classes else {})
        name += f" with {words.get(card['policy'], card['policy'])}"
    n_tables = len(card["tables"])
    over = f"over these {n_tables} tables"
    challengers = [entry for entry in entries if not entry["baseline"] and not entry["left_out"]]
    if not n_tables:
        return f"{lead}, nothing can be said: {name}, was not scored on any table."
    if not challengers:
        return f"{lead}, nothing can be said of {name}: no challenger was scored on every table."
    if not card["diagram"]:
        return (
            f"{lead}, nothing can be said beyond noise of {name}: {n_tables} "
            f"{'table allows' if n_tables == 1 else 'tables allow'} no test over tables, which "
            f"takes {FEWEST_TABLES}; {_closest(challengers, card)}."
        )
    winners = [entry for entry in challengers if entry["beats"]]
    if winners:
        shown = [f"{entry['title']} ({_score(entry, base)})" for entry in winners[:3]]
        more = f" and {len(winners) - 3} more" if len(winners) > 3 else ""
        entries_text = "1 entry" if len(winners) == 1 else f"{len(winners)} entries"
        return f"{lead}, {entries_text} beat {name}, beyond noise {over}: {'; '.join(shown)}{more}."
    if card["outcome"] == "undecided":
        return (
            f"{lead}, nothing beat {name}, beyond noise {over}, and nothing could have: with "
            f"{len(challengers)} challengers it takes {card['tables_needed']} tables, even for "
            f"one that is ahead on every table; {_closest(challengers, card)}."
        )
    return f"{lead}, nothing beat {name}, beyond noise {over}; {_closest(challengers, card)}."


def _lead(card: QuestionCard) -> str:
    words = card["metric"]["title"].split()
    title = " ".join(word if word.isupper() else word.lower() for word in words)
    return f"By {title}" if card["question"] == "ranking" else f"For decisions, by {title}"


def _closest(challengers: Sequence[RankedEntry], card: QuestionCard) -> str:
    """Name the challenger of the best rank, and how often it was ahead."""
    best = challengers[0]
    return (
        f"the best challenger was {best['title']}, ahead on {best['wins']} of "
        f"{len(card['tables'])}, a mean difference of {best['mean_difference'] or 0.0:+.3f}"
    )


def _score(entry: RankedEntry, base: RankedEntry) -> str:
    return (
        f"average rank {entry['average_rank']:.2f} against {base['average_rank']:.2f}, "
        f"{entry['wins']} wins, {entry['ties']} ties, {entry['losses']} losses"
    )


def _cautions(questions: Sequence[QuestionCard], cards: Sequence[TableCard]) -> list[str]:
    """Sentences on what the verdicts do not rest on."""
    cautions = [
        f"The table {card['name']!r} could not be compared: {card['problem']}"
        for card in cards
        if card["problem"]
    ]
    compared = [card["name"] for card in cards if not card["problem"]]
    for question in questions:
        unscored = [name for name in compared if name not in question["tables"]]
        if unscored:
            cautions.append(
                f"For the {question['question']}, tables on which the baseline was not finished "
                f"were left out: {listing(unscored)}."
            )
        for entry in question["entries"]:
            if entry["left_out"]:
                text = f"{entry['title']} has no rank, because it was {entry['left_out']}."
                cautions.append(text)
    return list(dict.fromkeys(cautions))


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
