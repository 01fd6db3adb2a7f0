"""ensLoss: at every batch the slopes of another convex loss, drawn at random."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss, Link, known_labels
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._draws import Draws
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import random_slopes, signed

__all__ = ["EnsLoss"]


class EnsLoss(BaseLoss):
    """An ensemble of losses in one training: each batch has a loss of its own.

    Choose it where a net overfits to one loss, as dropout is chosen where it overfits to single
    units, and where only the order or the label of two classes counts. Its outputs are scores,
    not log-odds: calibrate them for probabilities. It knows nothing of rare classes: combine it
    with class weights or with a sampler that balances them; for several classes see `OneVsRest`.

    Parameters
    ----------
    lam : float, default=0.0
        Of the inverse Box-Cox transformation by which normal numbers become slopes; 0 is the
        exponential.
    seed : int, default=0
        Of the random numbers.

    See Also
    --------
    OneVsRest : A loss of two classes for several.

    Notes
    -----
    For margins m = (2 y - 1) s of scores s, numbers -(1 + lam N)^(1 / lam) (-exp(N) for
    ``lam=0``) of normal N are drawn, one a row, cut at -1, and given to the rows in the order of
    their margins: the larger the margin, the less the slope. Slopes of margins above 1 are
    divided by the margin. They are the slopes of some decreasing convex loss. What is returned is
    slope times margin, whose gradient is the slope; its value is no loss, and may be below 0.
    Where nothing is learned, the loss is log(1 + exp(-m)). Several labels a row are taken one by
    one, missing ones left out.

    References
    ----------
    B. Dai, "EnsLoss: stochastic calibrated loss ensembles for preventing overfitting in
    classification", ICML, 2025, doi:10.48550/arXiv.2409.00908.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import EnsLoss
    >>> score, y = torch.tensor([0.3, -0.2, 4.0], requires_grad=True), torch.tensor([1, 0, 1])
    >>> EnsLoss()(score, y).backward()
    >>> bool(score.grad[2].abs() < score.grad[0].abs())
    True
    """

    card = Card(
        paper="Dai (2025), doi:10.48550/arXiv.2409.00908",
        cases=({}, {"lam": 0.5}, {"lam": -1.0}),
    )
    names = ("ens_loss",)
    tasks = frozenset({"binary", "multilabel"})
    link: Link = "score"

    def __init__(self, lam: float = 0.0, seed: int = 0) -> None:
        super().__init__()
        self.lam = check_number(lam, "EnsLoss", "lam")
        self.seed = seed
        self._draws = Draws(seed, "EnsLoss")

    def setup(self, stats: ClassStats) -> None:
        """Begin the random numbers again.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self._draws.restart()

    def per_item(self, batch: LossContext) -> Tensor:
        """Return slope times margin of each row, or of each label of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            Its gradient is what counts; 0 for a label that is missing.
        """
        if not batch.training:
            return self.eval_item(batch)
        m, known = _margins(batch)
        slopes = random_slopes(m, self._draws.normal(m), lam=self.lam)
        return (slopes * m).where(known, 0)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the logistic loss of each row, or of each label of each row.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,) or (n, n_labels)
            At least 0; 0 for a label that is missing.
        """
        m, known = _margins(batch)
        return -logsigmoid(m).where(known, 0)


def _margins(batch: LossContext) -> tuple[Tensor, Tensor]:
    """Return scores with the sign of the label, and which labels are known."""
    s, y = batch.logits, batch.target
    if y.ndim == 1 and s.ndim == 2:
        if s.shape[1] != 2:
            rule = "serves two classes, or several labels a row"
            todo = "Wrap it: OneVsRest(EnsLoss())"
            got = f"logits of {s.shape[1]} classes"
            raise InvalidParameterError(message("EnsLoss", rule, got, todo))
        s = s[:, 1] - s[:, 0]
    known = known_labels(y)
    return signed(s, torch.where(known, y, 0)), known
