"""The functions of the hidden layer, written once for NumPy and torch."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

__all__ = ["ACTIVATIONS", "Activation"]

Activation: TypeAlias = Callable[[Any, Any], Any]
"""``activation(z, xp)``: an array of the shape of z, by the functions of xp; z may be lost."""

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_LEAK = 0.1


def _relu(z: Any, xp: Any) -> Any:
    return xp.clip(z, 0, None, out=z)


def _leaky_relu(z: Any, xp: Any) -> Any:
    # A factor made of a comparison would be in single precision with torch.
    return xp.where(z > 0, z, _LEAK * z)


def _selu(z: Any, xp: Any) -> Any:
    left = z * (z < 0)
    return _SELU_SCALE * ((z - left) + _SELU_ALPHA * xp.expm1(left))


def _sigmoid(z: Any, xp: Any) -> Any:
    # Half a tanh: no overflow at either end.
    z *= 0.5
    xp.tanh(z, out=z)
    z *= 0.5
    z += 0.5
    return z


def _tanh(z: Any, xp: Any) -> Any:
    return xp.tanh(z, out=z)


def _sin(z: Any, xp: Any) -> Any:
    return xp.sin(z, out=z)


def _radbas(z: Any, xp: Any) -> Any:
    z *= -z
    return xp.exp(z, out=z)


def _tribas(z: Any, xp: Any) -> Any:
    return _relu(1 - abs(z), xp)


def _hardlim(z: Any, xp: Any) -> Any:
    return 0.5 * (xp.sign(z) + 1)


def _identity(z: Any, xp: Any) -> Any:
    return z


ACTIVATIONS: Mapping[str, Activation] = {
    "hardlim": _hardlim,
    "identity": _identity,
    "leaky_relu": _leaky_relu,
    "radbas": _radbas,
    "relu": _relu,
    "selu": _selu,
    "sigmoid": _sigmoid,
    "sin": _sin,
    "tanh": _tanh,
    "tribas": _tribas,
}
