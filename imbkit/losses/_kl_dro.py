"""Weights for the worst case: rows, or classes, of large loss count more."""

import math
from typing import Literal

import torch
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import DataError
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._reweighting import BaseReweighter
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import kl_dro_value, kl_dro_weights

__all__ = ["KLDRO"]

_MOST = 80.0  # the logarithm of a weight that float32 can hold


class KLDRO(BaseReweighter):
    """Weights of the worst mix of rows, or of classes, that is not too far from the real one.

    Choose it where the rows that must not fail are few and nobody knows which they are; with
    ``unit="class"`` for the class that is learned worst at any time, rare or not. Mislabelled
    rows are bad rows, too, and get the largest weights: raise the temperature, or take
    `LossBased`. Probabilities are drawn towards the middle: calibrate.

    Parameters
    ----------
    temperature : float, default=1.0
        The price of uneven weights, above 0: all are 1 where it is large, and near 0 the row of
        the largest loss has them all.
    unit : {"row", "class"}, default="row"
        What has a share of the weight: a row; or a class of the batch, by its mean loss, whose
        rows share alike. With a large temperature classes then count the same.
    momentum : float, default=None
        Share of each batch in a running mean, between 0 and 1, that a loss is held against. None
        holds it against the losses of its own batch, which is biased where batches are small.

    See Also
    --------
    functional.kl_dro_value : What the weighted loss stands for.
    Adversarial : Worst inputs; both together make a loss robust twice.

    Notes
    -----
    The weights w that maximise the sum of w l - temperature KL(w || 1/n), times n: softmax of l /
    temperature. With a running mean u of exp(l / temperature) they are exp(l / temperature) / u.
    Their gradient is that of ``kl_dro_value``. Losses are seen with class weights where there are
    any. Of several labels a row the sum of its losses counts.

    Different from the paper: it takes the worst weights of losses at worst inputs in a bilevel
    problem with a log-barrier; here one step is exact, and inputs are for `Adversarial` to find.
    Classes as units, the default temperature and sample weights are ours.

    References
    ----------
    D. Sow, S. Lin, Z. Wang, Y. Liang, "Doubly robust instance-reweighted adversarial training",
    ICLR, 2024, doi:10.48550/arXiv.2308.00311.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import KLDRO, LossContext
    >>> batch = LossContext(torch.zeros(3, 2), torch.tensor([0, 1, 1]))
    >>> KLDRO().weights(batch, torch.tensor([0.0, 0.0, 1.0]))
    tensor([0.6358, 0.6358, 1.7284])
    """

    card = Card(
        paper="Sow et al. (2024), doi:10.48550/arXiv.2308.00311",
        cases=({}, {"temperature": 0.5, "momentum": 0.1}),
    )
    names = ("kl_dro",)
    of_losses = True

    log_mean: Tensor

    def __init__(
        self,
        temperature: float = 1.0,
        unit: Literal["row", "class"] = "row",
        momentum: float | None = None,
    ) -> None:
        super().__init__()
        who = "KLDRO"
        self.temperature = check_number(temperature, who, "temperature", low=0.0, open_low=True)
        self.unit = check_choice(unit, ("row", "class"), who, "unit")
        self.momentum = check_number(
            momentum, who, "momentum", low=0.0, high=1.0, open_low=True, none=True
        )
        if self.momentum is not None:
            self.needs = frozenset({"memory"})
            self._keep("log_mean", -math.inf)  # of exp(l / temperature): nothing was seen

    def setup(self, stats: ClassStats) -> None:
        """Forget the losses of earlier batches.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        if self.momentum is not None:
            self._keep("log_mean", -math.inf)

    def weights(self, batch: LossContext, items: Tensor) -> Tensor:
        """Return the weight of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.
        items : Tensor of shape (n,) or (n, n_labels)
            Losses.

        Returns
        -------
        Tensor of shape (n,)
            Weights.

        Raises
        ------
        DataError
            If the units are classes and rows have several labels.
        """
        rows = items.sum(dim=1) if items.ndim == 2 else items
        if self.unit == "row":
            return self._tilted(rows, batch.sample_weight, batch.training)
        y = batch.target
        if y.ndim == 2:
            rule = "unit='class' is for targets of one class a row"
            got = f"a target of shape {tuple(y.shape)}"
            raise DataError(message("KLDRO", rule, got, "Use unit='row'"))
        n_classes = 2 if batch.logits.ndim == 1 else batch.logits.shape[1]
        v = torch.ones_like(rows) if batch.sample_weight is None else batch.sample_weight.to(rows)
        v = torch.where(v.sum() > 0, v, 1.0)
        mass = torch.zeros(n_classes, dtype=rows.dtype, device=rows.device).index_add(0, y, v)
        present = mass > 0
        mass = torch.where(present, mass, 1.0)
        means = torch.zeros_like(mass).index_add(0, y, v * rows) / mass
        factors = self._tilted(means, present.to(rows), batch.training)
        return (factors * present * v.sum() / (mass * present.sum()))[y]

    def _tilted(self, losses: Tensor, v: Tensor | None, training: bool) -> Tensor:
        """Return exp(loss / temperature), divided by its mean or by the running one."""
        if self.momentum is None:
            return kl_dro_weights(losses, temperature=self.temperature, sample_weight=v)
        wide = losses.detach().to(self.log_mean.dtype)
        now = kl_dro_value(wide, temperature=self.temperature, sample_weight=v) / self.temperature
        seen = self.log_mean.to(now.device)
        if training:
            kept = math.log1p(-self.momentum) if self.momentum < 1 else -math.inf
            both = torch.logaddexp(seen + kept, now + math.log(self.momentum))
            seen = torch.where(torch.isneginf(seen), now, both)
            self.log_mean = seen.to(self.log_mean.device)
        seen = torch.where(torch.isneginf(seen), now, seen)
        # A batch that the mean does not hold may lie far above it.
        found = torch.exp((wide / self.temperature - seen).clamp_max(_MOST))
        return (found if v is None else found.masked_fill(v.to(found.device) <= 0, 0.0)).to(losses)
