"""What a bug report needs to say about the machine."""

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version

__all__ = ["show_versions"]


def show_versions() -> None:
    """Print the versions of Python, imbkit and the packages it works with.

    Paste the output into a bug report. Nothing is imported for it but threadpoolctl, so it
    also works where one of the packages is broken.

    See Also
    --------
    sklearn.show_versions : The same for scikit-learn.

    Examples
    --------
    >>> import imbkit
    >>> imbkit.show_versions()  # doctest: +SKIP
    python          3.11.7
    imbkit          0.1.0
    numpy           2.4.6
    ...
    """
    rows = {
        "python": platform.python_version(),
        "executable": sys.executable,
        "machine": platform.platform(),
        **{name: _version_of(name) for name in ["imbkit", *_packages()]},
        **_thread_pools(),
    }
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:{width}}  {value}")


def _packages() -> list[str]:
    """Names of what imbkit and its extras install, tests and documentation apart."""
    try:
        lines = requires("imbkit") or []
    except PackageNotFoundError:
        return []
    lines = [line for line in lines if not re.search(r"extra == .(test|doc)\b", line)]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines]
    return [name for name in dict.fromkeys(names) if name != "imbkit"]


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _thread_pools() -> dict[str, str]:
    """Threads of each numerical library that is loaded."""
    from threadpoolctl import threadpool_info

    pools = {}
    for pool in threadpool_info():
        name = pool.get("internal_api") or pool.get("user_api") or "threads"
        pools[f"threads of {name}"] = f"{pool.get('num_threads')} ({pool.get('version')})"
    return pools
