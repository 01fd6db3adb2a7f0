"""Neural nets that a comparison knows by the name of their loss, such as ``net:ldam``."""

from typing import Any

import numpy as np

from imbkit._core.catalog import find, missing_packages
from imbkit._core.messages import message, require
from imbkit.bench._panel import Learner, Task
from imbkit.exceptions import InvalidParameterError

__all__ = ["NET", "is_net", "net_learner", "net_learner_name"]

NET = "net"
EXTRA = "nets"
PACKAGES = ("torch", "skorch")
"""Packages whose versions the scores depend on."""
UNSERVED = {
    "group": "the group of each row",
    "teacher": "the outputs of a net that was trained before",
    "time": "times and events",
}
"""Needs of losses that a table and its classes cannot serve."""


def is_net(name: object) -> bool:
    """Whether a name is that of a net: ``net``, ``net:LOSS`` or ``net:LOSS:SECOND_STAGE``."""
    return isinstance(name, str) and name.partition(":")[0].strip().lower() == NET


def net_learner_name() -> tuple[str, str, str]:
    """Return the pattern of the names, what it stands for, and how to install what is missing."""
    title = "neural net with a loss of `imbkit list losses`, e.g. net:focal or net:ce:crt"
    install = f'pip install "imbkit[{EXTRA}]"' if missing_packages(EXTRA) else ""
    return f"{NET}:LOSS", title, install


def net_learner(name: str, task: Task) -> Learner:
    """Return a net by its name, for the classes of a table.

    The net is given one-hot categories and scaled, complete numbers, as logistic regression is,
    so that every strategy can be put before it; it then scales nothing itself. It computes on
    the processor: cells that run side by side would share an accelerator, and equal cells must
    give equal scores.

    Parameters
    ----------
    name : str
        See `is_net`; hyphens are underscores, and ``net`` alone has cross-entropy.
    task : Task
        The table.

    Returns
    -------
    Learner
        Its name is the same for all ways to write it.

    Raises
    ------
    InvalidParameterError
        If there is no such loss or second stage, or it does not fit the table.
    MissingExtraError
        If torch or skorch is not installed.
    """
    for package in PACKAGES:
        require(package, EXTRA, f"compare --learner {NET}")
    _, loss_name, stage_name, *rest = [*name.split(":"), "", ""]
    if any(rest):
        rule = f"a net is named {NET}, {NET}:LOSS or {NET}:LOSS:SECOND_STAGE"
        raise InvalidParameterError(message("compare", rule, name))
    loss_name, loss = _loss(loss_name or "cross_entropy")
    _check_served(name, loss, task)
    settings: dict[str, Any] = {"loss": loss_name}
    words = [f"net with {loss_name.replace('_', ' ')}"]
    if "pairs" in loss.needs:
        # Rows drawn as they come may lack a rare class, and there would be nothing to learn.
        settings["sampler"] = "class_balanced"
    if stage_name:
        if loss.link != "softmax":
            rule = "a second stage must follow a loss whose outputs are logits of all classes"
            raise InvalidParameterError(message("compare", rule, name, f"Use {NET}:ce:crt"))
        stage = find("imbkit.nets:get_second_stage")(stage_name)
        settings["two_stage"] = stage.names[0]
        words.append(stage.names[0])
    model = find("ImbalancedNetClassifier")(**settings, standardize=False, device="cpu")
    return Learner(
        ":".join([NET, *(str(each).replace("_", "-") for each in _named(settings))]),
        ", then ".join(words),
        model,
        changes_prior=_changes_prior(loss, settings, task),
        packages=PACKAGES,
    )


def _named(settings: dict[str, Any]) -> list[str]:
    """Return what of the settings stands in the name."""
    return [settings[key] for key in ("loss", "two_stage") if key in settings]


def _loss(name: str) -> tuple[str, Any]:
    """Return the usual name of a loss, and the loss itself."""
    loss = find("imbkit.losses:get_loss")(name)
    plain = name.strip().lower().replace("-", "_")
    return (loss.names[0] if plain in loss.names else plain), loss


def _check_served(name: str, loss: Any, task: Task) -> None:
    """Refuse a loss that is for other targets, or needs what no table has."""
    if task.kind not in loss.tasks:
        rule = f"the loss of a net must be one for a {task.kind} target"
        got = f"{name}, for {', '.join(sorted(loss.tasks))} ones"
        raise InvalidParameterError(message("compare", rule, got))
    for need in sorted(loss.needs & set(UNSERVED)):
        rule = f"the loss of a net must need rows and classes alone, not {UNSERVED[need]}"
        raise InvalidParameterError(message("compare", rule, name))


def _changes_prior(loss: Any, settings: dict[str, Any], task: Task) -> bool:
    """Whether a net's probabilities are for other class shares than those of its rows."""
    if "two_stage" in settings:
        return True
    if loss.link == "score":
        # Scores of two classes are calibrated by rows held out.
        return task.kind != "binary"
    # Any uneven shares will do.
    labels = [0, 0, 0, 1] if task.kind == "binary" else [0, 0, 0, 1, 1, 2]
    stats = find("imbkit.losses:ClassStats").from_labels(labels)
    shares = stats.priors
    if "sampler" in settings:
        stats = stats.sampled(np.full(shares.size, 1 / shares.size))
    loss.setup(stats)
    return not np.allclose(loss.induced_prior(stats), shares)
