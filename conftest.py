"""What is left out where torch or skorch is not installed: all that needs them to be imported."""

from importlib.util import find_spec

_MISSING = [name for name in ("torch", "skorch") if find_spec(name) is None]
_NETS = ["imbkit/losses", "imbkit/nets", "tests/losses", "tests/nets"]

# With their files, which may have been asked for by name.
collect_ignore_glob = [path + end for path in _NETS for end in ("", "/*")] if _MISSING else []


def pytest_report_header():
    """Say what is left out, and why."""
    if not _MISSING:
        return None
    left_out = ", ".join(_NETS)
    return f"left out ({' and '.join(_MISSING)} not installed; extra: nets): {left_out}"
