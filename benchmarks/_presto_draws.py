"""Draws of the synthetic study of PRESTO's paper: ten settings, K = 4, 2,500 rows, 10 features."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

__all__ = ["PAPER", "SETTINGS", "Draw", "Setting", "draw"]

N_ROWS, N_FEATURES, N_CLASSES = 2_500, 10, 4


@dataclass(frozen=True)
class Setting:
    """Intercepts of the boundaries, and how the weights are drawn."""

    intercepts: tuple[float, float, float]
    share: float | None
    """Probability that a weight or a difference is not 0; None for the dense settings."""

    def weights(self, rng: np.random.Generator) -> np.ndarray:
        """Return the weights b_k of P(y <= k), one row a boundary."""
        shape = (N_CLASSES - 1, N_FEATURES)
        if self.share is None:
            return np.cumsum(rng.uniform(-0.5, 0.5, shape), axis=0)
        signs = rng.choice([-1.0, 1.0], shape)
        signs[0] = 1.0  # the first boundary has no negative weights
        return np.cumsum(0.5 * signs * (rng.random(shape) < self.share), axis=0)


SETTINGS = {
    "S0": Setting((0.0, 3.0, 5.0), 1 / 3),
    "S1": Setting((0.0, 3.5, 5.5), 1 / 3),
    "S2": Setting((0.0, 4.0, 6.0), 1 / 3),
    "S3": Setting((0.0, 3.0, 5.0), 1 / 2),
    "S4": Setting((0.0, 3.5, 5.5), 1 / 2),
    "S5": Setting((0.0, 4.0, 6.0), 1 / 2),
    "D1": Setting((0.0, 2.5, 4.5), None),
    "D2": Setting((0.0, 3.0, 5.0), None),
    "D3": Setting((0.0, 3.5, 5.5), None),
    "D4": Setting((0.0, 4.0, 6.0), None),
}

# Medians of 700 draws as read from the paper's figures, about three digits: error x 1e-5 of
# PRESTO, logistic regression and proportional odds; PRESTO over each of the others by draw.
PAPER = {
    "S0": (4.35, 7.58, 6.16, 0.569, 0.757),
    "S1": (2.19, 5.38, 2.59, 0.401, 0.870),
    "S2": (0.938, 3.96, 1.02, 0.259, 0.965),
    "S3": (7.73, 10.2, 12.7, 0.748, 0.647),
    "S4": (3.72, 6.96, 5.13, 0.562, 0.774),
    "S5": (1.72, 5.41, 2.03, 0.345, 0.877),
    "D1": (9.56, 12.0, 14.9, 0.813, 0.661),
    "D2": (4.56, 7.66, 6.45, 0.616, 0.730),
    "D3": (2.28, 5.44, 2.74, 0.464, 0.839),
    "D4": (0.968, 3.77, 1.06, 0.278, 0.910),
}


@dataclass(frozen=True)
class Draw:
    """Rows, their classes 0 to 3, and the true probability of class 3."""

    X: np.ndarray
    y: np.ndarray
    rare: np.ndarray


def draw(name: str, number: int, least: int = 2) -> Draw:
    """Return one draw of a setting.

    As in the authors' code a draw with a negative probability in any row is thrown away with
    its weights, at most 100 times, and rows that miss a class are drawn again, at most 10
    times. Here a class needs `least` rows, not one, so that every fold can train on it.
    """
    setting = SETTINGS[name]
    rng = np.random.default_rng([list(SETTINGS).index(name), number])
    for _ in range(100):
        weights = setting.weights(rng)
        for _ in range(10):
            X = rng.uniform(-1.0, 1.0, (N_ROWS, N_FEATURES))
            below = expit(np.array(setting.intercepts) + X @ weights.T)
            if (np.diff(below, axis=1) < 0).any():
                break
            y = (rng.random((N_ROWS, 1)) > below).sum(axis=1)
            if np.bincount(y, minlength=N_CLASSES).min() >= least:
                return Draw(X, y, expit(-(setting.intercepts[-1] + X @ weights[-1])))
    raise RuntimeError(f"{name}: no valid draw in 100 tries")
