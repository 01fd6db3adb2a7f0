"""Where the arithmetic runs: NumPy on the processor, or torch on what it finds."""

from importlib import import_module
from typing import Any, Protocol

import numpy as np

from imbkit._core.messages import message, require
from imbkit._core.types import AnyArray, FloatArray
from imbkit.exceptions import InvalidParameterError

__all__ = ["Device", "NumpyDevice", "on_device"]

_ROWS = 2048  # measured by benchmarks/rvfl.py
_MANY_ROWS = 2**30
_WIDE = 1024  # columns of rows from which sums are too large to have several of: 8 MiB each


class Device(Protocol):
    """The few operations that hidden layers and sums over rows are made of.

    `xp` has the functions of the array standard that activations use; arrays of a device are
    float64 and are seen by these methods alone. `rows` are as many as pay at a time: fewer, and
    products of matrices are slow; more, and what is made of them leaves the cache.
    """

    xp: Any
    name: str
    rows: int

    def empty(self, rows: int, columns: int) -> Any:
        """Return an array of the device with any values."""

    def zeros(self, rows: int, columns: int) -> Any:
        """Return an array of the device with zeros."""

    def put(self, values: AnyArray) -> Any:
        """Return the values as an array of the device."""

    def get(self, values: Any) -> FloatArray:
        """Return an array of the device as a NumPy array."""

    def has_lanes(self, width: int) -> bool:
        """Whether threads with sums of their own pay, for rows of that many columns."""

    def add_square(self, total: Any, rows: Any) -> None:
        """Add ``rows.T @ rows`` to a square array of the device."""


class NumpyDevice:
    """The processor, by NumPy."""

    xp: Any = np
    name = "cpu (numpy)"
    rows = _ROWS

    def empty(self, rows: int, columns: int) -> FloatArray:
        """Return an array with any values."""
        return np.empty((rows, columns))

    def zeros(self, rows: int, columns: int) -> FloatArray:
        """Return an array of zeros."""
        return np.zeros((rows, columns))

    def put(self, values: AnyArray) -> FloatArray:
        """Return the values in float64."""
        return np.ascontiguousarray(values, dtype=np.float64)

    def get(self, values: Any) -> FloatArray:
        """Return the values."""
        return np.asarray(values)

    def has_lanes(self, width: int) -> bool:
        """Whether sums of rows of that many columns are small enough to have several."""
        return width <= _WIDE

    def add_square(self, total: FloatArray, rows: FloatArray) -> None:
        """Add ``rows.T @ rows``, of which NumPy computes one half."""
        total += rows.T @ rows


class TorchDevice:
    """A processor or an accelerator, by torch."""

    def __init__(self, where: str) -> None:
        self.xp = import_module("torch")
        self._where = self.xp.device(where)
        self.name = f"{where} (torch)"
        self.rows = _ROWS if where == "cpu" else _MANY_ROWS

    def empty(self, rows: int, columns: int) -> Any:
        """Return an array of the device with any values."""
        return self.xp.empty((rows, columns), dtype=self.xp.float64, device=self._where)

    def zeros(self, rows: int, columns: int) -> Any:
        """Return an array of the device with zeros."""
        return self.xp.zeros((rows, columns), dtype=self.xp.float64, device=self._where)

    def put(self, values: AnyArray) -> Any:
        """Return the values in float64, on the device."""
        return self.xp.as_tensor(np.ascontiguousarray(values, dtype=np.float64), device=self._where)

    def get(self, values: Any) -> FloatArray:
        """Return a NumPy array of the values."""
        return np.asarray(values.cpu().numpy())

    def has_lanes(self, width: int) -> bool:
        """Torch has threads of its own."""
        return False

    def add_square(self, total: Any, rows: Any) -> None:
        """Add ``rows.T @ rows``."""
        total.addmm_(rows.T, rows)


def on_device(device: str | None, who: str) -> Device:
    """Return what computes on a device.

    Parameters
    ----------
    device : {"cpu", "cuda", "auto"} or None
        None is NumPy. "auto" is torch's accelerator if torch is installed and finds one, else
        NumPy.
    who : str
        The class that messages speak for.
    """
    if device is None:
        return NumpyDevice()
    if device == "auto":
        try:
            torch = import_module("torch")
        except ModuleNotFoundError:
            return NumpyDevice()
        return TorchDevice("cuda") if torch.cuda.is_available() else NumpyDevice()
    require("torch", "nets", f"{who}(device={device!r})")
    torch = import_module("torch")
    if device == "cuda" and not torch.cuda.is_available():
        rule = "device 'cuda' needs an accelerator that torch finds"
        raise InvalidParameterError(message(who, rule, "none", "Use 'auto', 'cpu' or None"))
    return TorchDevice(device)
