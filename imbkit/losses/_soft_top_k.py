"""Labels that should be among the k largest scores of their row."""

from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._labels import columns_of_labels
from imbkit.losses.functional import soft_top_k

__all__ = ["SoftTopKLoss"]


class SoftTopKLoss(BaseLoss):
    """Logarithm of how far a row's labels are among its k largest scores.

    Choose it where exactly k labels are shown or acted upon for each row: places beyond the k-th
    do not matter to it. Choose :class:`DecoupledSoftmaxLoss` where the whole order counts.
    Outputs are scores, which a number added to a whole row does not change; they are no
    probabilities.

    Parameters
    ----------
    k : int, default=5
        Places, fewer than there are labels; None for as many as the row has labels.
    sharpness : float, default=2.0
        What scores are multiplied by, above 0: the larger, the closer to true places.

    See Also
    --------
    DecoupledSoftmaxLoss : Orders all labels of a row.

    Notes
    -----
    Minus the mean over the row's labels of log sigmoid(sharpness (z + t)), where t is the number
    for which the sigmoids of the row sum to k. It is found by halving an interval and is
    polished by Newton's method; the gradient is exact and takes into account that t moves with
    the scores. Missing labels take no part. A row without labels, or with a place for each label
    that is known, adds nothing, and is among the rows that are averaged.

    Different from the paper: the interval is widened by log(n_labels) / sharpness, without which
    t can lie outside where labels are many.

    References
    ----------
    N. Gupta, D. Khatri, A. S. Rawat, S. Bhojanapalli, P. Jain, I. Dhillon, "Dual-encoders for
    extreme multi-label classification", ICLR, 2024, doi:10.48550/arXiv.2310.10636.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import SoftTopKLoss
    >>> z, y = torch.tensor([[3.0, 2.0, 0.0, 0.0]]), torch.tensor([[1, 1, 0, 0]])
    >>> SoftTopKLoss(k=2)(z, y) < SoftTopKLoss(k=1)(z, y)
    tensor(True)
    """

    card = Card(
        paper="Gupta et al. (2024), doi:10.48550/arXiv.2310.10636",
        cases=({"k": None}, {"k": 1, "sharpness": 5.0}),
    )
    names = ("soft_top_k",)
    tasks = frozenset({"multilabel"})
    link = "score"

    def __init__(self, k: int | None = 5, sharpness: float = 2.0) -> None:
        super().__init__()
        who = "SoftTopKLoss"
        if k is not None and (isinstance(k, bool) or int(check_number(k, who, "k", low=1)) != k):
            raise InvalidParameterError(message(who, "k must be an integer of 1 or more", k))
        self.k = k
        self.sharpness = check_number(sharpness, who, "sharpness", low=0.0, open_low=True)

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

        Raises
        ------
        InvalidParameterError
            If there are no more labels than places.
        """
        z, y = columns_of_labels(batch, "SoftTopKLoss")
        if self.k is not None and self.k >= z.shape[1]:
            rule = f"k must be less than the number of labels, {z.shape[1]}"
            todo = "Take k=None for as many places as each row has labels"
            raise InvalidParameterError(message("SoftTopKLoss", rule, self.k, todo))
        return soft_top_k(z, y, k=self.k, sharpness=self.sharpness)
