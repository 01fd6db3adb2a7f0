"""A table as tensors on the device where the net is: batches are selections of rows."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from imbkit._core.types import IntArray
from imbkit.nets._batch_sampler import BaseBatchSampler

__all__ = ["Batches", "TensorTable"]


class TensorTable(Dataset[Any]):
    """Columns of a table, and its target.

    Parameters
    ----------
    X : mapping of str to Tensor
        Inputs and what else belongs to rows, each of shape (n, ...).
    y : Tensor of shape (n,) or (n, n_labels)
        Target.
    """

    def __init__(self, X: Mapping[str, Tensor], y: Tensor) -> None:
        self.X, self.y = dict(X), y

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, at: Any) -> tuple[dict[str, Tensor], Tensor]:
        return {name: value[at] for name, value in self.X.items()}, self.y[at]

    def part(self, rows: IntArray) -> "TensorTable":
        """Return some rows."""
        at = torch.as_tensor(rows, device=self.y.device)
        return TensorTable(*self[at])

    def to(self, device: Any) -> "TensorTable":
        """Return the table on a device."""
        X = {name: value.to(device) for name, value in self.X.items()}
        return TensorTable(X, self.y.to(device))


class Batches:
    """Batches of a table, in the order of a sampler or of the rows.

    Parameters
    ----------
    table : TensorTable
        Rows, on the device.
    batch_size : int
        Rows a batch, where there is no sampler.
    sampler : BaseBatchSampler, default=None
        What batches are made of; None goes through the rows once, in their order.
    epoch : int, default=0
        Number of the next epoch, which batches of a sampler depend on.
    """

    def __init__(
        self,
        table: TensorTable,
        batch_size: int,
        sampler: BaseBatchSampler | None = None,
        epoch: int = 0,
    ) -> None:
        self.table, self.batch_size, self.sampler = table, batch_size, sampler
        self.epoch = epoch

    def __len__(self) -> int:
        if self.sampler is not None:
            return len(self.sampler)
        return -(-len(self.table) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        if self.sampler is None:
            for low in range(0, len(self.table), self.batch_size):
                yield self.table[low : low + self.batch_size]
            return
        epoch, self.epoch = self.epoch, self.epoch + 1
        device = self.table.y.device
        # One copy of all positions to the device; a batch is then a slice of them.
        parts = list(self.sampler.batches(epoch))
        order = torch.as_tensor(np.concatenate(parts), device=device)
        groups = self._groups(self.sampler, parts)
        low = 0
        for part in parts:
            places = slice(low, low + len(part))
            batch = self.table[order[places]]
            if groups is not None:
                batch[0]["group"] = groups[places]
            yield batch
            low = places.stop

    def _groups(self, sampler: BaseBatchSampler, parts: list[IntArray]) -> Tensor | None:
        """Return the groups that a sampler knows, of all rows of an epoch."""
        if "group" not in sampler.serves:
            return None
        found = [sampler.groups_of(part) for part in parts]
        known = [each for each in found if each is not None]
        if len(known) < len(found):
            return None
        return torch.as_tensor(np.concatenate(known), device=self.table.y.device)
