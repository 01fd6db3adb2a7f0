"""The protocol of a body: numbers and codes in, an embedding, then a head."""

import inspect
from abc import abstractmethod
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from imbkit._core.messages import message
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.nets._category_embedding import CategoryEmbedding

__all__ = ["BaseBody", "check_count"]


class BaseBody(nn.Module):
    """What every body answers; `embed` and the layer `head` must be written.

    Parameters
    ----------
    n_features : int
        Columns of numbers.
    n_outputs : int
        Logits of a row.
    cardinalities : sequence of int
        Codes of each categorical column, 0 for unknown or missing among them.
    """

    #: Looked for by the catalogue: a class with this mark is a method, and carries a card.
    _is_method: ClassVar[bool] = True
    #: Its names in ``get_body``, the first being the usual one.
    names: ClassVar[tuple[str, ...]] = ()

    #: The last layer, torch's linear one or a `CosineHead`.
    head: nn.Module
    #: Numbers of an embedding.
    width: int

    def __init__(self, n_features: int, n_outputs: int, cardinalities: Sequence[int]) -> None:
        super().__init__()
        who = type(self).__name__
        self.n_features = check_count(n_features, who, "n_features", low=0)
        self.n_outputs = check_count(n_outputs, who, "n_outputs")
        self.cardinalities = tuple(
            check_count(each, who, "cardinalities", what="integers") for each in cardinalities
        )
        if not self.n_features and not self.cardinalities:
            raise InvalidParameterError(message(who, "needs a column at least"))
        self.numbers: nn.Module = nn.Identity()
        self.categories = CategoryEmbedding(self.cardinalities)

    @abstractmethod
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
            The embedding.
        """

    def forward(self, X: Tensor, codes: Tensor | None = None) -> Tensor:
        """Return the logits of each row.

        Parameters
        ----------
        X : Tensor of float32, shape (n, n_features)
            Numbers, standardised and without missing values.
        codes : Tensor of int64, shape (n, n_categorical), default=None
            Codes of the categorical columns, where there are any.

        Returns
        -------
        Tensor of shape (n, n_outputs)
            What the last layer makes of the embedding.
        """
        logits: Tensor = self.head(self.embed(X, codes))
        return logits

    def head_weight(self) -> Tensor:
        """Return the weights of the last layer, for losses that ask for them.

        Returns
        -------
        Tensor of shape (n_outputs, width)
            A row for each output.
        """
        weight: Tensor = self.head.get_parameter("weight")
        return weight

    def extra_repr(self) -> str:
        """Return the parameters, as they were given.

        Returns
        -------
        str
            Name and value of each.
        """
        names = inspect.signature(type(self)).parameters
        return ", ".join(f"{name}={getattr(self, name, None)!r}" for name in names)

    def _inputs(self, X: Tensor, codes: Tensor | None) -> Tensor:
        """Return numbers and embedded categories side by side."""
        if X.ndim != 2 or X.shape[1] != self.n_features:
            rule = f"X must have {self.n_features} columns of numbers"
            raise DataError(message(type(self).__name__, rule, f"shape {tuple(X.shape)}"))
        numbers: Tensor = self.numbers(X).flatten(1)
        if not self.cardinalities:
            return numbers
        return torch.cat([numbers, self.categories(codes)], dim=1)


def check_count(value: Any, who: str, name: str, *, low: int = 1, what: str = "an integer") -> int:
    """Return a parameter as an integer, or complain.

    Parameters
    ----------
    value : object
        What was given.
    who, name : str
        The class and its parameter.
    low : int, default=1
        The smallest that is permitted.
    what : str, default="an integer"
        What it must be.
    """
    if isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= low:
        return int(value)
    rule = f"{name} must be {what} of at least {low}"
    raise InvalidParameterError(message(who, rule, value))
