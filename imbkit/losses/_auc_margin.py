"""The area under the ROC curve, by means and variances of scores instead of pairs."""

import torch
from torch import Tensor, nn

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import auc_margin, auc_margin_saddle
from imbkit.losses.functional._sets import mean_over, score_columns, weight_columns

__all__ = ["AUCMarginLoss"]


class AUCMarginLoss(BaseLoss):
    """Positive scores above negative ones by a margin, with little spread on either side.

    Choose it where the order of rows is what counts (the area under the ROC curve): unlike
    `MannWhitneyLoss` it costs no more than cross-entropy, however many rows a batch has. It
    works best on a net that cross-entropy has trained before. Its outputs are scores: calibrate
    them if probabilities are asked for, and choose a threshold.

    Parameters
    ----------
    margin : float, default=1.0
        By how much the mean positive score, between 0 and 1, should lead; above 0.
    closed_form : bool, default=True
        Whether the inner problem is solved for each batch. False has variables for it that are
        learned beside the net, as the authors do: better for batches with very few positives.

    Attributes
    ----------
    a, b, alpha : Parameter of shape (1,) or (n_labels,)
        What is learned for the mean scores of positives and of negatives, and the dual
        variable; only with ``closed_form=False``.
    incomplete : Tensor of shape ()
        How many batches so far taught nothing because they lacked positives or negatives; each
        label counts by itself.

    See Also
    --------
    MannWhitneyLoss : Pairs of rows.
    SOAPLoss : Average precision.

    Notes
    -----
    With h = sigmoid(score) and means over positives P and negatives N:
    E_P (h - a)^2 + E_N (h - b)^2 + 2 alpha (m + E_N h - E_P h) - alpha^2, least in a and b and
    greatest in alpha >= 0. For a batch that is
    Var_P h + Var_N h + max(0, m + E_N h - E_P h)^2, the mean of (m - h_i + h_j)^2 over all
    pairs. The form with class shares in it is the same times p (1 - p).

    The gradient of alpha has its sign turned, so that one optimizer serves all, and ``project``
    keeps it at 0 or above. There are as many variables as labels: with several, call ``setup``
    before the optimizer is made. Where nothing is learned, the closed form is given. Sample
    weights enter the means.

    Different from the paper: the closed form is the default, and any optimizer serves, where
    the authors have one of their own.

    References
    ----------
    Z. Yuan, Y. Yan, M. Sonka, T. Yang, "Large-scale robust deep AUC maximization: a new
    surrogate loss and empirical studies on medical image classification", ICCV, 2021,
    doi:10.48550/arXiv.2012.03173.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import AUCMarginLoss
    >>> AUCMarginLoss()(torch.zeros(3), torch.tensor([1, 0, 0]))
    tensor(1.)
    """

    card = Card(
        paper="Yuan et al. (2021), doi:10.48550/arXiv.2012.03173",
        cases=({}, {"closed_form": False}, {"margin": 0.5}),
    )
    names = ("auc_margin", "auc")
    tasks = frozenset({"binary", "multilabel"})
    level = "batch"
    needs = frozenset({"pairs"})
    link = "score"

    incomplete: Tensor

    def __init__(self, margin: float = 1.0, closed_form: bool = True) -> None:
        super().__init__()
        self.margin = check_number(margin, "AUCMarginLoss", "margin", low=0.0, open_low=True)
        choices = (True, False)
        self.closed_form = check_choice(closed_form, choices, "AUCMarginLoss", "closed_form")
        if not closed_form:
            self.needs = self.needs | {"learnable"}
            self.a, self.b, self.alpha = (nn.Parameter(torch.zeros(1)) for _ in range(3))
        self._keep("incomplete", 0.0)

    def setup(self, stats: ClassStats) -> None:
        """Set the variables to 0, one for each label, and forget all batches seen.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        several = stats.task == "multilabel" or stats.n_classes > 2
        for variable in self.parameters():
            # The same object: an optimizer may have it already.
            variable.data = variable.data.new_zeros(stats.n_classes if several else 1)
        self._keep("incomplete", 0.0)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            0 without a gradient if the batch lacks positives or negatives.
        """
        h, labels, weight, both = self._scores(batch)
        if batch.training:
            self.incomplete += (~both).sum()
        if self.closed_form:
            return mean_over(auc_margin(h, labels, weight, margin=self.margin), both)
        if len(self.a) != h.shape[1]:
            rule = f"has variables for {len(self.a)} labels"
            todo = "Call setup(ClassStats.from_labels(y)) with the labels of the training rows"
            raise InvalidParameterError(message("AUCMarginLoss", rule, h.shape[1], todo))
        a, b, alpha = (each.to(h) for each in (self.a, self.b, self.alpha))
        turned = 2 * alpha.detach() - alpha  # its value, but uphill
        columns = auc_margin_saddle(h, labels, a, b, turned, weight, margin=self.margin)
        return mean_over(columns, both)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the closed form.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            At least 0.
        """
        h, labels, weight, both = self._scores(batch)
        return mean_over(auc_margin(h, labels, weight, margin=self.margin), both)

    def project(self) -> None:
        """Bring the dual variable back to 0 or above."""
        if not self.closed_form:
            with torch.no_grad():
                self.alpha.clamp_(min=0)

    def _scores(self, batch: LossContext) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return scores from 0 to 1, labels, weights, and which columns have both labels."""
        scores, labels, known = score_columns(batch.logits, batch.target, "AUCMarginLoss")
        weight = weight_columns(known, scores, batch.sample_weight)
        positives, negatives = (weight * labels).sum(0), (weight * (1 - labels)).sum(0)
        return torch.sigmoid(scores), labels, weight, (positives > 0) & (negatives > 0)
