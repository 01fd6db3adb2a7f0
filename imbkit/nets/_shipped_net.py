"""A trained net whose weights are plain arrays wherever it is stored, so that skops can save it."""

from typing import Any

import numpy as np
import torch

from imbkit.calibration._sigmoid import Sigmoid
from imbkit.losses import ClassStats
from imbkit.nets._classifier import ImbalancedNetClassifier

__all__ = ["ShippedNet"]

_LEFT = ("device_", "_split")
"""What only training needs, or what is made again from the parameters."""


class ShippedNet(ImbalancedNetClassifier):
    """What ships of a trained `ImbalancedNetClassifier`: the same predictions, on the processor.

    Stored are its parameters, numbers and texts, and no objects of torch: these are made anew
    on loading.
    """

    @classmethod
    def of(cls, net: ImbalancedNetClassifier) -> "ShippedNet":
        """Return what ships of a trained net, sharing its parts."""
        shipped = cls(**net.get_params(deep=False))
        shipped.__dict__.update(net.__dict__)
        return shipped

    def __getstate__(self) -> Any:
        """Return arrays in place of the engine."""
        state = {k: v for k, v in super().__getstate__().items() if k not in _LEFT}
        net = state.pop("net_")
        weights = net.module_.state_dict()
        state["weights"] = {name: value.cpu().numpy() for name, value in weights.items()}
        state["counts"], state["task"] = net.stats_.counts, net.stats_.task
        state["device"] = "cpu"
        curve = state["calibrator_"]
        if curve is not None:
            state["calibrator_"] = {"slope": curve.slope, "intercept": curve.intercept}
        return state

    def __setstate__(self, state: Any) -> None:
        """Make the engine anew."""
        state = dict(state)
        weights, counts, task = [state.pop(name) for name in ("weights", "counts", "task")]
        curve = state["calibrator_"]
        state["calibrator_"] = None if curve is None else Sigmoid(**curve)
        super().__setstate__(state)
        self.device_ = torch.device("cpu")
        self.net_ = self._engine(self._n_outputs(), None, len(self.classes_)).initialize()
        tensors = {name: torch.as_tensor(np.array(value)) for name, value in weights.items()}
        self.net_.module_.load_state_dict(tensors)
        self.net_.stats_ = ClassStats(counts, int(counts.sum()), task)
