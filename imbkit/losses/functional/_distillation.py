"""Losses that hold a net to what another one says."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from imbkit.losses.functional._stable import columns_of, unit_rows

__all__ = ["class_directions", "focal_distillation", "norm_direction"]

Distillation: TypeAlias = Literal["kl", "lm"]


def focal_distillation(
    logits: Tensor,
    teacher: Tensor,
    target: Tensor,
    *,
    alpha: float = 1.0,
    beta: float = 5.0,
    kind: Distillation = "kl",
    temperature: float = 5.0,
) -> Tensor:
    """Return how far each row is from its teacher, more so where the teacher is right.

    Parameters
    ----------
    logits : Tensor of shape (n, n_classes) or (n,)
        Scores of the student; one a row is the log-odds of the second of two classes.
    teacher : Tensor of that shape
        Scores of the teacher, which get no gradient.
    target : Tensor of int64, shape (n,)
        Class of each row; a negative one is of no class that the teacher knows.
    alpha : float, default=1.0
        Weight of every row.
    beta : float, default=5.0
        Added to it where the teacher's largest score is that of the class.
    kind : {"kl", "lm"}, default="kl"
        The divergence of the two softmaxes, or half the mean squared difference of the logits.
    temperature : float, default=5.0
        What logits are divided by for "kl".

    Returns
    -------
    Tensor of shape (n,)
        At least 0. The divergence is not multiplied by the square of the temperature.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import focal_distillation
    >>> z, t = torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]])
    >>> focal_distillation(z, t, torch.tensor([0]), kind="lm")
    tensor([6.])
    >>> focal_distillation(z, t, torch.tensor([1]), kind="lm")
    tensor([1.])
    """
    z, t = columns_of(logits), columns_of(teacher.detach()).to(logits)
    right = t.argmax(dim=1) == target
    if kind == "kl":
        log_t = (t / temperature).log_softmax(1)
        far = (log_t.exp() * (log_t - (z / temperature).log_softmax(1))).sum(dim=1)
    else:
        far = ((z - t) ** 2).mean(dim=1) / 2
    return (alpha + beta * right.to(z)) * far


def norm_direction(student: Tensor, teacher_norm: Tensor, direction: Tensor) -> Tensor:
    """Return how far each row falls short of its class's direction and its teacher's length.

    Parameters
    ----------
    student : Tensor of shape (n, n_features)
        Embeddings.
    teacher_norm : Tensor of shape (n,)
        Length of the teacher's embedding of each row.
    direction : Tensor of shape (n, n_features)
        Row of length 1: where the teacher sees the class of each row.

    Returns
    -------
    Tensor of shape (n,)
        From 0 to 2: 1 for a student of zeros, 0 for one of the right direction that is at
        least as long as its teacher.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import norm_direction
    >>> s, c = torch.tensor([[1.0, 0.0], [4.0, 0.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> norm_direction(s, torch.tensor([2.0, 2.0]), c)
    tensor([0.5000, 0.0000])
    """
    length = torch.maximum(student.norm(dim=1), teacher_norm.to(student)).clamp_min(1e-12)
    return 1 - (student * direction.to(student)).sum(dim=1) / length


def class_directions(
    embedding: Tensor, target: Tensor, n_classes: int, *, weight: Tensor | None = None
) -> Tensor:
    """Return the direction of the mean of each class.

    Parameters
    ----------
    embedding : Tensor of shape (n, n_features)
        Rows.
    target : Tensor of int64, shape (n,)
        Class of each row.
    n_classes : int
        Classes.
    weight : Tensor of shape (n,), default=None
        Of rows.

    Returns
    -------
    Tensor of shape (n_classes, n_features)
        Rows of length 1; zeros for a class without rows.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses.functional import class_directions
    >>> class_directions(torch.tensor([[3.0, 0.0], [0.0, 3.0]]), torch.tensor([1, 1]), 2)
    tensor([[0.0000, 0.0000],
            [0.7071, 0.7071]])
    """
    v = torch.ones_like(embedding[:, 0]) if weight is None else weight.to(embedding)
    sums = embedding.new_zeros(n_classes, embedding.shape[1])
    return unit_rows(sums.index_add(0, target, v[:, None] * embedding))
