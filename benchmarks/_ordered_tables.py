"""Five real tables with an ordered target, the class of interest last."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from imbkit.ordinal import funnel_target

__all__ = ["TABLES", "load"]

TABLES = {
    "winequality_white": "grade 9",
    "winequality_white, 8 or 9": "grade 8 or 9",
    "hillstrom_funnel": "conversion",
    "online_shoppers": "purchase",
    "online_shoppers, ten products": "purchase",
    "car_evaluation": "very good",
    "esl": "grade 8 or 9",
}
"""Table, and what its last class is."""
STAGE_OF = {
    "online_shoppers": ["PageValues"],
    "online_shoppers, ten products": ["ProductRelated", "ProductRelated_Duration"],
}
"""Columns that tell a stage and so are no features."""


def load(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features as standardised numbers and classes from 0, the last one of interest.

    Categories are spread over columns, missing numbers replaced by medians: without labels, so
    that doing it before the folds tells nothing about them.
    """
    frame = pd.read_parquet(folder / f"{name.partition(',')[0]}.parquet")
    codes = _stages(frame, name)
    features = frame[[column for column in frame if not column.startswith("target")]]
    features = features.drop(columns=STAGE_OF.get(name, []))
    numbers = features.select_dtypes(["number", "bool"])
    texts = features[[column for column in features if column not in numbers]].astype(str)
    parts = []
    if numbers.shape[1]:
        values = numbers.astype(float)
        parts.append(values.fillna(values.median()).to_numpy())
    if texts.shape[1]:
        encode = OneHotEncoder(min_frequency=20, drop="first", sparse_output=False)
        parts.append(encode.fit_transform(texts))
    return StandardScaler().fit_transform(np.hstack(parts)), codes


def _stages(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Classes in order: stages of the two funnels, grades of the others."""
    target = frame["target"].astype(int)
    if name == "hillstrom_funnel":
        stages = pd.DataFrame({"visit": target >= 1, "conversion": target == 2})
        return np.asarray(funnel_target(stages).codes)
    if name.startswith("online_shoppers"):
        # Pages with a value are those from which purchases have come. Some visits buy without
        # having seen one, or ten products: they count for the deepest stage that they reached.
        middle = frame["ProductRelated"] >= 10 if "," in name else frame["PageValues"] > 0
        stages = pd.DataFrame({"interest": middle, "purchase": target == 1})
        return np.asarray(funnel_target(stages, on_violation="deepest").codes)
    if name == "esl":  # grades 1 and 2 have 2 and 12 rows, grade 9 has 4
        target = target.clip(3, 8)
    if name == "winequality_white, 8 or 9":
        target = target.clip(upper=8)
    return np.unique(target, return_inverse=True)[1]
