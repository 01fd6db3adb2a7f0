"""LDAM: the rarer its class, the further a row must lie on the right side."""

import numpy as np
from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import ImbkitWarning
from imbkit.losses._base import BaseLoss, known_labels
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._logit_adjusted import check_kind, plain_cross_entropy
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import binary_ldam, ldam

__all__ = ["LDAMLoss"]


class LDAMLoss(BaseLoss):
    """Cross-entropy with a margin for each class, the wider the rarer the class.

    Choose it with weights that set in late (the preset "ldam-drw") and a cosine head, for
    classes with very few rows; it asks for more tuning than :class:`LogitAdjustedLoss`. Its
    probabilities lean towards rare classes by no known amount: calibrate them.

    Parameters
    ----------
    max_margin : float, default=0.5
        Margin of the rarest class, 0 or more.
    scale : float, default=30.0
        What logits are multiplied by, above 0. More than 1 is for a head whose outputs are
        cosines, and needs one; take 1 for a linear head, and tune `max_margin`.
    constant : float, default=None
        If given, the margin of a class of n rows is constant n^(-1/4), whatever `max_margin`.

    See Also
    --------
    Deferred : Weights that set in late.
    VectorScalingLoss : Factors instead of margins.

    Notes
    -----
    -log softmax(scale (z - m_y e_y))_y, where m_k is proportional to n_k^(-1/4) and the largest
    m is `max_margin`. Counts are those of the table, a class without rows counting as one:
    margins are no shares, and a sampler that balances classes corrects beside them (there is a
    warning). Of several labels a row, the margin is taken off a label that is there, each label
    by itself; ``LDAMLoss(scale=1.0, constant=3.0)`` is the form of Biswas et al. (2021).
    Different from theirs: without a `constant` the margin of the rarest label is `max_margin`.
    Where nothing is learned, the cross-entropy of the scaled logits is given, without margins.

    References
    ----------
    K. Cao, C. Wei, A. Gaidon, N. Arechiga, T. Ma, "Learning imbalanced datasets with
    label-distribution-aware margin loss", NeurIPS, 2019, doi:10.48550/arXiv.1906.07413.

    B. Biswas, T.-H. Pham, P. Zhang, "TransICD: transformer based code-wise attention model for
    explainable ICD coding", AIME, 2021, doi:10.48550/arXiv.2104.10652.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, LDAMLoss
    >>> loss = LDAMLoss(scale=1.0)
    >>> loss.setup(ClassStats.from_labels([0] * 81 + [1]))
    >>> loss.margins
    tensor([0.1667, 0.5000], dtype=torch.float64)
    """

    card = Card(
        paper="Cao et al. (2019), doi:10.48550/arXiv.1906.07413",
        cases=({}, {"max_margin": 1.0, "scale": 1.0}, {"scale": 1.0, "constant": 3.0}),
        limits=(Limit(when={"max_margin": 0.0, "scale": 1.0}, equals="CrossEntropyLoss"),),
    )
    names = ("ldam",)
    tasks = frozenset({"binary", "multiclass", "multilabel"})
    needs = frozenset({"counts"})

    margins: Tensor

    def __init__(
        self, max_margin: float = 0.5, scale: float = 30.0, constant: float | None = None
    ) -> None:
        super().__init__()
        who = "LDAMLoss"
        self.max_margin = check_number(max_margin, who, "max_margin", low=0.0)
        self.scale = check_number(scale, who, "scale", low=0.0, open_low=True)
        self.constant = check_number(constant, who, "constant", low=0.0, none=True)
        if self.scale > 1:
            self.needs = self.needs | {"cosine_head"}
            self.link = "cosine"

    def setup(self, stats: ClassStats) -> None:
        """Work the margins out.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        shape = np.maximum(stats.counts, 1.0) ** -0.25
        factor = self.max_margin / shape.max() if self.constant is None else self.constant
        self._keep("margins", factor * shape)
        if stats.task != "multilabel" and _span(stats.effective_priors) < _span(stats.priors) / 2:
            rule = "margins and batches both favour rare classes"
            todo = "Take CrossEntropyLoss with this sampler, or LDAMLoss with batches as they come"
            warn(message("LDAMLoss", rule, "batches with balanced classes", todo), ImbkitWarning)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row, or of each label of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            At least 0; 0 for a label that is missing.
        """
        check_kind(self, batch.target)
        z, y = batch.logits, batch.target
        if y.ndim == 2:
            known = known_labels(y)
            items = binary_ldam(z, y.where(known, 0), self.margins, scale=self.scale)
            return items.where(known, 0)
        return ldam(z, y, self.margins, scale=self.scale)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the cross-entropy of the scaled logits, without margins.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            At least 0; 0 for a label that is missing.
        """
        return plain_cross_entropy(self.scale * batch.logits, batch.target)


def _span(shares: FloatArray) -> float:
    """Return the largest share over the smallest."""
    return float(shares.max() / max(shares.min(), np.finfo(np.float64).tiny))
