"""Save the recommended model without its training parts, in a file that runs no code on loading."""

from pathlib import Path
from typing import Any

from imbkit._core.messages import listing, message, require
from imbkit.bench._files import write_bytes
from imbkit.exceptions import OutputError
from imbkit.pipeline import deployable
from imbkit.pipeline._deployable import check_same

__all__ = ["save_model"]


def save_model(model: Any, path: Path, X_sample: Any) -> list[str]:
    """Save what ships of a fitted model, after it was loaded again and gave the same answers.

    Parameters
    ----------
    model : estimator
        A fitted estimator; :func:`~imbkit.pipeline.deployable` says what ships of it.
    path : Path
        File to write, usually ``model.skops``; its directory exists.
    X_sample : table of shape (n_rows, n_features)
        Rows on which the model, what ships and what is loaded must be exactly equal.

    Returns
    -------
    list of str
        Sorted names of the types in the file that skops does not trust by itself: whoever
        loads the file passes those that are known to be harmless.

    Raises
    ------
    OutputError
        If the model cannot be saved so that it can be loaded elsewhere, or the file cannot
        be written. The file that was there is unchanged.
    MissingExtraError
        If skops is not installed.
    """
    skops = require("skops.io", "compare", "compare")
    try:
        shipped = deployable(model, X_sample)
        data = skops.dumps(shipped)
        untrusted = sorted(skops.get_untrusted_types(data=data))
    except Exception as error:  # skops and the parts of a model fail in ways of their own
        raise _not_saved(f"{type(error).__name__}: {error}") from error
    homeless = [name for name in untrusted if name.startswith("__main__.") or "<" in name]
    if homeless:
        raise _not_saved(f"{listing(homeless)}, which no other process can import")
    try:
        check_same(shipped, skops.loads(data, trusted=untrusted), X_sample)
    except Exception as error:
        raise _not_saved(f"{type(error).__name__} on loading: {error}") from error
    write_bytes(path, data)
    return untrusted


def _not_saved(reason: str) -> OutputError:
    rule = "the model must be one that skops can save and load again"
    todo = "Use parts that can be imported by name, such as functions of a module of your own"
    return OutputError(message("compare", rule, reason.rstrip("."), todo))
