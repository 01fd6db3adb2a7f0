"""Several labels a row: weighted cross-entropy, label correlation and contrast of rows."""

import numpy as np
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import FloatArray
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss, known_labels, reduced
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._labels import columns_of_labels, label_counts
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import binary_cross_entropy, label_contrast, label_correlation

__all__ = ["HybridMultilabelLoss"]


class HybridMultilabelLoss(BaseLoss):
    """Cross-entropy weighted by label, with terms for labels and for rows that belong together.

    Choose it where labels occur together and rows are few, so that what is known of the labels'
    company helps; otherwise take a simpler one. Probabilities of labels that occur together are
    drawn towards each other: calibrate them.

    Parameters
    ----------
    weighted : float, default=1.0
        Coefficient of the weighted cross-entropy, 0 or more.
    correlation : float, default=0.1
        Coefficient of the term that draws together probabilities of correlated labels, 0 or
        more.
    contrast : float, default=0.1
        Coefficient of the term that draws together embeddings of rows with common labels, 0 or
        more. Above 0 the module must return (logits, embedding).
    temperature : float, default=0.1
        What cosines of embeddings are divided by, above 0.

    See Also
    --------
    AsymmetricLoss : The first to try for several labels a row.

    Notes
    -----
    The cross-entropy of label c is weighted by n / (n_labels n_c), the mean weight being 1. The
    correlation of labels in the training part, phi, is kept where it is positive; the second
    term is the sum over pairs of phi times the squared difference of their probabilities, by the
    sum of all phi. The third is, for each row, the cross-entropy of its similarities
    (softmax of cosines / temperature over the other rows) against the Jaccard index of their
    labels. A row that has no label in common with another adds nothing to it. Labels that are
    missing are left out of all terms.

    Different from the paper: only its ingredients are taken, which are class weights, a matrix of
    label correlations and contrastive learning. Its equations could not be read; those above,
    and all coefficients, are our own.

    References
    ----------
    M. A. Aslam, J. Wang, N. Ahmed, M. I. Zaman, Y. Li, H. Hu, S. Wang, X. Liu, "Improving Arabic
    multi-label emotion classification using stacked embeddings and hybrid loss function", 2024,
    doi:10.48550/arXiv.2410.03979.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import ClassStats, HybridMultilabelLoss
    >>> loss = HybridMultilabelLoss()
    >>> loss.setup(ClassStats.from_labels([[1, 1], [0, 0], [1, 0], [0, 0]]))
    >>> z, y = torch.zeros(2, 2), torch.tensor([[1, 1], [1, 0]])
    >>> loss(z, y, embedding=torch.eye(2))
    tensor(1.3863)
    """

    card = Card(
        paper="Aslam et al. (2024), doi:10.48550/arXiv.2410.03979",
        cases=({}, {"correlation": 0.0, "contrast": 0.0}, {"weighted": 0.5, "contrast": 0.0}),
    )
    names = ("hybrid_multilabel",)
    tasks = frozenset({"binary", "multilabel"})
    level = "batch"
    needs = frozenset({"counts", "embedding", "pairs"})
    link = "sigmoid"

    factors: Tensor
    affinity: Tensor

    def __init__(
        self,
        weighted: float = 1.0,
        correlation: float = 0.1,
        contrast: float = 0.1,
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        who = "HybridMultilabelLoss"
        self.weighted = check_number(weighted, who, "weighted", low=0.0)
        self.correlation = check_number(correlation, who, "correlation", low=0.0)
        self.contrast = check_number(contrast, who, "contrast", low=0.0)
        self.temperature = check_number(temperature, who, "temperature", low=0.0, open_low=True)
        if self.contrast == 0:
            self.needs = frozenset({"counts"})

    def setup(self, stats: ClassStats) -> None:
        """Work out the weights and the correlations of the labels.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.

        Raises
        ------
        InvalidParameterError
            If `stats` does not say how often labels occur together.
        """
        super().setup(stats)
        who = "HybridMultilabelLoss"
        counts = np.maximum(label_counts(stats, who)[1], 1.0)
        self._keep("factors", (1 / counts) / (1 / counts).mean())
        affinity: FloatArray = np.zeros((len(counts), len(counts)))
        if len(counts) > 1:
            if stats.cooccurrence is None:
                rule = "needs to know how often labels occur together"
                todo = "Use ClassStats.from_labels(Y) with a column for each label"
                raise InvalidParameterError(message(who, rule, todo=todo))
            affinity = _positive_phi(stats.cooccurrence, stats.n_samples)
        self._keep("affinity", affinity)

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of the batch.

        Parameters
        ----------
        batch : LossContext
            The batch; sample weights are those of the rows in all three terms.

        Returns
        -------
        Tensor of shape ()
            At least 0.
        """
        z, y = columns_of_labels(batch, "HybridMultilabelLoss", len(self.factors))
        e, v = batch.embedding, batch.sample_weight
        if v is not None:  # a row without weight is not a partner of others either
            z, y, e, v = z[v > 0], y[v > 0], None if e is None else e[v > 0], v[v > 0]
        items = self.factors.to(z) * binary_cross_entropy(z, y == 1)
        rows = self.weighted * items.where(known_labels(y), 0.0).sum(1)
        if self.correlation > 0:
            rows = rows + self.correlation * label_correlation(z, y, self.affinity)
        if self.contrast > 0 and e is not None:
            apart = label_contrast(e, y, temperature=self.temperature)
            rows = rows + self.contrast * apart
        return reduced(rows, v)


def _positive_phi(cooccurrence: FloatArray, n_samples: int) -> FloatArray:
    """Return the phi correlations of labels that are positive, 0 on the diagonal."""
    n, together = float(n_samples), np.asarray(cooccurrence, dtype=np.float64)
    counts = np.diag(together)
    spread = np.sqrt(counts * (n - counts))
    product = np.outer(spread, spread)
    # A label that all rows have, or none, is correlated with nothing.
    phi = np.divide(
        n * together - np.outer(counts, counts),
        product,
        out=np.zeros_like(together),
        where=product > 0,
    )
    np.fill_diagonal(phi, 0.0)
    return np.asarray(np.maximum(phi, 0.0))
