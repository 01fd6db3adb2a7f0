"""What every sampler does to one small table, drawn for its page from its card."""

import inspect
from pathlib import Path

import numpy as np
from imblearn.base import SamplerMixin

from imbkit._core.catalog import Entry
from imbkit.displays import SamplingMapDisplay
from imbkit.sampling._growing import GROWING

# Settings that are the same for many samplers, and are not what a picture is about.
SHARED = {*GROWING, "random_state"}
MOST_PANELS = 3


def is_drawn(entry: Entry) -> bool:
    """Whether an entry is a sampler of ours."""
    return entry.kind == "method" and issubclass(entry.obj, SamplerMixin)


def draw(entry: Entry, folder: Path) -> str:
    """Draw the settings of a sampler's card side by side; return the name of the file."""
    import matplotlib.pyplot as plt

    settings = _settings(entry)
    columns = min(2, len(settings))
    rows = -(-len(settings) // columns)
    size = 1.2 + 4.0 * columns, 0.3 + 4.4 * rows
    fig, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for ax in axes.flat[len(settings) :]:
        ax.remove()
    for ax, (options, shown) in zip(axes.flat, settings, strict=False):
        X, y, _ = table(entry.obj)
        SamplingMapDisplay.from_sampler(entry.obj(**options), X, y, ax=ax)
        said = ", ".join(f"{name}={value!r}" for name, value in shown.items())
        ax.set_title(said or "default settings", fontsize="medium")
    fig.suptitle(entry.name)
    name = f"{entry.name}.png"
    fig.savefig(folder / name, dpi=150, facecolor="white")
    plt.close(fig)
    return name


def caption(entry: Entry) -> str:
    """Say what is to be seen."""
    text = (
        "The table that :doc:`all samplers </guide/samplers>` are shown on. Filled: rows that "
        "are kept; ringed: repeated; crossed out: removed; small and white: new rows, with lines "
        "to the rows that each was made from."
    )
    bands = table(entry.obj)[2]
    if bands:
        text += f" Here {' and '.join(bands)} {'are' if len(bands) > 1 else 'is'} cut into levels,"
        text += " because the sampler is made for categories; rows of a level are spread a little."
    return text


def table(sampler: type) -> tuple[object, np.ndarray, list[str]]:
    """Return the common table, its labels, and the columns that are categories.

    Two clouds that touch, with a rare row far out among the common ones, common rows within the
    rare cloud, and a second group of common rows that no rare row is near.
    """
    import pandas as pd

    rng = np.random.default_rng(7)
    common = np.vstack(
        [
            rng.normal((0.0, 0.0), (1.0, 0.8), size=(46, 2)),
            rng.normal((3.4, -1.3), (0.3, 0.25), size=(10, 2)),
            [(2.0, 1.2), (2.6, 0.75)],
        ]
    )
    rare = np.vstack(
        [
            rng.normal((2.1, 1.0), (0.5, 0.4), size=(13, 2)),
            [(-1.25, 0.55), (0.75, 0.35), (0.95, -0.3)],
        ]
    )
    X = pd.DataFrame(np.vstack([common, rare]), columns=["first", "second"])
    y = np.repeat(["common", "rare"], [len(common), len(rare)])
    parameters = inspect.signature(sampler).parameters
    bands = []
    if "categorical_features" in parameters:
        bands = ["second"]
    elif "categorical_encoder" in parameters:
        bands = ["first", "second"]
    for name in bands:
        X[name] = pd.cut(X[name], 6, labels=list("abcdef")).astype(str)
    return X, y, bands


def _settings(entry: Entry) -> list[tuple[dict, dict]]:
    """Return the settings of each panel, and what of them is said above it."""
    parameters = inspect.signature(entry.obj).parameters
    fixed = {"random_state": 0} if "random_state" in parameters else {}
    if "categorical_features" in parameters:
        fixed["categorical_features"] = [1]
    found = []
    for case in entry.card.cases:
        shown = {k: fixed.get(k, v) for k, v in case.items() if k not in SHARED}
        if shown not in [seen for _, seen in found]:
            found.append(({**fixed, **shown}, shown))
    return found[:MOST_PANELS]
