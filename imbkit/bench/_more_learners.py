"""Learners that a comparison knows by name, and runs only where they are named.

To add one: a line in `MORE_LEARNERS`, with the public class that makes it with its defaults. The
class must take `class_weight` and `sample_weight`, so that every strategy can be put before it.
Nets have many names, one for each loss: see `_net_learners`.
"""

from collections.abc import Sequence

from imbkit._core.catalog import find
from imbkit.bench._net_learners import is_net, net_learner, net_learner_name
from imbkit.bench._panel import Learner, Task

__all__ = ["MORE_LEARNERS", "more_learner", "more_learner_names", "more_learners"]

MORE_LEARNERS = {"rvfl": ("random vector functional link", "RVFLClassifier")}
"""Names with titles and classes. They are prepared as for logistic regression: columns of one
scale, and categories one-hot. Their softmaxed scores become probabilities by the sigmoid that all
entries of two classes are given."""


def more_learner(name: str) -> Learner:
    """Return the learner of a name in `MORE_LEARNERS`."""
    title, model = MORE_LEARNERS[name]
    return Learner(name, title, find(model)())


def more_learners(named: Sequence[object], task: Task) -> dict[str, Learner]:
    """Return those among the learners asked for that are known here, by their names.

    Parameters
    ----------
    named : sequence of object
        What was asked for. A net may be written in several ways, and is found by all of them.
    task : Task
        The table.
    """
    found: dict[str, Learner] = {}
    for name in named:
        if isinstance(name, str) and name in MORE_LEARNERS:
            found[name] = more_learner(name)
        elif isinstance(name, str) and is_net(name):
            net = net_learner(name, task)
            found[name] = found.setdefault(net.name, net)
    return found


def more_learner_names() -> list[tuple[str, str]]:
    """Return name and title of each, and what to install for it where something is missing."""
    net, title, install = net_learner_name()
    lacking = f"; needs: {install}" if install else ""
    known = [(name, title) for name, (title, _) in MORE_LEARNERS.items()]
    return [*known, (net, title + lacking)]
