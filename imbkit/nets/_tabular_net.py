"""Waves of each number, then residual blocks."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from imbkit._core.card import Card
from imbkit.losses._checks import check_number
from imbkit.nets._base_body import BaseBody, check_count
from imbkit.nets._residual_mlp import ResidualBlocks

__all__ = ["TabularNet"]


class TabularNet(BaseBody):
    """An embedding of each number, then residual blocks.

    Choose it where a plain net falls behind boosted trees: a net learns a jump or a bump along
    one column slowly, unless that column comes in as many numbers. It costs several times an
    `MLP`, and memory for n_features times 2 `n_frequencies` numbers a row of the batch.

    Parameters
    ----------
    n_features : int
        Columns of numbers, 0 or more.
    n_outputs : int
        Logits of a row, 1 or more.
    cardinalities : sequence of int, default=()
        Codes of each categorical column, the code 0 (unknown or missing) among them. Each
        column becomes min(50, ceil(1.6 c^0.56)) numbers.
    n_frequencies : int, default=16
        Waves of each number.
    n_embedding : int, default=8
        Numbers that the waves of one number become.
    sigma : float, default=0.1
        Standard deviation of the frequencies at the start, in periods for each standard
        deviation of a column; above 0. Too much harms more than too little: of the authors'
        tables half were served best by less than 0.2, nine in ten by less than 5.
    width : int, default=128
        Numbers between the blocks.
    n_blocks : int, default=2
        Blocks, 0 or more.
    hidden_factor : float, default=2.0
        Numbers inside a block, as a multiple of `width`; above 0.
    dropout : float, default=0.15
        Share of the numbers inside a block that is left out in training, from 0 to 1.
    residual_dropout : float, default=0.0
        Share of a block's result that is left out in training, from 0 to 1.

    See Also
    --------
    ResidualMLP : The blocks alone.
    MLP : Plain layers, and much faster.

    Notes
    -----
    A number x becomes relu(A [cos(2 pi c x), sin(2 pi c x)] + b) with learned frequencies c and
    a matrix A, b of its own for each column, called PLR in the paper. Different from the paper:
    its sizes were tuned for each table, ours are smaller; categories become vectors; the blocks
    are those of `ResidualMLP`, of which the paper's are a special case.

    References
    ----------
    Y. Gorishniy, I. Rubachev, A. Babenko, "On embeddings for numerical features in tabular deep
    learning", NeurIPS, 2022, doi:10.48550/arXiv.2203.05556.

    Examples
    --------
    >>> import torch
    >>> from imbkit.nets import TabularNet
    >>> net = TabularNet(n_features=4, n_outputs=3, cardinalities=(10,), width=16)
    >>> X, codes = torch.zeros(5, 4), torch.zeros(5, 1, dtype=torch.int64)
    >>> net.embed(X, codes).shape, net(X, codes).shape
    (torch.Size([5, 16]), torch.Size([5, 3]))
    """

    card = Card(
        paper="Gorishniy et al. (2022), doi:10.48550/arXiv.2203.05556",
        cases=(
            {"n_frequencies": 4, "n_embedding": 3, "width": 8},
            {"n_frequencies": 4, "n_embedding": 3, "width": 8, "sigma": 1.0, "n_blocks": 0},
        ),
    )
    names = ("tabular", "tabular_net", "plr")

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        cardinalities: Sequence[int] = (),
        *,
        n_frequencies: int = 16,
        n_embedding: int = 8,
        sigma: float = 0.1,
        width: int = 128,
        n_blocks: int = 2,
        hidden_factor: float = 2.0,
        dropout: float = 0.15,
        residual_dropout: float = 0.0,
    ) -> None:
        super().__init__(n_features, n_outputs, cardinalities)
        who = "TabularNet"
        self.n_frequencies = check_count(n_frequencies, who, "n_frequencies")
        self.n_embedding = check_count(n_embedding, who, "n_embedding")
        self.sigma = check_number(sigma, who, "sigma", low=0.0, open_low=True)
        self.width = check_count(width, who, "width")
        self.n_blocks = check_count(n_blocks, who, "n_blocks", low=0)
        self.hidden_factor = check_number(
            hidden_factor, who, "hidden_factor", low=0.0, open_low=True
        )
        self.dropout = check_number(dropout, who, "dropout", low=0.0, high=1.0)
        self.residual_dropout = check_number(
            residual_dropout, who, "residual_dropout", low=0.0, high=1.0
        )
        self.numbers = PeriodicEmbedding(
            self.n_features, self.n_frequencies, self.n_embedding, self.sigma
        )
        self.blocks = ResidualBlocks(
            self.n_features * self.n_embedding + self.categories.width,
            self.width,
            self.n_blocks,
            hidden_factor=self.hidden_factor,
            dropout=self.dropout,
            residual_dropout=self.residual_dropout,
        )
        self.head = nn.Linear(self.width, self.n_outputs)

    def embed(self, X: Tensor, codes: Tensor | None = None) -> Tensor:
        """Return what the last layer sees of each row.

        Parameters
        ----------
        X : Tensor of float32, shape (n, n_features)
            Numbers, standardised and without missing values.
        codes : Tensor of int64, shape (n, n_categorical), default=None
            Codes of the categorical columns, where there are any.

        Returns
        -------
        Tensor of shape (n, width)
            The result of the last block, normalised, at least 0.
        """
        found: Tensor = self.blocks(self._inputs(X, codes))
        return found


class PeriodicEmbedding(nn.Module):
    """Waves of each number, mixed column by column.

    Parameters
    ----------
    n_features : int
        Columns of numbers.
    n_frequencies : int
        Waves of each.
    n_out : int
        Numbers that they become.
    sigma : float
        Standard deviation of the frequencies at the start.
    """

    def __init__(self, n_features: int, n_frequencies: int, n_out: int, sigma: float) -> None:
        super().__init__()
        n_waves = 2 * n_frequencies
        bound = n_waves**-0.5  # as torch starts a linear layer
        self.frequencies = nn.Parameter(sigma * torch.randn(n_features, n_frequencies))
        self.weight = nn.Parameter(torch.empty(n_features, n_waves, n_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(n_features, n_out).uniform_(-bound, bound))

    def forward(self, X: Tensor) -> Tensor:
        """Return the embedding of each number.

        Parameters
        ----------
        X : Tensor of shape (n, n_features)
            Numbers.

        Returns
        -------
        Tensor of shape (n, n_features, n_out)
            At least 0.
        """
        angles = 2 * math.pi * self.frequencies * X[:, :, None]
        waves = torch.cat([angles.cos(), angles.sin()], dim=2)
        return torch.relu(torch.einsum("nfw,fwo->nfo", waves, self.weight) + self.bias)
