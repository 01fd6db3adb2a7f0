"""The hardest pairs of one class, and of two, by their cosines."""

from torch import Tensor

from imbkit._core.card import Card
from imbkit.losses._base import BaseLoss, reduced
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses.functional import multi_similarity, multi_similarity_weights

__all__ = ["MultiSimilarityLoss"]


class MultiSimilarityLoss(BaseLoss):
    """Pairs of one class drawn together, those of two apart, the hardest first.

    Add it to the cross-entropy where an embedding is wanted in which neighbours are of one
    class, for search or for a rare class with several faces. It needs batches with some rows of
    each class: use a sampler that balances them. By itself it trains no head; probabilities are
    those of the loss it is added to.

    Parameters
    ----------
    alpha : float, default=2.0
        How much the least similar pairs of one class count above the others, above 0.
    beta : float, default=50.0
        How much the most similar pairs of two classes do, above 0.
    base : float, default=0.5
        The cosine that pairs of one class should be above, and pairs of two below, from -1 to 1.
    epsilon : float, default=0.1
        Pairs of two classes count if their cosine is above the least one of the same class less
        this much, and pairs of one class likewise, 0 or more; None keeps all pairs.

    See Also
    --------
    OrthogonalProjectionLoss : Means over all pairs.
    SumLoss : Adds it to another loss.

    Notes
    -----
    The mean over rows of log(1 + sum exp(-alpha (c - base))) / alpha over pairs of one class plus
    log(1 + sum exp(beta (c - base))) / beta over pairs of two. `base` is 0.5 in two released
    programs, `beta` 40 in one of them. A row with pairs of one kind only adds nothing while
    pairs are mined. Sample weights are those of anchors; a row of weight 0 is in no pair.
    Memory grows with the square of the batch.

    References
    ----------
    X. Wang, X. Han, W. Huang, D. Dong, M. R. Scott, "Multi-similarity loss with general pair
    weighting for deep metric learning", CVPR, 2019, doi:10.48550/arXiv.1904.06627.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import MultiSimilarityLoss
    >>> e, y = torch.tensor([[1.0, 0.0], [0.5, 0.75**0.5]]), torch.tensor([0, 0])
    >>> MultiSimilarityLoss(alpha=1.0, epsilon=None)(torch.zeros(2, 2), y, embedding=e)
    tensor(0.6931)
    """

    card = Card(
        paper="Wang et al. (2019), doi:10.48550/arXiv.1904.06627",
        cases=({}, {"beta": 40.0, "base": 0.8, "epsilon": None}),
    )
    names = ("multi_similarity", "ms")
    of_outputs = False
    level = "batch"
    needs = frozenset({"embedding", "pairs"})

    def __init__(
        self,
        alpha: float = 2.0,
        beta: float = 50.0,
        base: float = 0.5,
        epsilon: float | None = 0.1,
    ) -> None:
        super().__init__()
        who = "MultiSimilarityLoss"
        self.alpha = check_number(alpha, who, "alpha", low=0.0, open_low=True)
        self.beta = check_number(beta, who, "beta", low=0.0, open_low=True)
        self.base = check_number(base, who, "base", low=-1.0, high=1.0)
        self.epsilon = check_number(epsilon, who, "epsilon", low=0.0, none=True)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the weighted mean over anchors.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape ()
            At least 0.
        """
        e: Tensor = batch.embedding  # type: ignore[assignment]
        v = batch.sample_weight
        items = multi_similarity(
            e,
            batch.target,
            alpha=self.alpha,
            beta=self.beta,
            base=self.base,
            epsilon=self.epsilon,
            kept=None if v is None else v > 0,
        )
        return reduced(items, v)

    def pair_weights(self, embedding: Tensor, target: Tensor) -> Tensor:
        """Return how much each pair counts for each anchor.

        A loss of pairs of one's own takes them as weights of its cosines, which is what general
        pair weighting means.

        Parameters
        ----------
        embedding : Tensor of shape (n, n_features)
            Rows, of any length.
        target : Tensor of int64, shape (n,)
            Class of each row.

        Returns
        -------
        Tensor of shape (n, n)
            From 0 to 1, without a gradient: the size of the derivative of the anchor's loss by
            the cosine; 0 for pairs left out.
        """
        return multi_similarity_weights(
            embedding,
            target,
            alpha=self.alpha,
            beta=self.beta,
            base=self.base,
            epsilon=self.epsilon,
        )
