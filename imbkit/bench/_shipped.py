"""Save the recommended model without its training parts, in a file that runs no code on loading."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imbkit._core.messages import listing, message, require, shorten
from imbkit.bench._files import write_bytes
from imbkit.exceptions import OutputError
from imbkit.pipeline import deployable
from imbkit.pipeline._deployable import check_same

__all__ = ["load_model", "save_model"]


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


def load_model(path: Path, trusted: Sequence[str] = ()) -> Any:
    """Load a model that :func:`save_model` wrote.

    Parameters
    ----------
    path : Path
        The file.
    trusted : sequence of str, default=()
        Names of types that may be made beside those that skops trusts by itself.

    Returns
    -------
    estimator
        The fitted model.

    Raises
    ------
    OutputError
        If the file cannot be read, is no such file, or holds types that are not trusted.
    MissingExtraError
        If skops is not installed.
    """
    skops = require("skops.io", "compare", "compare")
    rule = "the saved model must be a whole file of skops"
    try:
        data = path.read_bytes()
        strange = sorted(set(skops.get_untrusted_types(data=data)) - set(trusted))
    except Exception as error:
        got = f"{getattr(error, 'strerror', None) or error} for {shorten(str(path), 200)}"
        raise OutputError(message("compare", rule, got, "Run the comparison again")) from error
    if strange:
        rule = "every type in the saved model must be trusted"
        todo = "Look at these types, and pass them as trusted if they are harmless"
        raise OutputError(message("compare", rule, ", ".join(strange), todo))
    return skops.loads(data, trusted=list(trusted))


def _not_saved(reason: str) -> OutputError:
    rule = "the model must be one that skops can save and load again"
    todo = "Use parts that can be imported by name, such as functions of a module of your own"
    return OutputError(message("compare", rule, reason.rstrip("."), todo))
