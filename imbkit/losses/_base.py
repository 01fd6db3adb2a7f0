"""The protocol of a loss: what it serves, what it needs, and its value for each row."""

import inspect
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from imbkit._core.messages import listing, message
from imbkit._core.types import FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats, Task

__all__ = ["NEEDS", "BaseLoss", "Configured", "Level", "Link", "known_labels", "reduced"]

Level: TypeAlias = Literal["sample", "element", "batch"]
Link: TypeAlias = Literal["softmax", "sigmoid", "cosine", "score"]

NEEDS: Final[Mapping[str, str]] = {
    "counts": "the class counts of the training rows: call setup(ClassStats.from_labels(y)) first",
    "embedding": "the embedding of each row: let the module return (logits, embedding)",
    "head": "the weights of the last layer: give the module a method head_weight()",
    "index": "the position of each row in the training part: pass index=",
    "group": "the group of each row: pass group=",
    "time": "times and events: pass time= and event=",
    "model": "the model, to pass rows through it again: pass model= and inputs=",
    "teacher": "outputs of a teacher: pass teacher_logits= or teacher_embedding=",
    "pairs": "batches with rows of more than one class: use a sampler that balances classes",
    "epoch": "the number of the epoch, which a net passes on",
    "n_train": "the number of training rows: call setup first",
    "memory": "to see all batches of a fit: its buffers are reset by setup",
    "learnable": "an optimizer for parameters of its own",
    "cosine_head": "a head that gives cosines: head='cosine'",
}
"""What a loss may declare as a need, and who serves it."""

# Fields of a batch without which a need is not served.
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "embedding": ("embedding",),
    "head": ("head_weight",),
    "index": ("index",),
    "group": ("group",),
    "time": ("time", "event"),
    "model": ("model", "inputs"),
}
_HALVES = (torch.float16, torch.bfloat16)


class Configured(nn.Module):
    """A module whose parameters stand under their names, as the constructor took them."""

    #: Looked for by the catalogue: a class with this mark is a method, and carries a card.
    _is_method: ClassVar[bool] = True
    #: Its names in ``get_loss``, the first being the usual one.
    names: ClassVar[tuple[str, ...]] = ()
    #: What must be there for it to work; names of `NEEDS`.
    needs: frozenset[str] = frozenset()

    stats: ClassStats | None = None

    def __init__(self) -> None:
        super().__init__()  # without this a class of no parameters would seem to take any

    def setup(self, stats: ClassStats) -> None:
        """Take the counts of the training rows, and forget all batches seen.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        self.stats = stats

    def see(self, inputs: FloatArray) -> None:
        """Look at the training rows, once after ``setup``; most have no use for them.

        Parameters
        ----------
        inputs : ndarray of shape (n_train, n_features)
            The training part, as the module is given it.
        """

    def extra_repr(self) -> str:
        """Return the parameters, as they were given.

        Returns
        -------
        str
            Name and value of each.
        """
        shown = []
        for name in inspect.signature(type(self)).parameters:
            value = getattr(self, name, None)
            if not isinstance(value, nn.Module):
                shown.append(f"{name}={value!r}")
        return ", ".join(shown)

    def _counted(self) -> ClassStats:
        """Return the counts, or complain that there are none."""
        if self.stats is None:
            rule = f"needs {NEEDS['counts']}"
            raise InvalidParameterError(message(type(self).__name__, rule))
        return self.stats

    def _keep(self, name: str, values: ArrayLike | Tensor) -> None:
        """Set a buffer, in float64 wherever there is such a thing."""
        device = next((each.device for each in self.buffers()), torch.device("cpu"))
        dtype = torch.float32 if device.type == "mps" else torch.float64
        array = values if isinstance(values, Tensor) else torch.as_tensor(np.asarray(values))
        self.register_buffer(name, array.to(device=device, dtype=dtype).clone())


class BaseLoss(Configured):
    """What every loss answers; only `per_item` must be written.

    A loss holds parameters, and from ``setup`` on what it needs of the training rows. Call it
    as any loss of torch, ``loss(logits, target)``, with what else it needs by name. A net calls
    ``setup`` once, after the validation rows were taken away, then `value` with every batch,
    and ``project`` after every step of the optimizer.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import BaseLoss, functional
    >>> class SquaredLoss(BaseLoss):
    ...     def per_item(self, batch):
    ...         return functional.cross_entropy(batch.logits, batch.target) ** 2
    >>> SquaredLoss()(torch.zeros(3, 2), torch.tensor([0, 1, 1]))
    tensor(0.4805)
    """

    #: Targets that it serves.
    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass"})
    #: What `per_item` gives: (n,), (n, n_labels) or a single number.
    level: ClassVar[Level] = "sample"
    #: What the module's outputs are, which decides how they become probabilities.
    link: Link = "softmax"
    #: Whether it looks at the outputs; one of embeddings alone cannot teach a last layer.
    of_outputs: bool = True

    @abstractmethod
    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row, of each label of each row, or of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,), (n, n_labels) or ()
            Not reduced; without sample weights, unless the batch is what counts.
        """

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return what stands in for the loss where nothing is learned.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,), (n, n_labels) or ()
            Without random numbers, and without a change of any buffer.
        """
        return self.per_item(batch)

    def forward(self, logits: Tensor, target: Tensor, **given: Any) -> Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        logits : Tensor of shape (n, n_classes), (n, n_labels) or (n,)
            Outputs of the module. Of two classes one score a row will do: the log-odds of the
            second.
        target : Tensor of shape (n,) or (n, n_labels)
            Class positions, labels or numbers.
        **given : object
            Further fields of :class:`LossContext`, such as `sample_weight` or `embedding`.

        Returns
        -------
        Tensor of shape ()
            The mean over rows, weighted by `sample_weight`.

        Raises
        ------
        InvalidParameterError
            If something that the loss needs is missing.
        DataError
            If the shapes do not fit, or class positions are no integers.
        """
        given.setdefault("training", self.training)
        return self.value(LossContext(logits, target, **given))

    def value(self, batch: LossContext) -> Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            The mean over rows, weighted by their sample weights.
        """
        batch = self.checked(batch)
        items = self.per_item(batch) if batch.training else self.eval_item(batch)
        return reduced(items, batch.sample_weight)

    def project(self) -> None:
        """Bring parameters of its own back to where they are permitted, after a step."""

    def induced_prior(self, stats: ClassStats) -> FloatArray:
        """Return the class shares that the softmax of the outputs is made for.

        Parameters
        ----------
        stats : ClassStats
            Counts, and the class shares of the batches.

        Returns
        -------
        ndarray of shape (n_classes,)
            Shares that sum to one: those of the batches, unless the loss itself corrects them.
        """
        return stats.effective_priors

    def checked(self, batch: LossContext) -> LossContext:
        """Return the batch as the loss can use it, or complain.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        LossContext
            Numbers of half precision have become float32.
        """
        who = type(self).__name__
        for need in sorted(self.needs):
            fields = _FIELDS.get(need, ()) if batch.training or need != "index" else ()
            gone = [each for each in fields if getattr(batch, each) is None]
            if gone:
                raise InvalidParameterError(message(who, f"needs {NEEDS[need]}"))
        if "counts" in self.needs:
            self._counted()
        if "teacher" in self.needs and not (
            batch.teacher_logits or batch.teacher_embedding is not None
        ):
            raise InvalidParameterError(message(who, f"needs {NEEDS['teacher']}"))
        _check_shapes(batch, self)
        wide = {
            name: value.float()
            for name in ("logits", "embedding", "head_weight", "head_bias")
            if (value := getattr(batch, name)) is not None and value.dtype in _HALVES
        }
        return batch.changed(**wide) if wide else batch

    def _without_weights(self, batch: LossContext) -> None:
        """Say that a loss of whole batches does not know sample weights."""
        if batch.sample_weight is not None:
            rule = "a loss of whole batches has no weights of rows"
            todo = "They are left out; use a loss of single rows"
            warn(message(type(self).__name__, rule, "sample_weight", todo), ImbkitWarning)


def known_labels(target: Tensor) -> Tensor:
    """Mark the labels that are known: neither NaN nor negative."""
    return target >= 0  # not of NaN either


def reduced(items: Tensor, sample_weight: Tensor | None = None) -> Tensor:
    """Return the weighted mean over rows of what `per_item` gives.

    Parameters
    ----------
    items : Tensor of shape (n,), (n, n_labels) or ()
        Labels are summed within a row; a single number stays as it is.
    sample_weight : Tensor of shape (n,), default=None
        Non-negative weights; if all are 0, so is the loss.
    """
    if items.ndim == 0:
        return items
    rows = items.sum(dim=1) if items.ndim == 2 else items
    if sample_weight is None:
        return rows.mean()
    v = sample_weight.to(rows)
    return (v * rows).sum() / v.sum().clamp_min(torch.finfo(rows.dtype).tiny)


def _check_shapes(batch: LossContext, loss: BaseLoss) -> None:
    """Refuse targets that do not belong to the logits."""
    z, y, who = batch.logits, batch.target, type(loss).__name__
    got = f"logits of shape {tuple(z.shape)} and a target of shape {tuple(y.shape)}"
    if len(z) != len(y) or z.ndim > 2 or y.ndim > 2:
        raise DataError(message(who, "the target must have a row for each row of logits", got))
    of_classes = not loss.tasks & {"survival", "aggregate"}
    if y.ndim == 2 and of_classes and "multilabel" not in loss.tasks:
        raise DataError(message(who, "the target must hold one class position a row", got))
    if ((y.ndim == 2 and of_classes) or loss.level == "element") and z.shape != y.shape:
        raise DataError(message(who, "the target must have a label for each logit", got))
    # One score a row may go with labels as torch has them, which are numbers.
    labels = "multilabel" in loss.tasks and loss.link in ("sigmoid", "score")
    positions = (z.ndim == 2 or not labels) if of_classes else z.ndim == 2 and z.shape[1] > 2
    if positions and y.ndim == 1 and (y.is_floating_point() or y.dtype == torch.bool):
        rule = "the target must hold class positions of type int64"
        todo = "Encode classes by numpy.unique(y, return_inverse=True)"
        raise DataError(message(who, rule, f"type {listing([str(y.dtype)])}", todo))
