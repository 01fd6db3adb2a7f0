"""imbkit: a scikit-learn-compatible toolkit for rare classes.

Families (each is imported when it is first used):

- ``imbkit.bench``: compare strategies on your own table, without leaks
- ``imbkit.sampling``: change how many rows each class has, and carry along what belongs to them
- ``imbkit.thresholds``: choose the cut-off that turns a score into a decision
- ``imbkit.calibration``: probabilities that are right after resampling, or under other class shares
- ``imbkit.ordinal``: ordered classes with a rare last stage, by PRESTO and cumulative-link models
- ``imbkit.rvfl``: random features and a closed form, with fuzzy scores and graphs for rare classes
- ``imbkit.losses``: losses of torch that know which classes are rare, and weights of rows
- ``imbkit.nets``: neural nets for tables, with batches and last layers made for rare classes
- ``imbkit.splits``: train on the past, test on the future, with groups and late labels
- ``imbkit.metrics``: counts at every cut-off, and the scores made of them
- ``imbkit.pipeline``: ship a fitted model without what only training needs
- ``imbkit.datasets``: small real tables with a rare class, and a generator of transactions
- ``imbkit.displays``: pictures with matplotlib, such as a map of what a sampler did
- ``imbkit.exceptions``: every error and warning
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imbkit import (
        bench,
        calibration,
        datasets,
        displays,
        exceptions,
        losses,
        metrics,
        nets,
        ordinal,
        pipeline,
        rvfl,
        sampling,
        splits,
        thresholds,
    )
    from imbkit._core.versions import show_versions
    from imbkit._core.warmup import warmup

__version__ = "0.1.0.dev0"

__all__ = [
    "bench",
    "calibration",
    "datasets",
    "displays",
    "exceptions",
    "losses",
    "metrics",
    "nets",
    "ordinal",
    "pipeline",
    "rvfl",
    "sampling",
    "show_versions",
    "splits",
    "thresholds",
    "warmup",
]


_FUNCTIONS = {"show_versions": "versions", "warmup": "warmup"}


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(import_module(f"imbkit._core.{_FUNCTIONS[name]}"), name)
    if name in __all__:
        return import_module(f"imbkit.{name}")
    raise AttributeError(f"module 'imbkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
