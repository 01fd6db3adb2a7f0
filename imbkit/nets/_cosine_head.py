"""A last layer that gives cosines."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.nets._base_body import check_count
from imbkit.nets._seeded import seeded

__all__ = ["CosineHead", "with_cosine_head"]

_TINY = 1e-12


class CosineHead(nn.Module):
    """The cosine between an embedding and the direction of each class.

    Choose it for losses with a margin (LDAM, normalised softmax): weights of frequent classes
    cannot win by growing longer. Cosines alone make flat probabilities; such a loss multiplies
    them by its scale, and so must whoever turns them into probabilities.

    Parameters
    ----------
    n_in : int
        Numbers of an embedding.
    n_out : int
        Classes.

    See Also
    --------
    MLP : A body, whose layer `head` this one may replace.

    Notes
    -----
    ``e.w / (|e| |w|)`` without a bias; lengths below 1e-12 count as 1e-12: an embedding of
    zeros gives 0. From -1 to 1 up to rounding. Rows of the weights start with length 1.

    References
    ----------
    H. Wang, Y. Wang, Z. Zhou, X. Ji, D. Gong, J. Zhou, Z. Li, W. Liu, "CosFace: large margin
    cosine loss for deep face recognition", CVPR, 2018, doi:10.48550/arXiv.1801.09414.

    Examples
    --------
    >>> import torch
    >>> from imbkit.nets import CosineHead
    >>> head = CosineHead(2, 2)
    >>> _ = head.weight.data.copy_(torch.tensor([[1.0, 0.0], [0.0, 5.0]]))
    >>> head(torch.tensor([[3.0, 4.0]])).detach()
    tensor([[0.6000, 0.8000]])
    """

    _is_method: ClassVar[bool] = True
    card = Card(
        paper="Wang et al. (2018), doi:10.48550/arXiv.1801.09414",
        cases=({"n_in": 4, "n_out": 3},),
    )
    names: ClassVar[tuple[str, ...]] = ("cosine",)

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.n_in = check_count(n_in, "CosineHead", "n_in")
        self.n_out = check_count(n_out, "CosineHead", "n_out")
        self.weight = nn.Parameter(F.normalize(torch.randn(self.n_out, self.n_in), dim=1))
        # Asked for by whatever takes a linear layer's place to be one.
        self.register_parameter("bias", None)

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the cosines.

        Parameters
        ----------
        embedding : Tensor of shape (n, n_in)
            Embeddings.

        Returns
        -------
        Tensor of shape (n, n_out)
            From -1 to 1.
        """
        rows = F.normalize(embedding, dim=1, eps=_TINY)
        return F.linear(rows, F.normalize(self.weight, dim=1, eps=_TINY))

    def extra_repr(self) -> str:
        """Return the parameters, as they were given.

        Returns
        -------
        str
            Name and value of each.
        """
        return f"n_in={self.n_in}, n_out={self.n_out}"


def with_cosine_head(body: Any, *, seed: int = 0) -> Any:
    """Give a body a new last layer of cosines, in place.

    Parameters
    ----------
    body : torch.nn.Module
        With a linear layer `head`, which its logits come from.
    seed : int, default=0
        For the weights, which are drawn without a trace in torch's own generator.

    Returns
    -------
    torch.nn.Module
        The same body; as it was if its head gives cosines already.

    Raises
    ------
    InvalidParameterError
        If there is no linear layer of that name.
    """
    head = getattr(body, "head", None)
    if isinstance(head, CosineHead):
        return body
    if not isinstance(head, nn.Linear):
        rule = "a cosine head takes the place of a linear layer called head"
        todo = "Call the module's last layer head, or end it with a CosineHead"
        raise InvalidParameterError(message(type(body).__name__, rule, head, todo))
    with seeded(seed):
        new = CosineHead(head.in_features, head.out_features)
    body.head = new.to(device=head.weight.device, dtype=head.weight.dtype)
    return body
