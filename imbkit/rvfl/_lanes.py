"""Sums over many rows in threads, and the same sums whatever the number of threads."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from imbkit._core.product_blocks import run_product_blocks
from imbkit.rvfl._device import Device
from imbkit.rvfl._hidden import HiddenLayer
from imbkit.rvfl._stacked import Stack
from imbkit.rvfl._statistics import Statistics

__all__ = ["add_rows"]

_LANES = 4


def add_rows(
    sums: Statistics,
    layer: HiddenLayer | Stack,
    X: Any,
    rows: Sequence[Any],
    *,
    size: int,
    device: Device,
) -> None:
    """Add rows to sums.

    Parameters
    ----------
    sums : Statistics
        What is added to.
    layer : HiddenLayer or Stack
        What expands them.
    X : ndarray or CSR matrix or array of shape (n, p)
        Columns.
    rows : sequence of four arrays
        Groups, weights, scores and targets (or None) of the rows.
    size : int
        Rows at a time.
    device : Device
        What computes.

    Notes
    -----
    Many rows are cut into four lanes with sums of their own, which are added up in their order:
    products of a chunk are too small for the threads of the linear algebra library, and what is
    between them would have one. Beside wide sums, of which four would be large, that library's
    own threads do better.
    """

    def add(own: Statistics, some: range) -> Statistics:
        groups, weights, scores, targets = rows
        for at, H in layer.chunks(X, size, device, groups, some):
            t = None if targets is None else targets[at]
            own.add(H, groups[at], weights[at], scores[at], t, spare=True)
        own.let_go()
        return own

    n_rows = X.shape[0]
    if not device.has_lanes(sums.width) or n_rows < 2 * _LANES * device.rows:
        add(sums, range(n_rows))
        return
    # The first rows set what the others' moments are taken about.
    add(sums, range(device.rows))
    edges = np.linspace(device.rows, n_rows, _LANES + 1).astype(int).tolist()

    def lane(number: int, _: int) -> Statistics:
        return add(sums.fresh(), range(edges[number], edges[number + 1]))

    for own in run_product_blocks(lane, _LANES, block=1):
        sums.merge(own)
