"""Scores to draw, and what every display of scores can be asked."""

import matplotlib.pyplot as plt
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    yield
    plt.close("all")


@pytest.fixture
def rows():
    """Make labels and probabilities: a rare class, some ties, weights if asked."""

    def make(n=400, share=0.1, seed=0, digits=None):
        rng = np.random.default_rng(seed)
        y = np.zeros(n, dtype=int)
        y[: max(2, round(n * share))] = 1
        z = rng.normal(size=n) + 2 * y
        p = 1 / (1 + np.exp(-(np.log(share / (1 - share)) + 2 * z - 2)))
        order = rng.permutation(n)
        p = p[order] if digits is None else np.round(p[order], digits)
        return y[order], p, rng.integers(0, 4, size=n).astype(float)

    return make


@pytest.fixture
def legend():
    """Return the texts of a display's legend."""

    def read(display):
        found = display.ax_.get_legend()
        return [] if found is None else [text.get_text().strip() for text in found.get_texts()]

    return read
