"""Change how many rows each class has.

Every sampler that shares its name with one of imbalanced-learn is a subclass of it, takes its
parameters, and gives the same rows for the same ``random_state``. What is new: it is faster
where work is left to save, it carries weights, groups and other companions along, and it says
which rows every new row came from.

A sampler is one file with a class ``Name(PlannedSampler, Original)`` that writes one method,
``_plan(X, y)``: which rows are kept, and which pairs of rows new ones are made from.
``_base.py`` does the rest: checks, containers, companions, provenance. The smallest member is
``_random_under_sampler.py``. Samplers that make rows begin with ``GrowingSampler`` of
``_growing.py``, those that drop rows of a large class for their neighbours with ``Cleaner`` of
``_cleaning.py``.
To add one: its file, its import below, and its name in ``__all__``.

SVMSMOTE, KMeansSMOTE, ClusterCentroids and InstanceHardnessThreshold are imbalanced-learn's
own classes, so that one line of imports can be changed.
"""

from typing import Any

from imbkit.sampling._random_over_sampler import RandomOverSampler
from imbkit.sampling._random_under_sampler import RandomUnderSampler
from imbkit.sampling._smote import SMOTE

__all__ = [
    "ClusterCentroids",
    "InstanceHardnessThreshold",
    "KMeansSMOTE",
    "RandomOverSampler",
    "RandomUnderSampler",
    "SMOTE",
    "SVMSMOTE",
]

_PEERS = {
    "ClusterCentroids": "under_sampling",
    "InstanceHardnessThreshold": "under_sampling",
    "KMeansSMOTE": "over_sampling",
    "SVMSMOTE": "over_sampling",
}


def __getattr__(name: str) -> Any:
    if name in _PEERS:
        from importlib import import_module

        return getattr(import_module(f"imblearn.{_PEERS[name]}"), name)
    raise AttributeError(f"module 'imbkit.sampling' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
