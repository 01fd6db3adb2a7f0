"""From a net's outputs to probabilities, for the class shares that are asked for."""

import numpy as np
from scipy.special import expit, log_expit, softmax

from imbkit._core.types import FloatArray
from imbkit.losses._base import Link

__all__ = ["probabilities"]


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
        What the module gives; one number a row is the score of the second of two classes.
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
    z = outputs.astype(np.float64) * scale
    if labels:
        return np.asarray(expit(z))
    if z.shape[1:] in ((), (1,)):
        z = np.stack([np.zeros(len(z)), z.reshape(len(z))], axis=1)
    elif link == "sigmoid":
        z = log_expit(z)  # classes one against the rest: of their probabilities the shares
    return np.asarray(softmax(z if shift is None else z + shift, axis=1))
