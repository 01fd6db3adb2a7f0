"""LDR-KL: the worst mix of margin violations near the even one."""

from typing import Final

from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import columns_of, ldr_kl, row_scaled
from imbkit.losses.functional._ldr import RowScale

__all__ = ["ROW_SCALES", "LDRKLLoss"]

ROW_SCALES: Final[tuple[RowScale, ...]] = (None, "softplus_mean", "abs_mean")


class LDRKLLoss(BaseLoss):
    """Margin violations of the other classes, between their mean and their maximum.

    Choose it where labels are wrong and there are several classes: a large `lam` makes the loss
    nearly linear, so that no row can pull without end. It knows nothing of the classes'
    frequencies: combine it with class weights or a sampler where one is rare. Its logits are
    larger than cross-entropy's by `lam`; `scale` leads probabilities back, up to the margin.

    Parameters
    ----------
    lam : float, default=1.0
        Temperature, 1e-6 or more: 1 is cross-entropy, small ones give the largest violation
        (Crammer and Singer's loss), large ones the mean of all.
    c : float, default=0.1
        Margin by which the own class should lead, 0 or more.
    normalize : {None, "softplus_mean", "abs_mean"}, default=None
        Whether logits are made positive by softplus and divided by their mean in the row, or
        divided by the mean of their size. Either bounds them: use it with `lam` of 1 or more.

    Attributes
    ----------
    scale : float
        What logits are multiplied by for probabilities: ``1 / lam``, or 1 with `normalize`.

    See Also
    --------
    ALDRKLLoss : A temperature for each row.
    CompSumLoss : Another family for labels that may be wrong.

    Notes
    -----
    lam log mean_k exp(d_k / lam), where d_k = z_k - z_y + c for the other classes and d_y = 0.
    It equals the largest sum of q_k d_k - lam KL(q || 1/K) over shares q of the K classes. For
    ``c=0`` it is lam (CE(z / lam) - log K), and can be below 0 as cross-entropy less log K can.
    The authors' published experiments use ``lam=10, c=0.1, normalize="softplus_mean"``.

    Different from the paper: the defaults of `lam` and `normalize`.

    References
    ----------
    D. Zhu, Y. Ying, T. Yang, "Label distributionally robust losses for multi-class
    classification: consistency, robustness and adaptivity", ICML, 2023,
    doi:10.48550/arXiv.2112.14869.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import LDRKLLoss
    >>> z, y = torch.tensor([[2.0, 1.0, -1.0]]), torch.tensor([1])
    >>> LDRKLLoss(lam=1e-6, c=0.0)(z, y)  # the largest lead of another class
    tensor(1.0000)
    """

    card = Card(
        paper="Zhu et al. (2023), doi:10.48550/arXiv.2112.14869",
        cases=({}, {"lam": 10.0, "normalize": "softplus_mean"}, {"c": 0.0}),
    )
    names = ("ldr_kl",)

    def __init__(self, lam: float = 1.0, c: float = 0.1, normalize: RowScale = None) -> None:
        super().__init__()
        who = "LDRKLLoss"
        self.lam = check_number(lam, who, "lam", low=1e-6)
        self.c = check_number(c, who, "c", low=0.0)
        self.normalize = check_choice(normalize, ROW_SCALES, who, "normalize")
        self.scale = 1.0 / self.lam if normalize is None else 1.0

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least -lam log(n_classes).
        """
        z = row_scaled(columns_of(batch.logits), self.normalize)
        return ldr_kl(z, batch.target, lam=self.lam, c=self.c)
