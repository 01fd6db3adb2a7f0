"""The values of every entry on the planned cells, looked up in the rows."""

from collections.abc import Iterable

import numpy as np

from imbkit._core.types import FloatArray
from imbkit.bench._plan_card import EntryCard, PlanCard
from imbkit.bench._rows import Row, cell_name
from imbkit.bench._skill import SKILLS

__all__ = ["Values", "floats"]


class Values:
    """Values of every entry on the planned cells, in the order of the splits."""

    def __init__(self, card: PlanCard, rows: Iterable[Row]) -> None:
        self.card = card
        self.rows = {row["cell"]: row for row in rows}
        self.test_to_train = card["test_to_train"]
        repeats = [fold["repeat"] for fold in card["folds"]]
        self.repeats = np.array(repeats)

    def of_entry(self, entry: EntryCard) -> list[Row | None]:
        """Rows of an entry; None where a cell was not run."""
        names = (
            cell_name(entry["strategy"], entry["learner"], fold["repeat"], fold["fold"])
            for fold in self.card["folds"]
        )
        return [self.rows.get(name) for name in names]

    def score(self, entry: EntryCard, metric: str) -> FloatArray:
        """Return a threshold-free metric on each cell, NaN where unknown."""
        if metric in SKILLS:
            return 1 - self.score(entry, SKILLS[metric]) / self.of_constant(SKILLS[metric])
        return floats(row["scores"].get(metric) if row else None for row in self.of_entry(entry))

    def score_errors(self, entry: EntryCard, metric: str) -> FloatArray:
        """Return the bootstrap errors of a threshold-free metric."""
        if metric in SKILLS:
            # Rows are drawn within their class, which leaves the loss of a constant as it is.
            return self.score_errors(entry, SKILLS[metric]) / self.of_constant(SKILLS[metric])
        return floats(row["errors"].get(metric) if row else None for row in self.of_entry(entry))

    @property
    def contenders(self) -> list[EntryCard]:
        """The entries that verdicts are about: all but the constant, which claims nothing."""
        constant = self.card["task"].get("constant", "")
        return [entry for entry in self.card["entries"] if entry["id"] != constant]

    def of_constant(self, metric: str) -> FloatArray:
        """Return the metric of the constant on each cell; there is one where there are stages."""
        name = self.card["task"]["constant"]
        return self.score(next(e for e in self.card["entries"] if e["id"] == name), metric)

    def decision(self, entry: EntryCard, policy: str, metric: str) -> FloatArray:
        """Return a metric of a policy on each cell, NaN where unknown."""
        return floats(
            row["policies"].get(policy, {}).get(metric) if row else None
            for row in self.of_entry(entry)
        )

    def decision_errors(self, entry: EntryCard, policy: str, metric: str) -> FloatArray:
        """Return the bootstrap errors of a policy's metric."""
        return floats(
            row["policy_errors"].get(policy, {}).get(metric) if row else None
            for row in self.of_entry(entry)
        )

    def recall(self, entry: EntryCard, policy: str, label: int) -> FloatArray:
        """Recall of a class under a policy on each cell."""
        return floats(
            row["recalls"].get(policy, {}).get(str(label)) if row else None
            for row in self.of_entry(entry)
        )

    def class_weight(self, entry: EntryCard, label: int) -> FloatArray:
        """Return the tuned weight of one of many classes on each cell."""
        return floats(
            row["class_weights"][label] if row and row["class_weights"] else None
            for row in self.of_entry(entry)
        )

    def beside(self, metric: str) -> FloatArray:
        """Return the baseline's metric on the random splits beside those in time."""
        entry = self.card["entries"][0]
        names = (
            cell_name(entry["strategy"], entry["learner"], 0, fold, "random")
            for fold in self.card["beside"]
        )
        rows = [self.rows.get(name) for name in names]
        return floats(row["scores"].get(metric) if row else None for row in rows)


def floats(values: Iterable[float | None]) -> FloatArray:
    """Return numbers, NaN where there is none."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)
