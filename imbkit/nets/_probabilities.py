"""From a net's outputs to probabilities, for the class shares that are asked for."""

import numpy as np
from scipy.special import expit, log_expit, softmax

from imbkit._core.types import FloatArray
from imbkit.losses._base import Link

__all__ = ["class_logits", "probabilities"]


def class_logits(outputs: FloatArray, link: Link, *, scale: float = 1.0) -> FloatArray:
    """Return logarithms of the probabilities of classes, up to a constant of the row.

    Parameters
    ----------
    outputs : ndarray of shape (n, n_classes), (n, 1) or (n,)
        What the module gives; one number a row is the score of the second of two classes.
    link : {"softmax", "sigmoid", "cosine", "score"}
        What outputs are.
    scale : float, default=1.0
        What outputs are multiplied by first.
    """
    z = outputs.astype(np.float64) * scale
    if z.shape[1:] in ((), (1,)):
        return np.stack([np.zeros(len(z)), z.reshape(len(z))], axis=1)
    # Of classes one against the rest the probabilities are made to sum to one.
    return np.asarray(log_expit(z)) if link == "sigmoid" else z


def probabilities(
    outputs: FloatArray,
    link: Link,
    *,
    labels: bool = False,
    shift: FloatArray | None = None,
    scale: float = 1.0,
) -> FloatArray:
    """Return probabilities of classes, or of labels.

    Parameters
    ----------
    outputs : ndarray of shape (n, n_classes), (n, n_labels) or (n,)
        What the module gives.
    link : {"softmax", "sigmoid", "cosine", "score"}
        What outputs are.
    labels : bool, default=False
        Whether each output is a label by itself.
    shift : ndarray of shape (n_classes,), default=None
        What is added to the logits: logarithms of the class shares that are asked for, less
        those of the shares that the loss was made for.
    scale : float, default=1.0
        What outputs are multiplied by first.
    """
    if labels:
        return np.asarray(expit(outputs.astype(np.float64) * scale))
    z = class_logits(outputs, link, scale=scale)
    return np.asarray(softmax(z if shift is None else z + shift, axis=1))
