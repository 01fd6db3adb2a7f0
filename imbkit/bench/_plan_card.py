"""What must be known of a comparison, beside its rows, to summarise it: words and numbers only.

The card stands in ``rows.jsonl``, so that a page can be made again without table and plan.
"""

from typing import NotRequired, TypedDict

import numpy as np

from imbkit._core.messages import listing
from imbkit._core.types import IntArray
from imbkit.bench._data_card import describe_data
from imbkit.bench._entries import versions_of
from imbkit.bench._measures import measure_cards
from imbkit.bench._plan import Plan
from imbkit.bench._schema import DataCard, MetricCard, Policy, Problem, TaskCard
from imbkit.bench._schema_curves import FoldCard
from imbkit.bench._schema_money import BudgetCard, MoneyCard
from imbkit.bench._schema_promise import PromiseCard
from imbkit.bench._skill import with_skills

__all__ = ["EntryCard", "PlanCard", "plan_card"]

FEW_POSITIVES = 50
"""With fewer rows of a class than this, differences in ranking cannot be told from luck."""

MOST_EXCESS = 1.2
"""Alerts of the test folds over those of the budget that are not worth a word."""


class EntryCard(TypedDict):
    """A strategy with a learner."""

    id: str
    strategy: str
    learner: str
    title: str
    changes_prior: bool
    of_stages: NotRequired[bool]


class PlanCard(TypedDict):
    """A comparison as it was planned."""

    versions: dict[str, str]
    command: str
    task: TaskCard
    data: DataCard
    metrics: dict[str, MetricCard]
    entries: list[EntryCard]
    """The baseline first."""
    folds: list[FoldCard]
    beside: list[int]
    """Fold numbers of the random splits beside those in time."""
    policies: list[Policy]
    test_to_train: float
    """Test rows over training rows, mean over the splits."""
    cautions: list[str]
    problems: list[Problem]
    money: MoneyCard | None
    budget: BudgetCard | None
    promise: PromiseCard | None
    """Without entries."""
    prevalence: float | None
    """The share of positives that was asked about."""
    rows_a_day: float | None


def plan_card(plan: Plan, *, name: str, dropped: list[str], command: str) -> PlanCard:
    """Describe a plan."""
    data, target = plan.data, plan.target
    binary = target.kind == "binary"
    policies: list[Policy] = ["default" if binary else "argmax"]
    if data.inner_folds:
        policies.append("tuned")
    if data.costs is not None:
        policies.append("expected_loss")
    if data.budget is not None:
        policies.append("budget")
    rare = data.codes == (1 if binary else int(np.bincount(data.codes).argmin()))
    by_day = data.budget is not None and data.budget.day is not None
    metrics = measure_cards(
        target.kind,
        data.ranking,
        data.decision,
        costs=data.costs is not None,
        gains=data.costs is not None and bool(data.costs.gain.any()),
        entities=by_day and data.resampled_groups is not None,
    )
    return PlanCard(
        versions=versions_of(plan.entries),
        command=command,
        task=TaskCard(
            kind=target.kind,
            target=target.name,
            positive=target.positive,
            folds=plan.folds,
            repeats=plan.repeats,
            inner_folds=data.inner_folds,
            seed=data.seed,
            ranking_metric=data.ranking.card["name"],
            decision_metric=plan.decision_metric,
            decision_policy=plan.decision_policy,
            weight=plan.weight_name,
            label_delay=plan.label_delay,
            quick=plan.quick,
            stages=[] if target.stages is None else list(target.stages.labels),
            constant=plan.constant,
        ),
        data=describe_data(plan, name, dropped),
        metrics=metrics if target.stages is None else with_skills(metrics),
        entries=[
            EntryCard(
                id=entry.name,
                strategy=entry.strategy.name,
                learner=entry.learner.name,
                title=entry.title,
                changes_prior=entry.changes_prior,
                of_stages=entry.learner.ordered,
            )
            for entry in plan.entries
        ],
        folds=[_fold_card(plan, k, rare) for k in range(len(plan.splits))],
        beside=[split.fold for split in plan.beside],
        policies=policies,
        test_to_train=float(np.mean([s.test.size / s.train.size for s in plan.splits])),
        cautions=_cautions(plan, int(rare.sum())),
        problems=list(plan.problems),
        money=_money_card(plan),
        budget=_budget_card(plan),
        promise=None if plan.promise is None else plan.promise.card,
        prevalence=plan.prevalence,
        rows_a_day=_rows_a_day(plan),
    )


def _fold_card(plan: Plan, number: int, rare: IntArray) -> FoldCard:
    split = plan.splits[number]
    start = end = ""
    if plan.times is not None:
        seen = plan.times.values[split.test]
        start, end = plan.times.text(float(seen.min())), plan.times.text(float(seen.max()))
    return FoldCard(
        repeat=split.repeat,
        fold=split.fold,
        n_train=split.train.size,
        n_test=split.test.size,
        positives=int(np.count_nonzero(rare[split.test])),
        start=start,
        end=end,
    )


def _cautions(plan: Plan, rarest: int) -> list[str]:
    """Sentences that limit what the verdicts can mean."""
    cautions = list(plan.cautions)
    telling = [leak["column"] for leak in plan.leaks if leak["kind"] in {"perfect", "outcome"}]
    if telling:
        cautions.append(
            f"The target may be given away by {listing(telling, 3)}: see the leak warnings before "
            "you trust any figure here."
        )
    if rarest < FEW_POSITIVES:
        what = "positive rows" if plan.target.kind == "binary" else "rows of the rarest class"
        if plan.target.stages is not None:
            what = f"rows of the last stage, {plan.target.positive!r}"
        cautions.append(
            f"There are only {rarest} {what}: differences between "
            f"{'strategies' if plan.target.stages is None else 'models'} cannot be told from luck "
            "on a table like this, whatever their size."
        )
    if len(plan.splits) < 5:
        cautions.append(
            f"Only {len(plan.splits)} test folds were used; intervals from so few are wide and "
            "rough. Run the full panel before you decide."
        )
    if plan.times is not None:
        cautions.append(
            "Each fold tests on rows later than all it trained on, so early folds learn from "
            "fewer rows than the final model will."
        )
    cautions += _budget_cautions(plan)
    if plan.weight_name:
        cautions.append(
            "Weights are used in training alone, where samplers carry them along with the rows: in "
            "all figures every test row counts once."
        )
    return cautions


def _budget_cautions(plan: Plan) -> list[str]:
    """Say where the alerts of the test folds are not those that the budget means."""
    budget, cautions = plan.data.budget, []
    if budget is None:
        return []
    by_day = budget.day is not None
    if by_day and plan.times is not None and not plan.times.is_date:
        cautions.append(
            "The times are numbers, so every whole number was taken for a day in all that is per "
            "day."
        )
    excess = budget.excess(split.test for split in plan.splits)
    if excess > MOST_EXCESS:
        cautions.append(
            f"A test fold raises at least one alert{' on each of its days' if by_day else ''}, "
            f"so the folds raise {excess:.1f} times as many as the budget allows for their rows: "
            "figures at the budget are those of a larger one."
        )
    return cautions


def _money_card(plan: Plan) -> MoneyCard | None:
    costs = plan.data.costs
    if costs is None:
        return None
    truth = plan.data.codes == 1
    return MoneyCard(
        fn_cost=costs.words[0],
        fp_cost=costs.words[1],
        tp_gain=costs.words[2],
        constant=costs.constant,
        nothing=1000 * costs.nothing(truth) / truth.size,
        everything=1000 * costs.everything(truth) / truth.size,
        cut=costs.cut,
    )


def _budget_card(plan: Plan) -> BudgetCard | None:
    budget = plan.data.budget
    if budget is None:
        return None
    entity = plan.group_name if budget.day is not None and budget.entity is not None else ""
    return BudgetCard(
        alerts=float(budget.alerts),
        per_day=budget.day is not None,
        share=budget.share,
        entity=entity,
    )


def _rows_a_day(plan: Plan) -> float | None:
    if plan.times is None or not plan.times.is_date:
        return None
    days = plan.times.days()
    return float(plan.table.n_rows / np.unique(days).size)
