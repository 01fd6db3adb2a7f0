"""Losses that are made of other losses and weightings."""

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
from torch import nn

from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss, Configured
from imbkit.losses._stats import ClassStats

__all__ = ["Combination", "loss_or_complain"]


class Combination(BaseLoss):
    """A loss that hands on to its parts whatever it is told.

    One of them decides what the outputs of the module are, which class shares they are made
    for, and their scale.
    """

    @abstractmethod
    def _main(self) -> BaseLoss:
        """Return the part that decides."""

    @property
    def scale(self) -> float:
        """What the loss multiplies its logits by."""
        return float(getattr(self._main(), "scale", 1.0))

    def setup(self, stats: ClassStats) -> None:
        """Hand the counts to every part.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        for part in self._parts():
            part.setup(stats)

    def see(self, inputs: FloatArray) -> None:
        """Hand the training rows to every part.

        Parameters
        ----------
        inputs : ndarray of shape (n_train, n_features)
            Rows, as the module is given them.
        """
        for part in self._parts():
            part.see(inputs)

    def project(self) -> None:
        """Bring the parameters of the parts back to where they are permitted."""
        for part in self._parts():
            if isinstance(part, BaseLoss):
                part.project()

    def induced_prior(self, stats: ClassStats) -> FloatArray:
        """Return the class shares that the outputs are made for.

        Parameters
        ----------
        stats : ClassStats
            Counts, and the class shares of the batches.

        Returns
        -------
        ndarray of shape (n_classes,)
            Those of the part that decides.
        """
        return np.asarray(self._main().induced_prior(stats))

    def _parts(self) -> Iterator[Configured]:
        """Yield the losses and weightings that stand directly in this one, each once."""
        for child in self.children():
            for part in child if isinstance(child, nn.ModuleList) else [child]:
                if isinstance(part, Configured):
                    yield part

    def _take_after(self, *losses: BaseLoss) -> None:
        """Serve what all of these serve, and need what any of them needs."""
        tasks = frozenset.intersection(*(each.tasks for each in losses))
        if not tasks:
            rule = "its losses must serve a target in common"
            got = ", ".join(f"{type(each).__name__} for {sorted(each.tasks)}" for each in losses)
            raise InvalidParameterError(message(type(self).__name__, rule, got))
        self.tasks = tasks  # type: ignore[misc]
        self.needs = frozenset[str]().union(*(each.needs for each in losses))


def loss_or_complain(given: object, who: str, name: str) -> BaseLoss:
    """Return a loss, or say that a parameter must be one.

    Parameters
    ----------
    given : object
        What was given.
    who, name : str
        The class and its parameter.
    """
    if not isinstance(given, BaseLoss):
        rule = f"{name} must be a loss of imbkit.losses"
        todo = "get_loss(...) makes one of a name, or of a loss of torch"
        raise InvalidParameterError(message(who, rule, given, todo))
    return given
