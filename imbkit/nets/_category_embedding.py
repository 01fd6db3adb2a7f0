"""Vectors for the levels of categorical columns."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from imbkit._core.messages import message
from imbkit.exceptions import DataError

__all__ = ["CategoryEmbedding", "embedding_width"]


def embedding_width(cardinality: int) -> int:
    """Return how many numbers stand for a level of a column with so many codes."""
    return min(50, math.ceil(1.6 * math.pow(cardinality, 0.56)))


class CategoryEmbedding(nn.Module):
    """A learned vector for each code of each column, side by side.

    Code 0, unknown or missing, starts as zeros: a level that was never seen while training adds
    nothing, and one that stands for missing values is learned as any other. The other vectors
    start with a length of about 1, as a standardised number has.

    Parameters
    ----------
    cardinalities : sequence of int
        Codes of each column, the code 0 among them; 1 or more.
    """

    def __init__(self, cardinalities: Sequence[int]) -> None:
        super().__init__()
        self.cardinalities = tuple(cardinalities)
        widths = [embedding_width(c) for c in self.cardinalities]
        self.width = sum(widths)
        self.columns = nn.ModuleList(map(nn.Embedding, self.cardinalities, widths))
        for column, width in zip(self.columns, widths, strict=True):
            weight = column.get_parameter("weight")
            nn.init.normal_(weight, std=float(width) ** -0.5)
            nn.init.zeros_(weight[0])

    def forward(self, codes: Tensor | None) -> Tensor:
        """Return the vectors of the codes.

        Parameters
        ----------
        codes : Tensor of int64, shape (n, n_categorical)
            From 0 to below the cardinality of the column.

        Returns
        -------
        Tensor of shape (n, width)
            Column after column.
        """
        asked = len(self.cardinalities)
        if codes is None or codes.ndim != 2 or codes.shape[1] != asked:
            rule = f"codes of {asked} categorical columns must be given, shape (n, {asked})"
            got = None if codes is None else f"shape {tuple(codes.shape)}"
            raise DataError(message("CategoryEmbedding", rule, got))
        parts = [column(codes[:, j]) for j, column in enumerate(self.columns)]
        return torch.cat(parts, dim=1)
