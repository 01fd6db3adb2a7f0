"""A loss of two classes for many: each class against all others."""

import copy

import numpy as np
import torch
from torch import Tensor, nn

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss, Configured
from imbkit.losses._combination import Combination, loss_or_complain
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats

__all__ = ["OneVsRest"]


class OneVsRest(Combination):
    """A loss of two classes, or of labels, taken for each class against all others.

    Choose it to use a loss for many classes that is made for two, such as `AUCMarginLoss`,
    `AnyLoss` or `EnsLoss`. Each output becomes the log-odds, or the score, of its class against
    the rest: probabilities are those of the single classes, and must be made to sum to one.

    Parameters
    ----------
    loss : BaseLoss
        A loss that serves two classes or several labels. Each class has a copy of its own, with
        its own counts and memory; a loss of labels is taken as it is.

    See Also
    --------
    CrossEntropyLoss : One softmax for all classes, the usual choice.

    Notes
    -----
    Losses of rows are summed over classes, as those of labels are; losses of batches are averaged
    over the classes that the batch holds, unless the loss knows of labels and has a rule of its
    own. One score a row counts for the second of two classes, and its negative for the first.
    Copies are made by ``setup``; before it one serves all classes.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import FocalLoss, OneVsRest
    >>> loss = OneVsRest(FocalLoss(gamma=0.0))
    >>> loss(torch.zeros(4, 3), torch.tensor([0, 0, 1, 2])) / torch.tensor(2.0).log()
    tensor(3.)
    """

    card = Card()
    names = ("one_vs_rest", "ovr")
    tasks = frozenset({"binary", "multiclass"})

    def __init__(self, loss: BaseLoss) -> None:
        super().__init__()
        who = "OneVsRest"
        self.loss = loss_or_complain(loss, who, "loss")
        if not loss.tasks & {"binary", "multilabel"}:
            rule = "loss must serve two classes or several labels"
            got = f"{type(loss).__name__} for {sorted(loss.tasks)}"
            raise InvalidParameterError(message(who, rule, got))
        self.by_label = "multilabel" in loss.tasks
        self.each = nn.ModuleList()
        # A copy for each class is made by setup, which must not be forgotten then.
        own = loss.needs & {"memory", "n_train", "learnable"}
        self.needs = loss.needs | ({"counts"} if own else frozenset())
        self.link = "score" if loss.link == "score" else "sigmoid"
        self.level = "batch" if loss.level == "batch" else "sample"  # type: ignore[misc]

    def _main(self) -> BaseLoss:
        """Return the loss."""
        return self.loss

    def setup(self, stats: ClassStats) -> None:
        """Count each class against the rest.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        Configured.setup(self, stats)
        self.each = nn.ModuleList()
        if self.by_label:
            self.loss.setup(_as_labels(stats))
            return
        for k in range(stats.n_classes):
            copied = copy.deepcopy(self.loss)
            copied.setup(_against_rest(stats, k))
            self.each.append(copied)

    def induced_prior(self, stats: ClassStats) -> FloatArray:
        """Return the class shares that the outputs are made for.

        Parameters
        ----------
        stats : ClassStats
            Counts, and the class shares of the batches.

        Returns
        -------
        ndarray of shape (n_classes,)
            Those of each class against the rest, made to sum to one.
        """
        if self.by_label:
            shares = self.loss.induced_prior(_as_labels(stats))
        else:
            every = range(stats.n_classes)
            each = [self.loss.induced_prior(_against_rest(stats, k)) for k in every]
            shares = np.stack(each)[:, 1]
        return np.asarray(shares / shares.sum())

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the sum over classes of the losses of each row, or the mean over classes.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or ()
            A single number for a loss of whole batches.
        """
        return self._over_classes(batch, "per_item")

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the same of what stands in for the loss where nothing is learned.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or ()
            A single number for a loss of whole batches.
        """
        return self._over_classes(batch, "eval_item")

    def _over_classes(self, batch: LossContext, method: str) -> Tensor:
        """Return the losses that a method gives, over all classes."""
        z = batch.logits
        if z.ndim == 1:  # what speaks for the second of two classes speaks against the first
            z = torch.stack([-z, z], dim=1)
        hot = torch.nn.functional.one_hot(batch.target, z.shape[1])
        batch = batch.changed(logits=z, target=hot)
        if self.by_label:
            items: Tensor = getattr(self.loss, method)(batch)
            return items.sum(dim=1) if items.ndim == 2 else items
        found = []
        for k in range(z.shape[1]):
            single = self.each[k] if len(self.each) else self.loss
            found.append(getattr(single, method)(_problem(batch, k)))
        items = torch.stack(found)
        if items.ndim > 1:
            return items.sum(dim=0)
        present = hot.any(dim=0).to(items)
        return (items * present).sum() / present.sum()


def _problem(batch: LossContext, k: int) -> LossContext:
    """Return the batch as a class sees it: its own score, and labels 0 and 1."""
    changes = {"logits": batch.logits[:, k], "target": batch.target[:, k]}
    for name in ("head_weight", "head_bias"):
        value = getattr(batch, name)
        if value is not None and len(value) == batch.logits.shape[1]:
            changes[name] = value[k : k + 1]
    return batch.changed(**changes)


def _against_rest(stats: ClassStats, k: int) -> ClassStats:
    """Return the counts of a class against all others."""
    own, share = float(stats.counts[k]), float(stats.effective_priors[k])
    return ClassStats(
        np.array([stats.n_samples - own, own]),
        stats.n_samples,
        "binary",
        embedding_dim=stats.embedding_dim,
        effective_priors=np.array([1.0 - share, share]),
    )


def _as_labels(stats: ClassStats) -> ClassStats:
    """Return the counts of classes as labels, of which each row has one."""
    return ClassStats(
        stats.counts,
        stats.n_samples,
        "multilabel",
        cooccurrence=np.diag(stats.counts),
        embedding_dim=stats.embedding_dim,
        effective_priors=stats.effective_priors,
    )
