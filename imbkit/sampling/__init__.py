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

from imbkit.sampling._adasyn import ADASYN
from imbkit.sampling._all_knn import AllKNN
from imbkit.sampling._borderline_smote import BorderlineSMOTE
from imbkit.sampling._condensed_nearest_neighbour import CondensedNearestNeighbour
from imbkit.sampling._edited_nearest_neighbours import EditedNearestNeighbours
from imbkit.sampling._near_miss import NearMiss
from imbkit.sampling._neighbourhood_cleaning_rule import NeighbourhoodCleaningRule
from imbkit.sampling._one_sided_selection import OneSidedSelection
from imbkit.sampling._random_over_sampler import RandomOverSampler
from imbkit.sampling._random_under_sampler import RandomUnderSampler
from imbkit.sampling._repeated_edited_nearest_neighbours import RepeatedEditedNearestNeighbours
from imbkit.sampling._smote import SMOTE
from imbkit.sampling._smote_enn import SMOTEENN
from imbkit.sampling._smote_tomek import SMOTETomek
from imbkit.sampling._smoten import SMOTEN
from imbkit.sampling._smotenc import SMOTENC
from imbkit.sampling._tomek_links import TomekLinks

__all__ = [
    "ADASYN",
    "AllKNN",
    "BorderlineSMOTE",
    "ClusterCentroids",
    "CondensedNearestNeighbour",
    "EditedNearestNeighbours",
    "InstanceHardnessThreshold",
    "KMeansSMOTE",
    "NearMiss",
    "NeighbourhoodCleaningRule",
    "OneSidedSelection",
    "RandomOverSampler",
    "RandomUnderSampler",
    "RepeatedEditedNearestNeighbours",
    "SMOTE",
    "SMOTEENN",
    "SMOTEN",
    "SMOTENC",
    "SMOTETomek",
    "SVMSMOTE",
    "TomekLinks",
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
