"""Twenty real tables of two classes, read into matrices, and two learners for them."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

__all__ = ["LEARNERS", "TABLES", "load"]

TABLES = [
    "abalone9_18",
    "ai4i2020",
    "car_good",
    "credit_g",
    "creditcard_subset",
    "fraud_handbook_sim",
    "haberman",
    "hypothyroid",
    "mammography",
    "online_shoppers",
    "page_blocks0",
    "phoneme",
    "pima",
    "satimage_4",
    "sick",
    "uci_credit_default",
    "us_crime",
    "yeast1",
    "yeast3",
    "yeast4",
]
MOST_ROWS = 8_000


def load(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features as numbers and whether each row is of the rarer class.

    Categories are spread over columns, missing numbers replaced by medians; of a table with
    more than 8,000 rows a stratified sample is taken.
    """
    frame = pd.read_parquet(folder / f"{name}.parquet")
    y = frame["target"].to_numpy()
    labels, counts = np.unique(y.astype(str), return_counts=True)
    positive = y.astype(str) == labels[counts.argmin()]
    features = frame[[column for column in frame if not column.startswith("target")]]
    if len(features) > MOST_ROWS:
        kept, _ = train_test_split(
            np.arange(len(features)), train_size=MOST_ROWS, stratify=positive, random_state=0
        )
        features, positive = features.iloc[kept], positive[kept]
    numbers = features.select_dtypes(["number", "bool"])
    texts = features[[column for column in features if column not in numbers]].astype(str)
    parts = []
    if numbers.shape[1]:
        values = numbers.to_numpy(dtype=float, na_value=np.nan)
        impute = SimpleImputer(strategy="median", keep_empty_features=True)
        parts.append(impute.fit_transform(values))
    if texts.shape[1]:
        encode = OneHotEncoder(min_frequency=20, sparse_output=False, handle_unknown="ignore")
        parts.append(encode.fit_transform(texts))
    return np.hstack(parts), positive.astype(int)


LEARNERS = {
    "logistic": Pipeline(
        [("scale", StandardScaler()), ("model", LogisticRegression(max_iter=2000))]
    ),
    "boosting": HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=0),
}
