"""What the user asked of a comparison, as given; checked where it does not need the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from imbkit._core.messages import listing, message, require
from imbkit._core.rng import integer_seed
from imbkit.bench._stages import check_order, is_no
from imbkit.exceptions import InvalidParameterError

__all__ = ["COSTS", "Options"]

COSTS = ("fn_cost", "fp_cost", "tp_gain")
"""Keys of `costs`."""


@dataclass(frozen=True, slots=True)
class Options:
    """The arguments of :func:`~imbkit.bench.compare`, with its defaults."""

    strategies: Sequence[object] | None = None
    learners: Sequence[object] | None = None
    metric: str | None = None
    objective: Any = None
    cv: Any = None
    groups: Any = None
    time: Any = None
    label_delay: Any = None
    sample_weight: Any = None
    costs: Mapping[str, Any] | None = None
    alerts: float | None = None
    alerts_per_day: float | None = None
    prevalence: float | None = None
    test: tuple[Any, Any] | None = None
    positive: Any = None
    ordered: Any = None
    n_jobs: int | None = None
    random_state: Any = 0
    output: str | Path | None = None
    budget_minutes: float | None = None
    quick: bool = False
    onnx: bool = False

    def checked(self) -> "Options":
        """Return the options; complain of those that contradict each other or no table fits."""
        if self.onnx:
            require("skl2onnx", "export", "compare")
            if self.output is None:
                _refuse("onnx needs a directory to write model.onnx to", "output=None")
        if self.budget_minutes is not None and not self.budget_minutes > 0:
            _refuse("budget_minutes must be positive", self.budget_minutes)
        if self.prevalence is not None and not _is_share(self.prevalence):
            todo = "Write 0.001 for one positive row in a thousand"
            _refuse("prevalence must be a number between 0 and 1", self.prevalence, todo)
        check_order(self.ordered)
        if self.has_stages and self.positive is not None:
            rule = "positive and ordered must not be given together"
            todo = "Leave out --positive (positive=): the last stage is the positive class"
            _refuse(rule, self.positive, todo)
        if self.alerts is not None and self.alerts_per_day is not None:
            rule = "alerts are given for the whole table or per day, not both"
            _refuse(rule, f"alerts={self.alerts!r} and alerts_per_day={self.alerts_per_day!r}")
        if self.alerts_per_day is not None and self.time is None:
            todo = "Name the time column with --time (time=), or give --alerts (alerts=)"
            _refuse("alerts per day need a time column", self.alerts_per_day, todo)
        if self.label_delay is not None and self.time is None:
            todo = "Name the time column with --time (time=)"
            _refuse("a label delay needs a time column", self.label_delay, todo)
        if self.time is not None and callable(getattr(self.cv, "split", None)):
            todo = "Leave out one of them: with a time column the splits go forward in time"
            _refuse("cv must not be a splitter where time is given", self.cv, todo)
        if self.costs is not None:
            if not isinstance(self.costs, Mapping):
                _refuse(f"costs must be a mapping with the keys {listing(COSTS)}", self.costs)
            unknown = sorted(set(self.costs) - set(COSTS))
            if unknown:
                rule = f"costs must have the keys {listing(COSTS)}"
                _refuse(rule, listing(unknown))
            if all(value is None for value in self.costs.values()):
                return replace(self, costs=None)
        return self

    @property
    def has_stages(self) -> bool:
        """Whether the classes are stages in an order."""
        return self.ordered is not None and not is_no(self.ordered)

    @property
    def seed(self) -> int:
        """The seed as an integer that scikit-learn takes, too."""
        seed = integer_seed(self.random_state)
        if not isinstance(self.random_state, (int, np.integer)):
            return seed % 2**32
        if seed >= 2**32:
            _refuse("random_state must be less than 2**32", self.random_state)
        return seed


def _is_share(value: Any) -> bool:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return number and 0 < float(value) < 1


def _refuse(rule: str, got: object, todo: str = "") -> None:
    raise InvalidParameterError(message("compare", rule, got, todo))
