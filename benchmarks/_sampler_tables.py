"""Tables and samplers of the benchmark of samplers, and the two sides to run."""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "CASES",
    "REAL",
    "TABLES",
    "Case",
    "Data",
    "folder_of",
    "load",
    "made",
    "mixed_columns",
    "runner",
    "sample",
]

JITTER = 1e-4


@dataclass(frozen=True)
class Data:
    """A table: numeric columns, labels, and what SMOTENC and SMOTEN need to know."""

    X: Any
    y: np.ndarray
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One sampler with its settings; `aim` on nsl_kdd_train, `least` on any table."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    module: str = "under_sampling"
    rows: int | None = None
    """Rows of a stratified sample that is used instead of the whole table."""
    kind: str = "numbers"
    aim: float | None = None
    least: float | None = None
    ties: bool = False
    """Whether equal distances are the rule, so that rows may differ from the peer's."""

    def of_peer(self) -> Any:
        return getattr(importlib.import_module(f"imblearn.{self.module}"), self.name)

    def of_imbkit(self) -> Any:
        return getattr(importlib.import_module("imbkit.sampling"), self.name)


SEED = {"random_state": 0}
CASES = {
    "RandomOverSampler": Case("RandomOverSampler", SEED, "over_sampling", aim=0.9, least=0.9),
    "RandomUnderSampler": Case("RandomUnderSampler", SEED, aim=0.9, least=0.9),
    "SMOTE": Case("SMOTE", SEED, "over_sampling", aim=1.2, least=0.9),
    "BorderlineSMOTE": Case("BorderlineSMOTE", SEED, "over_sampling", aim=1.5, least=1),
    "BorderlineSMOTE-2": Case(
        "BorderlineSMOTE", {**SEED, "kind": "borderline-2"}, "over_sampling", aim=1.5, least=1
    ),
    "ADASYN": Case("ADASYN", SEED, "over_sampling", aim=1.5, least=1),
    "TomekLinks": Case("TomekLinks", aim=100, least=8),
    "EditedNearestNeighbours": Case("EditedNearestNeighbours", aim=50, least=2),
    "NeighbourhoodCleaningRule": Case("NeighbourhoodCleaningRule", aim=50, least=2),
    "AllKNN": Case("AllKNN", aim=80, least=4),
    "RepeatedEditedNearestNeighbours": Case("RepeatedEditedNearestNeighbours", aim=80, least=4),
    "OneSidedSelection": Case("OneSidedSelection", SEED, aim=30, least=5),
    "CondensedNearestNeighbour": Case(
        "CondensedNearestNeighbour", SEED, rows=3_000, aim=500, least=100
    ),
    "NearMiss-1": Case("NearMiss"),
    "NearMiss-2": Case("NearMiss", {"version": 2}, rows=20_000, aim=25, least=10),
    "NearMiss-3": Case("NearMiss", {"version": 3}),
    "SMOTETomek": Case("SMOTETomek", SEED, "combine", aim=50, least=2),
    "SMOTEENN": Case("SMOTEENN", SEED, "combine", aim=50, least=2),
    "SMOTENC": Case("SMOTENC", SEED, "over_sampling", kind="mixed", aim=50, least=20),
    "SMOTEN": Case("SMOTEN", SEED, "over_sampling", kind="categories", ties=True),
}

REAL = {
    "nsl_kdd_train": ("target_attack", "target_difficulty"),
    "uci_credit_default": (),
    "fraud_handbook_sim": ("target_scenario",),
    "creditcard_subset": (),
}
"""Real tables, and columns of theirs that say what the target is."""
TABLES = {
    **dict.fromkeys([*REAL, "synthetic"], "numbers"),
    "mixed": "mixed",
    "categories": "categories",
}
"""Tables, and the kind of cases that run on them."""


def load(name: str, folder: Path, *, jitter: bool = True) -> Data:
    """Read or make a table; numeric columns are standardised, `jitter` makes rows distinct."""
    if name == "synthetic":
        return made(100_000, 30, latent=8)
    if name == "mixed":
        return mixed_columns(20_000, (5, 50, 1_000))
    if name == "categories":
        return _categories(20_000)
    import pandas as pd

    frame = pd.read_parquet(folder / f"{name}.parquet").drop(columns=list(REAL[name]))
    target = frame.pop("target")
    y = target.isin(["r2l", "u2r"]) if name == "nsl_kdd_train" else target
    X = frame.select_dtypes("number").to_numpy(np.float64)
    X -= X.mean(axis=0)
    spread = X.std(axis=0)
    X /= np.where(spread > 0, spread, 1)
    if jitter:
        X += np.random.default_rng(0).normal(scale=JITTER, size=X.shape)
    return Data(X, y.to_numpy().astype(np.int64))


def folder_of(text: str | None) -> Path:
    """The folder of real tables."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(text or os.environ.get("IMBKIT_DATA", beside))


def made(n: int, d: int, latent: int, share: float = 0.02, seed: int = 0) -> Data:
    """A rare class in `latent` dimensions, seen through `d` columns with a little noise."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(np.int64)
    hidden = rng.normal(size=(n, latent)) + 1.5 * y[:, None] / np.sqrt(latent)
    X = hidden @ rng.normal(size=(latent, d)) + rng.normal(scale=0.1, size=(n, d))
    return Data((X - X.mean(axis=0)) / X.std(axis=0), y)


def mixed_columns(n: int, levels: tuple[int, ...], share: float = 0.05) -> Data:
    """Six continuous columns, and columns of so many levels, the first ones the most frequent."""
    rng = np.random.default_rng(0)
    y = (rng.random(n) < share).astype(np.int64)
    numbers = rng.normal(size=(n, 6)) + y[:, None]
    # Every level occurs; beyond that the rank of a level is that of a squared uniform number.
    columns = [_levels(rng, n, size, 2) for size in levels]
    X = np.column_stack([numbers, *columns])
    return Data(X, y, {"categorical_features": list(range(6, 6 + len(levels)))})


def _levels(rng: np.random.Generator, n: int, size: int, power: float) -> np.ndarray:
    codes = (size * rng.random(n) ** power).astype(np.int64)
    codes[rng.permutation(n)[: min(size, n)]] = np.arange(min(size, n))
    return codes


def _categories(n: int) -> Data:
    rng = np.random.default_rng(0)
    y = (rng.random(n) < 0.05).astype(np.int64)
    columns = [_levels(rng, n, size, 1.5) for size in (3, 5, 8, 12, 20, 30, 50, 100)]
    return Data(np.column_stack(columns), y)


def sample(data: Data, rows: int | None) -> Data:
    """A stratified sample of so many rows, in their order; the table itself if it has no more."""
    n = data.y.size
    if rows is None or rows >= n:
        return data
    rng = np.random.default_rng(0)
    chosen = []
    for label in np.unique(data.y):
        members = np.flatnonzero(data.y == label)
        size = max(1, round(rows * members.size / n))
        chosen.append(rng.permutation(members)[:size])
    kept = np.sort(np.concatenate(chosen))
    return Data(data.X[kept], data.y[kept], data.options)


def runner(case: Case, side: str, data: Data) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """A function that resamples a table with imbkit's or with imbalanced-learn's class."""
    sampler = case.of_imbkit() if side == "imbkit" else case.of_peer()

    def run() -> tuple[np.ndarray, np.ndarray]:
        made = sampler(**case.parameters, **data.options).fit_resample(data.X, data.y)
        return made[0], made[1]

    return run
