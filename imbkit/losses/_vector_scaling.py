"""Vector scaling: logits are divided as well as moved by class."""

import numpy as np
from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit._core.types import FloatArray
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._logit_adjusted import check_kind, log_shares, shares_of
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import binary_vector_scaling, cross_entropy, vector_scaling

__all__ = ["VectorScalingLoss"]


class VectorScalingLoss(BaseLoss):
    """Logit adjustment that also divides the logits of rare classes while it learns.

    Choose it over :class:`LogitAdjustedLoss` for a net that fits its training rows without a
    mistake: a shift of logits is then outgrown, a factor is not. The label with the largest
    logit is the prediction; its softmax is **no** posterior for any class shares unless `gamma`
    is 0, so calibrate it where probabilities matter.

    Parameters
    ----------
    gamma : float, default=0.3
        Power of (rows of the largest class / rows of a class), by which logits are divided; 0 or
        more: 0 is logit adjustment.
    tau : float, default=1.0
        What the log shares are multiplied by, 0 or more.
    scale : float, default=1.0
        What logits are multiplied by, above 0. More than 1 (30, say) is for a head whose outputs
        are cosines, and needs one.

    See Also
    --------
    LogitAdjustedLoss : Without the factors, and with probabilities that can be led back.
    LDAMLoss : Margins instead of factors.

    Notes
    -----
    -log softmax(scale z_k / D_k + tau log pi_k)_y with D_k = (n_max / n_k)^gamma. The shares pi
    are those of the batches (equal ones with a sampler that balances classes), the counts n
    those of the table. A class without rows counts as one row in D and half a row in pi.

    Of a single score a row, the log-odds s of the second class, a row is divided by what its
    own class asks for: log(1 + exp(-+(scale s / D_y + tau log(pi_1 / pi_0)))). This is not what
    two columns give: with 0 as the first column all rows would be divided by the same number.
    Different from the authors' code: there the shift is multiplied by the scale as well, so that
    it would depend on the scale how far class shares are corrected.

    With tau = 1 it is least where softmax(z_k / D_k), not softmax(z), is p(y | x) / pi_y,
    normalised. A multiple of D added to all z leaves the loss as it is, so that softmax(z) is
    not settled by the loss alone: descent on the logits keeps the sum of D_k z_k. What
    `induced_prior` gives is its answer for that sum of 0, and exact for ``gamma=0`` only.
    Where nothing is learned, the cross-entropy of the scaled logits is given.

    References
    ----------
    G. R. Kini, O. Paraskevas, S. Oymak, C. Thrampoulidis, "Label-imbalanced and group-sensitive
    classification under overparameterization", NeurIPS, 2021, doi:10.48550/arXiv.2103.01550.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, VectorScalingLoss
    >>> loss = VectorScalingLoss(gamma=0.5)
    >>> loss.setup(ClassStats.from_labels([0] * 9 + [1]))
    >>> loss(torch.tensor([[0.0, 3.0]]), torch.tensor([1]))
    tensor(1.4612)
    """

    card = Card(
        paper="Kini et al. (2021), doi:10.48550/arXiv.2103.01550",
        cases=({}, {"gamma": 0.15, "tau": 1.25}),
        limits=(
            Limit(when={"gamma": 0.0, "tau": 0.0}, equals="CrossEntropyLoss"),
            Limit(when={"gamma": 0.0, "tau": 0.5}, equals="LogitAdjustedLoss", other={"tau": 0.5}),
        ),
    )
    names = ("vector_scaling", "vs")
    needs = frozenset({"counts"})

    log_prior: Tensor
    divisors: Tensor

    def __init__(self, gamma: float = 0.3, tau: float = 1.0, scale: float = 1.0) -> None:
        super().__init__()
        who = "VectorScalingLoss"
        self.gamma = check_number(gamma, who, "gamma", low=0.0)
        self.tau = check_number(tau, who, "tau", low=0.0)
        self.scale = check_number(scale, who, "scale", low=0.0, open_low=True)
        if self.scale > 1:
            self.needs = self.needs | {"cosine_head"}
            self.link = "cosine"

    def setup(self, stats: ClassStats) -> None:
        """Take the class shares of the batches, and the counts of the table.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self._keep("log_prior", log_shares(stats))
        self._keep("divisors", self._worked_out(stats))

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least 0.
        """
        check_kind(self, batch.target)
        z, y, level = batch.logits, batch.target, self.log_prior
        if z.ndim == 1:
            shift = (self.tau / self.scale) * (level[1] - level[0])
            return binary_vector_scaling(z, y, shift, self.divisors, scale=self.scale)
        return vector_scaling(z, y, level, self.divisors, tau=self.tau, scale=self.scale)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the cross-entropy of the scaled logits.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least 0.
        """
        return cross_entropy(self.scale * batch.logits, batch.target)

    def induced_prior(self, stats: ClassStats) -> FloatArray:
        """Return the class shares that the outputs are made for, as far as there are any.

        Parameters
        ----------
        stats : ClassStats
            Counts, and the class shares of the batches.

        Returns
        -------
        ndarray of shape (n_classes,)
            Equal ones for ``tau=1``.
        """
        left = (1.0 - self.tau) * log_shares(stats)
        d = self._worked_out(stats)
        # Where x says nothing, z_k = D_k (left_k + c); descent from 0 keeps sum D_k z_k = 0.
        return shares_of(d * (left - (d**2 @ left) / (d**2).sum()), stats)

    def _worked_out(self, stats: ClassStats) -> FloatArray:
        """Return what the logits of each class are divided by."""
        counts = np.maximum(stats.counts, 1.0)
        return np.asarray((counts.max() / counts) ** self.gamma)
