"""Write a file whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

from imbkit._core.messages import message, shorten
from imbkit.exceptions import OutputError

__all__ = ["ensure_directory", "write_bytes", "write_text"]


def write_text(path: Path, text: str) -> None:
    """Write a text file as :func:`write_bytes` does.

    Parameters
    ----------
    path : Path
        File to write; its directory exists.
    text : str
        The content. It is written as UTF-8; a lone surrogate, which UTF-8 cannot hold,
        becomes a backslash escape.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    The data go to a temporary file beside `path`, to the disc, and only then take the place
    of the old file.

    Parameters
    ----------
    path : Path
        File to write; its directory exists.
    data : bytes
        The content.

    Raises
    ------
    OutputError
        If it cannot be written: the disc is full, the directory read-only. The old file, if
        there was one, is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        rule = "results must be written to the output directory"
        got = f"{error.strerror or error} for {shorten(str(path), 200)}"
        todo = "Make room there or name another directory; the file that was there is unchanged"
        raise OutputError(message("compare", rule, got, todo)) from error


def ensure_directory(path: Path) -> None:
    """Make a directory, with its parents, and see that files can be written to it.

    Raises
    ------
    OutputError
        If something else has this name, or nothing can be written there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Permission bits do not tell of read-only file systems, and root ignores them.
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        rule = "the output directory must be one that files can be written to"
        got = f"{error.strerror or error} for {shorten(str(path), 200)}"
        todo = "Name another directory with --output (output=)"
        raise OutputError(message("compare", rule, got, todo)) from error
