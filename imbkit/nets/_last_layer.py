"""The last layer of a trained net: what it is given, what it is, and another in its place."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError

__all__ = ["LastLayer"]


class LastLayer:
    """A net whose module has ``embed`` and a linear last layer `head`, as the bodies here do."""

    module_: Any

    def embeddings(self, X: Any) -> FloatArray:
        """Return what the last layer is given for rows.

        Parameters
        ----------
        X : ndarray, Tensor, mapping of them, or TensorTable
            Inputs.

        Returns
        -------
        ndarray of float64, shape (n, n_embedding)
            Embeddings.

        Raises
        ------
        InvalidParameterError
            If the module has no ``embed`` and `head`.
        """
        self._check_head("embeddings need")
        net: Any = self
        net._set_training(False)
        found = []
        with torch.no_grad():
            for batch, _ in net.get_iterator(net.get_dataset(X)):
                found.append(self.module_.embed(**net._inputs(batch)).double().cpu().numpy())
        return np.concatenate(found)

    def head(self) -> tuple[FloatArray, FloatArray]:
        """Return weights and intercepts of the last layer.

        Returns
        -------
        weight : ndarray of float64, shape (n_outputs, n_embedding)
            Weights.
        bias : ndarray of float64, shape (n_outputs,)
            Intercepts.
        """
        head = self._check_head("a second stage needs")
        return _numbers(head.weight), _numbers(head.bias)

    def set_head(self, weight: FloatArray, bias: FloatArray) -> None:
        """Give the last layer other weights and intercepts.

        Parameters
        ----------
        weight : ndarray of shape (n_outputs, n_embedding)
            Weights.
        bias : ndarray of shape (n_outputs,)
            Intercepts.
        """
        head = self._check_head("a second stage needs")
        with torch.no_grad():
            for own, new in ((head.weight, weight), (head.bias, bias)):
                if tuple(np.shape(new)) != tuple(own.shape):
                    rule = f"the last layer must have {tuple(own.shape)} numbers"
                    got = f"shape {np.shape(new)}"
                    raise InvalidParameterError(message(type(self).__name__, rule, got))
                own.copy_(torch.as_tensor(new))

    def _check_head(self, what: str) -> nn.Linear:
        """Return the last layer, or refuse a module where it cannot be told apart."""
        head = getattr(self.module_, "head", None)
        if (
            not isinstance(head, nn.Linear)
            or head.bias is None
            or not hasattr(self.module_, "embed")
        ):
            rule = f"{what} a module with embed() and a linear last layer `head` with intercepts"
            todo = "Use 'mlp', 'residual' or 'tabular' with head='linear'"
            got = type(self.module_).__name__
            raise InvalidParameterError(message(type(self).__name__, rule, got, todo))
        return head


def _numbers(tensor: Tensor) -> FloatArray:
    """Return a tensor as an array."""
    return np.asarray(tensor.detach().double().cpu().numpy())
