"""Blocks of layers with a way around each."""

from collections.abc import Sequence

from torch import Tensor, nn

from imbkit._core.card import Card
from imbkit.losses._checks import check_number
from imbkit.nets._base_body import BaseBody, check_count
from imbkit.nets._batch_norm import BatchNorm

__all__ = ["ResidualBlocks", "ResidualMLP"]


class ResidualMLP(BaseBody):
    """Blocks whose results are added to what came in.

    Choose it over `MLP` for tables with many rows, where more layers pay: they train as easily
    as few, at several times the cost. It normalises over the batch: with a sampler that
    balances classes, the statistics kept for prediction are those of balanced batches.

    Parameters
    ----------
    n_features : int
        Columns of numbers, 0 or more.
    n_outputs : int
        Logits of a row, 1 or more.
    cardinalities : sequence of int, default=()
        Codes of each categorical column, the code 0 (unknown or missing) among them. Each
        column becomes min(50, ceil(1.6 c^0.56)) numbers.
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
    MLP : Plain layers, and faster.
    TabularNet : These blocks after an embedding of each number.

    Notes
    -----
    A linear layer, then blocks x + dropout(linear(dropout(relu(linear(norm(x)))))), then norm,
    relu and the head. Different from the paper: it tuned all sizes for each table and has no
    defaults; categories become vectors whose size depends on their number, not one size for
    all columns; a batch of one row is normalised by the running statistics.

    References
    ----------
    Y. Gorishniy, I. Rubachev, V. Khrulkov, A. Babenko, "Revisiting deep learning models for
    tabular data", NeurIPS, 2021, doi:10.48550/arXiv.2106.11959.

    Examples
    --------
    >>> import torch
    >>> from imbkit.nets import ResidualMLP
    >>> net = ResidualMLP(n_features=4, n_outputs=3, width=16)
    >>> X = torch.zeros(5, 4)
    >>> net.embed(X).shape, net(X).shape
    (torch.Size([5, 16]), torch.Size([5, 3]))
    """

    card = Card(
        paper="Gorishniy et al. (2021), doi:10.48550/arXiv.2106.11959",
        cases=(
            {"width": 8},
            {"width": 8, "n_blocks": 1, "hidden_factor": 0.5, "residual_dropout": 0.1},
        ),
    )
    names = ("residual", "residual_mlp", "resnet")

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        cardinalities: Sequence[int] = (),
        *,
        width: int = 128,
        n_blocks: int = 2,
        hidden_factor: float = 2.0,
        dropout: float = 0.15,
        residual_dropout: float = 0.0,
    ) -> None:
        super().__init__(n_features, n_outputs, cardinalities)
        who = "ResidualMLP"
        self.width = check_count(width, who, "width")
        self.n_blocks = check_count(n_blocks, who, "n_blocks", low=0)
        self.hidden_factor = check_number(
            hidden_factor, who, "hidden_factor", low=0.0, open_low=True
        )
        self.dropout = check_number(dropout, who, "dropout", low=0.0, high=1.0)
        self.residual_dropout = check_number(
            residual_dropout, who, "residual_dropout", low=0.0, high=1.0
        )
        self.blocks = ResidualBlocks(
            self.n_features + self.categories.width,
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


class ResidualBlocks(nn.Module):
    """A linear layer, blocks with a way around each, and a normalisation.

    Parameters
    ----------
    n_in : int
        Numbers of a row.
    width : int
        Numbers between the blocks.
    n_blocks : int
        Blocks.
    hidden_factor : float
        Numbers inside a block, as a multiple of `width`.
    dropout, residual_dropout : float
        Shares left out in training, inside a block and of its result.
    """

    def __init__(
        self,
        n_in: int,
        width: int,
        n_blocks: int,
        *,
        hidden_factor: float,
        dropout: float,
        residual_dropout: float,
    ) -> None:
        super().__init__()
        hidden = max(1, round(width * hidden_factor))
        self.first = nn.Linear(n_in, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                BatchNorm(width),
                nn.Linear(width, hidden),
                nn.ReLU(),
                nn.Dropout(dropout),
                nn.Linear(hidden, width),
                nn.Dropout(residual_dropout),
            )
            for _ in range(n_blocks)
        )
        self.last = nn.Sequential(BatchNorm(width), nn.ReLU())

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the embedding of each row.

        Parameters
        ----------
        inputs : Tensor of shape (n, n_in)
            Rows.

        Returns
        -------
        Tensor of shape (n, width)
            At least 0.
        """
        state: Tensor = self.first(inputs)
        for block in self.blocks:
            state = state + block(state)
        found: Tensor = self.last(state)
        return found
