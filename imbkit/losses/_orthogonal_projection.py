"""Embeddings of one class parallel, of two classes orthogonal."""

from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import orthogonal_projection

__all__ = ["OrthogonalProjectionLoss"]


class OrthogonalProjectionLoss(BaseLoss):
    """One less the cosines within classes, plus those between classes.

    Add it to the cross-entropy (coefficient 1) where classes lie close together in the embedding
    and a rare one is swallowed by its neighbour. By itself it trains no head. It has no
    parameter of class shares: the pairs of a batch count, so that rare classes need a sampler
    that balances them. Probabilities are those of the loss it is added to.

    Parameters
    ----------
    gamma : float, default=0.5
        What the cosines between classes are multiplied by, 0 or more.
    absolute : bool, default=True
        Whether classes are driven to be orthogonal, by the size of the mean cosine between them;
        otherwise they are driven further, to opposite directions.

    See Also
    --------
    MultiSimilarityLoss : Looks at the hardest pairs only.
    SumLoss : Adds it to another loss.

    Notes
    -----
    ``(1 - s) + gamma |d|``, where s is the mean cosine of pairs of one class, d that of pairs of
    two; or d without its size, as in the authors' program: hence `absolute`. Of the mean the
    size is taken, so that pairs of opposite signs make up for each other. Different from the
    paper: a part without pairs in the batch is 0; a pair's sample weight is the product of its
    rows'. Memory grows with the square of the batch.

    References
    ----------
    K. Ranasinghe, M. Naseer, M. Hayat, S. Khan, F. S. Khan, "Orthogonal projection loss", ICCV,
    2021, doi:10.48550/arXiv.2103.14021.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import OrthogonalProjectionLoss
    >>> e, y = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0, 1])
    >>> OrthogonalProjectionLoss()(torch.zeros(3, 2), y, embedding=e)
    tensor(0.)
    """

    card = Card(
        paper="Ranasinghe et al. (2021), doi:10.48550/arXiv.2103.14021",
        cases=({}, {"gamma": 2.0, "absolute": False}),
    )
    names = ("orthogonal_projection", "opl")
    of_outputs = False
    level = "batch"
    needs = frozenset({"embedding", "pairs"})

    def __init__(self, gamma: float = 0.5, absolute: bool = True) -> None:
        super().__init__()
        self.gamma = check_number(gamma, "OrthogonalProjectionLoss", "gamma", low=0.0)
        if not isinstance(absolute, bool):
            rule = "absolute must be True or False"
            raise InvalidParameterError(message("OrthogonalProjectionLoss", rule, absolute))
        self.absolute = absolute

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            With `absolute`, from 0 to 2 + gamma.
        """
        e: Tensor = batch.embedding  # type: ignore[assignment]
        return orthogonal_projection(
            e,
            batch.target,
            gamma=self.gamma,
            absolute=self.absolute,
            weight=batch.sample_weight,
        )
