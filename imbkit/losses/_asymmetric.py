"""Asymmetric loss: labels that are 0 count less, the easy ones not at all."""

from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit.losses._base import BaseLoss, Link
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._labels import labels_of
from imbkit.losses.functional import asymmetric, asymmetric_softmax

__all__ = ["AsymmetricLoss"]


class AsymmetricLoss(BaseLoss):
    """Cross-entropy whose labels of 0 are focused strongly, and dropped where they are easy.

    The first to try for many labels a row of which few are 1; for two classes it takes the
    second as the rare one. It asks for no counts. Choose :class:`FocalLoss` where labels of 1
    are to be focused just as strongly. Its probabilities are too large, since what is easily
    seen to be 0 no longer counts: tune thresholds, or calibrate.

    Parameters
    ----------
    gamma_pos : float, default=0.0
        Power of the probability that is missing, for labels of 1; 0 or more.
    gamma_neg : float, default=4.0
        Power of the probability that is too much, for labels of 0; 0 or more.
    margin : float, default=0.05
        By how much that probability is lowered first; labels of 0 below it have no loss. From
        0 to 1; without effect for `softmax`.
    detach_focus : bool, default=False
        Whether the powers are weights without a gradient of their own.
    softmax : bool, default=False
        Whether each row has one class of several: powers are then those of the softmax, of the
        own class and of the others.
    label_smoothing : float, default=0.1
        For `softmax` only: mass of the target that is spread evenly over the classes. Without
        any the other classes have no terms. From 0 to 1.

    See Also
    --------
    FocalLoss : The same power for labels of 0 and 1.
    MultiFocalLoss : Stronger powers for rarer labels, too.

    Notes
    -----
    A label of 1 costs -(1 - p)^gamma_pos log p, one of 0 costs -q^gamma_neg log(1 - q) for
    q = max(p - margin, 0). Labels that are missing cost nothing. With `softmax` the cost is
    -sum_k t_k f_k log p_k for the smoothed target t and f = (1 - p)^gamma_pos for the own class,
    p^gamma_neg for the others.

    Different from the paper: rows are averaged, not summed, so that the learning rate keeps its
    meaning. The authors' code takes ``gamma_pos=1`` where nothing is said, and there is
    ``detach_focus`` what it does in training; here the paper's 0, and the whole gradient. The
    softmax form is that of the code.

    References
    ----------
    T. Ridnik, E. Ben-Baruch, N. Zamir, A. Noy, I. Friedman, M. Protter, L. Zelnik-Manor,
    "Asymmetric loss for multi-label classification", ICCV, 2021,
    doi:10.1109/ICCV48922.2021.00015.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import AsymmetricLoss
    >>> z, y = torch.tensor([[2.0, -4.0, 0.0]]), torch.tensor([[1, 0, -1]])
    >>> AsymmetricLoss()(z, y)
    tensor(0.1269)
    """

    card = Card(
        paper="Ridnik et al. (2021), doi:10.1109/ICCV48922.2021.00015",
        cases=({}, {"gamma_pos": 1.0, "margin": 0.0, "detach_focus": True}, {"softmax": True}),
        limits=(
            Limit({"gamma_neg": 0.0, "margin": 0.0}, "FocalLoss", {"gamma": 0.0}),
            Limit({"gamma_pos": 2.0, "gamma_neg": 2.0, "margin": 0.0}, "FocalLoss", {"gamma": 2.0}),
            Limit({"softmax": True, "label_smoothing": 0.0}, "CrossEntropyLoss"),
        ),
    )
    names = ("asl", "asymmetric")
    tasks = frozenset({"binary", "multilabel"})
    link: Link = "sigmoid"

    def __init__(
        self,
        gamma_pos: float = 0.0,
        gamma_neg: float = 4.0,
        margin: float = 0.05,
        detach_focus: bool = False,
        softmax: bool = False,
        label_smoothing: float = 0.1,
    ) -> None:
        super().__init__()
        who = "AsymmetricLoss"
        self.gamma_pos = check_number(gamma_pos, who, "gamma_pos", low=0.0)
        self.gamma_neg = check_number(gamma_neg, who, "gamma_neg", low=0.0)
        self.margin = check_number(margin, who, "margin", low=0.0, high=1.0)
        self.detach_focus = check_choice(detach_focus, (True, False), who, "detach_focus")
        self.softmax = check_choice(softmax, (True, False), who, "softmax")
        self.label_smoothing = check_number(
            label_smoothing, who, "label_smoothing", low=0.0, high=1.0
        )
        if softmax:
            self.tasks = frozenset({"binary", "multiclass"})  # type: ignore[misc]
            self.link = "softmax"

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
        powers = {
            "gamma_pos": self.gamma_pos,
            "gamma_neg": self.gamma_neg,
            "detach_focus": self.detach_focus,
        }
        if self.softmax:
            smooth = self.label_smoothing
            z, y = batch.logits, batch.target
            return asymmetric_softmax(z, y, label_smoothing=smooth, **powers)
        z, y = labels_of(batch, "AsymmetricLoss")
        return asymmetric(z, y, margin=self.margin, **powers)
