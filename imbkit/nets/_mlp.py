"""Layers one after the other."""

from collections.abc import Iterable, Sequence
from typing import Final

from torch import Tensor, nn

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._checks import check_choice, check_number
from imbkit.nets._base_body import BaseBody, check_count
from imbkit.nets._batch_norm import BatchNorm

__all__ = ["MLP"]

_ACTIVATIONS: Final[dict[str, type[nn.Module]]] = {
    "gelu": nn.GELU,
    "leaky_relu": nn.LeakyReLU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class MLP(BaseBody):
    """Fully connected layers, the plain net.

    Choose it first: it is by far the fastest body and rarely much worse than the others. Where
    it falls behind boosted trees, try `TabularNet`. A body has no say in how probabilities
    come out, which is the matter of the loss; a large one on few rows is too sure of itself.

    Parameters
    ----------
    n_features : int
        Columns of numbers, 0 or more.
    n_outputs : int
        Logits of a row, 1 or more.
    cardinalities : sequence of int, default=()
        Codes of each categorical column, the code 0 (unknown or missing) among them. Each
        column becomes min(50, ceil(1.6 c^0.56)) numbers.
    hidden : sequence of int, default=(128, 128)
        Numbers of each hidden layer; without any the net is linear.
    activation : {"relu", "gelu", "silu", "tanh", "leaky_relu"}, default="relu"
        What follows each hidden layer.
    dropout : float, default=0.0
        Share of each hidden layer that is left out in training, from 0 to 1.
    batch_norm : bool, default=False
        Whether hidden layers are normalised over the batch before their activation. The mix of
        classes in the batches then matters at prediction too, so it does not go well with
        samplers that change it.

    See Also
    --------
    ResidualMLP : Deeper, with a way around each block.
    TabularNet : The same, after an embedding of each number.

    Notes
    -----
    Linear, (batch norm), activation, (dropout) for each hidden layer, then a linear head; the
    embedding is what comes out of the last activation. A batch of one row is normalised by the
    running statistics. Time for a row is proportional to the number of weights.

    References
    ----------
    Y. Gorishniy, I. Rubachev, V. Khrulkov, A. Babenko, "Revisiting deep learning models for
    tabular data", NeurIPS, 2021, doi:10.48550/arXiv.2106.11959.

    Examples
    --------
    >>> import torch
    >>> from imbkit.nets import MLP
    >>> net = MLP(n_features=4, n_outputs=3, hidden=(16, 8))
    >>> X = torch.zeros(5, 4)
    >>> net.embed(X).shape, net(X).shape
    (torch.Size([5, 8]), torch.Size([5, 3]))
    """

    card = Card(
        paper="Gorishniy et al. (2021), doi:10.48550/arXiv.2106.11959",
        cases=({"hidden": (8,)}, {"hidden": (8, 4), "batch_norm": True, "dropout": 0.2}),
    )
    names = ("mlp",)

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        cardinalities: Sequence[int] = (),
        *,
        hidden: Sequence[int] = (128, 128),
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
    ) -> None:
        super().__init__(n_features, n_outputs, cardinalities)
        if isinstance(hidden, str) or not isinstance(hidden, Iterable):
            rule = "hidden must be a sequence of integers, one for each hidden layer"
            raise InvalidParameterError(message("MLP", rule, hidden))
        self.hidden = tuple(check_count(h, "MLP", "hidden", what="integers") for h in hidden)
        self.activation = check_choice(activation, _ACTIVATIONS, "MLP", "activation")
        self.dropout = check_number(dropout, "MLP", "dropout", low=0.0, high=1.0)
        self.batch_norm = check_choice(batch_norm, (False, True), "MLP", "batch_norm")
        layers: list[nn.Module] = []
        self.width = self.n_features + self.categories.width
        for size in self.hidden:
            layers.append(nn.Linear(self.width, size))
            if self.batch_norm:
                layers.append(BatchNorm(size))
            layers.append(_ACTIVATIONS[self.activation]())
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
            self.width = size
        self.layers = nn.Sequential(*layers)
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
            The last hidden layer; the inputs if there is none.
        """
        found: Tensor = self.layers(self._inputs(X, codes))
        return found
