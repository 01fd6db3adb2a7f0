"""Learners that a comparison knows by name, and runs only where they are named.

To add one: a line in `MORE_LEARNERS`, with the public class that makes it with its defaults. The
class must take `class_weight` and `sample_weight`, so that every strategy can be put before it.
"""

from imbkit._core.catalog import find
from imbkit.bench._panel import Learner

__all__ = ["MORE_LEARNERS", "more_learner", "more_learner_names"]

MORE_LEARNERS = {"rvfl": ("random vector functional link", "RVFLClassifier")}
"""Names with titles and classes. They are prepared as for logistic regression: columns of one
scale, and categories one-hot. Their softmaxed scores become probabilities by the sigmoid that all
entries of two classes are given."""


def more_learner(name: str) -> Learner:
    """Return the learner of a name in `MORE_LEARNERS`."""
    title, model = MORE_LEARNERS[name]
    return Learner(name, title, find(model)())


def more_learner_names() -> list[tuple[str, str]]:
    """Return name and title of each."""
    return [(name, title) for name, (title, _) in MORE_LEARNERS.items()]
