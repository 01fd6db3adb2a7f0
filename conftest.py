"""What is left out where torch or skorch is not installed: all that needs them to be imported."""

from importlib.util import find_spec

_MISSING = [name for name in ("torch", "skorch") if find_spec(name) is None]
_NETS = ["imbkit/losses", "imbkit/nets", "tests/losses", "tests/nets"]

collect_ignore = _NETS if _MISSING else []


def pytest_report_header():
    """Say what is left out, and why."""
    if not _MISSING:
        return None
    left_out = ", ".join(_NETS)
    return f"left out, as {' and '.join(_MISSING)} (extra: nets) is not installed: {left_out}"
