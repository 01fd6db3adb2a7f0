"""ALDR-KL: the worst mix of margin violations, with a temperature for each row."""

import numpy as np
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import DataError
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._ldr_kl import ROW_SCALES
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import adapted_temperature, aldr_kl, columns_of, row_scaled
from imbkit.losses.functional._ldr import RowScale

__all__ = ["ALDRKLLoss"]

_STEPS = 5


class ALDRKLLoss(BaseLoss):
    """Margin violations of the other classes, at a temperature that each row finds for itself.

    Choose it over :class:`LDRKLLoss` where some labels are wrong and most are not: rows whose
    classes the model cannot tell apart keep the large temperature `lam0`, which is robust, and
    clear ones get a smaller one. It knows nothing of the classes' frequencies: combine it with
    class weights or a sampler where one is rare. Its logits have no common temperature: `scale`
    is that of the largest, whose probabilities are on the cautious side; calibrate them.

    Parameters
    ----------
    lam0 : float, default=1.0
        The largest temperature, 1e-6 or more.
    alpha : float, default=2.0
        What leaving it costs, above 1; temperatures are ``lam0 (1 - 1 / alpha)`` at least.
    c : float, default=0.1
        Margin by which the own class should lead, 0 or more.
    normalize : {None, "softplus_mean", "abs_mean"}, default=None
        As of :class:`LDRKLLoss`.
    memory : bool, default=True
        Whether temperatures are kept for each training row, with one step at every visit; or
        found anew in five steps.

    Attributes
    ----------
    scale : float
        What logits are multiplied by for probabilities: ``1 / lam0``, or 1 with `normalize`.

    See Also
    --------
    LDRKLLoss : One temperature for all rows.

    Notes
    -----
    The largest lam log mean_k exp(d_k / lam) - alpha log(K) (lam - lam0)^2 / (2 lam0) over lam,
    with d_k = z_k - z_y + c for the other classes and d_y = 0. It lies where
    lam = lam0 (1 - KL(q || 1/K) / (alpha log K)) for q = softmax(d / lam), and that is the step,
    through which no gradient flows. Where nothing is learned, five steps are made and nothing
    is kept. A `memory` needs the position of each row in the training part (`index`).

    Different from the paper: the default of `lam0`. Different from the authors' code: q has the
    margin c in it, without which the step does not lead to the maximum.

    References
    ----------
    D. Zhu, Y. Ying, T. Yang, "Label distributionally robust losses for multi-class
    classification: consistency, robustness and adaptivity", ICML, 2023,
    doi:10.48550/arXiv.2112.14869.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ALDRKLLoss
    >>> z, y = torch.tensor([[2.0, 1.0, -1.0]]), torch.tensor([1])
    >>> ALDRKLLoss(lam0=10.0, memory=False)(z, y)
    tensor(-0.1909)
    """

    card = Card(
        paper="Zhu et al. (2023), doi:10.48550/arXiv.2112.14869",
        cases=({}, {"memory": False}, {"lam0": 10.0, "normalize": "abs_mean"}),
    )
    names = ("aldr_kl",)

    lam: Tensor

    def __init__(
        self,
        lam0: float = 1.0,
        alpha: float = 2.0,
        c: float = 0.1,
        normalize: RowScale = None,
        memory: bool = True,
    ) -> None:
        super().__init__()
        who = "ALDRKLLoss"
        self.lam0 = check_number(lam0, who, "lam0", low=1e-6)
        self.alpha = check_number(alpha, who, "alpha", low=1.0, open_low=True)
        self.c = check_number(c, who, "c", low=0.0)
        self.normalize = check_choice(normalize, ROW_SCALES, who, "normalize")
        self.memory = check_choice(memory, (True, False), who, "memory")
        self.scale = 1.0 / self.lam0 if normalize is None else 1.0
        self.needs = frozenset({"index", "n_train", "memory"} if memory else ())

    def setup(self, stats: ClassStats) -> None:
        """Begin with the largest temperature for every row.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        if self.memory:
            self._keep("lam", np.full(stats.n_samples, self.lam0))

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row, and remember its temperature.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least -lam0 log(n_classes).
        """
        if not (self.memory and batch.training):
            return self.eval_item(batch)
        index = self._positions(batch)
        z = self._scaled(batch)
        lam = self._adapted(z, batch.target, self.lam[index], 1)
        self.lam[index] = lam.to(self.lam)
        return aldr_kl(z, batch.target, lam, lam0=self.lam0, alpha=self.alpha, c=self.c)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row at temperatures found for this batch alone.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least -lam0 log(n_classes).
        """
        z = self._scaled(batch)
        lam = self._adapted(z, batch.target, z.new_full((len(z),), self.lam0), _STEPS)
        return aldr_kl(z, batch.target, lam, lam0=self.lam0, alpha=self.alpha, c=self.c)

    def _scaled(self, batch: LossContext) -> Tensor:
        """Return logits with a column for each class, normalised."""
        return row_scaled(columns_of(batch.logits), self.normalize)

    def _adapted(self, z: Tensor, target: Tensor, lam: Tensor, steps: int) -> Tensor:
        """Return temperatures some steps further."""
        return adapted_temperature(
            z, target, lam, lam0=self.lam0, alpha=self.alpha, c=self.c, steps=steps
        )

    def _positions(self, batch: LossContext) -> Tensor:
        """Return the positions of the rows in the training part, or complain."""
        index: Tensor = batch.index  # type: ignore[assignment]
        n_train = self._counted().n_samples
        if len(index) and not (index.min() >= 0 and index.max() < n_train):
            rule = f"index must be from 0 to {n_train - 1}, as setup saw {n_train} rows"
            raise DataError(message("ALDRKLLoss", rule, int(index.max())))
        return index
