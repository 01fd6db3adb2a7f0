"""Compile every kernel ahead, so that no later call waits for it."""

import pkgutil
from importlib import import_module

from imbkit import _kernels

__all__ = ["warmup"]


def warmup() -> None:
    """Compile every kernel for the types in use, or load it from the cache on disk.

    Notes
    -----
    Small inputs need no kernel, so this is worth its seconds only before timed work or before
    a process forks: a fork inherits compiled kernels. Each module of kernels says by its
    function ``warm`` what to call.

    Examples
    --------
    >>> import imbkit
    >>> imbkit.warmup()
    """
    for module in pkgutil.iter_modules(_kernels.__path__):
        if not module.name.startswith("_"):
            import_module(f"{_kernels.__name__}.{module.name}").warm()
