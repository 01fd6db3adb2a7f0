"""Search for the nearby inputs that a loss likes least."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import NEEDS
from imbkit.losses._context import LossContext
from imbkit.losses.functional import unit_rows

__all__ = ["Norm", "passed_again", "worst_inputs"]

Norm: TypeAlias = Literal["linf", "l2"]

_WHO = "Adversarial inputs"  # several losses look for them
_HALVES = (torch.float16, torch.bfloat16)


def worst_inputs(
    batch: LossContext,
    objective: Callable[[LossContext], Tensor],
    *,
    eps: float,
    steps: int,
    norm: Norm = "linf",
    step: float | None = None,
    columns: Sequence[int] | None = None,
    start: Tensor | None = None,
) -> Any:
    """Return inputs near those of a batch with a large objective, by projected gradient steps.

    The model is in evaluation mode meanwhile and its parameters gather no gradient, so that
    running statistics, dropout and the optimizer know nothing of it.

    Parameters
    ----------
    batch : LossContext
        The batch, with `model` and `inputs`.
    objective : callable
        Of the batch with other inputs, logits and embedding, not in training: a number for each
        row, of which it looks at no other, or one for all.
    eps : float
        How far a row may move.
    steps : int
        Steps, at least 1.
    norm : {"linf", "l2"}, default="linf"
        What is at most eps: each column's change, or the length of the row's.
    step : float, default=None
        Length of a step; None for ``2.5 * eps / steps``.
    columns : sequence of int, default=None
        Columns that may change; None for all.
    start : Tensor, default=None
        The first change, of the shape of the inputs; None for none.

    Returns
    -------
    Tensor or dict of str to Tensor
        As the inputs, without a gradient.
    """
    clean = _rows_of(batch)
    length = 2.5 * eps / steps if step is None else step
    free = torch.ones_like(clean)
    if columns is not None:
        free = torch.zeros_like(clean)
        free[..., _checked_columns(columns, clean.shape[-1])] = 1.0
    moved = torch.zeros_like(clean) if start is None else start.detach().to(clean)
    moved = _shrunk(moved * free, eps, norm)
    with torch.enable_grad(), _held(batch.model):
        for _ in range(steps):
            at = (clean + moved).requires_grad_()
            tried = passed_again(batch.changed(training=False), _as_given(batch, at))
            value = objective(tried).sum()
            if not value.requires_grad:
                rule = "the model must hand gradients on to its inputs"
                raise InvalidParameterError(message(_WHO, rule))
            (gradient,) = torch.autograd.grad(value, at, allow_unused=True)
            if gradient is None:
                gradient = torch.zeros_like(clean)
            moved = _shrunk(moved + length * _direction(gradient * free, norm), eps, norm)
    return _as_given(batch, (clean + moved).detach())


def passed_again(batch: LossContext, inputs: Any) -> LossContext:
    """Return the batch with other inputs, and with what the model makes of them.

    Parameters
    ----------
    batch : LossContext
        The batch, with `model`.
    inputs : Tensor or mapping of str to Tensor
        What the model is called with.

    Returns
    -------
    LossContext
        With their logits, and their embedding if the model returns one.
    """
    if batch.model is None:
        raise InvalidParameterError(message(_WHO, f"needs {NEEDS['model']}"))
    found = batch.model(inputs)
    logits, embedding = found[:2] if isinstance(found, tuple | list) else (found, None)
    if logits.dtype in _HALVES:
        logits = logits.float()
    logits = logits.reshape(batch.logits.shape)
    return batch.changed(inputs=inputs, logits=logits, embedding=embedding)


def _checked_columns(columns: Sequence[int], width: int) -> list[int]:
    """Return positions of columns, or say that there are none such."""
    if not all(-width <= each < width for each in columns):
        rule = f"columns must be positions of the {width} columns of the inputs"
        raise InvalidParameterError(message(_WHO, rule, list(columns)))
    return list(columns)


def _rows_of(batch: LossContext) -> Tensor:
    """Return the numbers among the inputs."""
    inputs = batch.inputs
    rows = inputs.get("X") if isinstance(inputs, Mapping) else inputs
    if not isinstance(rows, Tensor) or not rows.is_floating_point():
        rule = "inputs must be a tensor of floats, or a mapping with one under 'X'"
        got = type(inputs).__name__ if rows is None else str(getattr(rows, "dtype", type(rows)))
        raise InvalidParameterError(message(_WHO, rule, got))
    return rows.detach()


def _as_given(batch: LossContext, rows: Tensor) -> Any:
    """Return rows in the place of those of the batch."""
    return {**batch.inputs, "X": rows} if isinstance(batch.inputs, Mapping) else rows


def _direction(gradient: Tensor, norm: Norm) -> Tensor:
    """Return the steepest step of length 1."""
    if norm == "linf":
        return gradient.sign()
    along: Tensor = unit_rows(gradient.flatten(1)).view_as(gradient)
    return along


def _shrunk(moved: Tensor, eps: float, norm: Norm) -> Tensor:
    """Return changes that are no longer than permitted."""
    if norm == "linf":
        return moved.clamp(-eps, eps)
    flat = moved.flatten(1)
    longest = flat.norm(dim=1, keepdim=True).clamp_min(eps)
    short: Tensor = (flat * (eps / longest)).view_as(moved)
    return short


@contextmanager
def _held(model: Any) -> Iterator[None]:
    """Keep a model in evaluation mode, and gradients from its parameters; then as before."""
    owner = model if isinstance(model, nn.Module) else getattr(model, "__self__", None)
    if not isinstance(owner, nn.Module):
        yield
        return
    modes = [(each, each.training) for each in owner.modules()]
    wanted = [(each, each.requires_grad) for each in owner.parameters()]
    try:
        owner.eval()
        for parameter, _ in wanted:
            parameter.requires_grad_(False)
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter, want in wanted:
            parameter.requires_grad_(want)
