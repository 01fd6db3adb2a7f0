"""How far labels are from each other: by their order, their values, a tree or a matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from imbkit._core.messages import listing, message
from imbkit._core.types import AnyArray, FloatArray
from imbkit._core.warn import warn
from imbkit.exceptions import DataError, ImbkitWarning

__all__ = ["check_names", "checked_distances", "label_distances", "leaves", "tree_distances"]

# Distances that differ by less than this share of the largest one differ by rounding.
_ROUNDING = 1e-9
_SEPARATOR = "/"


def label_distances(
    metric: Any, labels: AnyArray, tree: Mapping[Any, Any] | None, who: str
) -> FloatArray:
    """Return the distance between every two labels.

    Parameters
    ----------
    metric : {"ordinal", "numeric", "discrete", "tree"} or array-like
        As :class:`FrechetMeanClassifier` takes it.
    labels : ndarray of shape (n_labels,)
        The labels, in their order.
    tree : mapping or None
        Parent of each label and inner node; without it labels are paths.
    who : str
        The class that messages speak for.

    Returns
    -------
    ndarray of shape (n_labels, n_labels)
        Finite, not negative, zero on the diagonal, symmetric.

    Raises
    ------
    DataError
        If the labels, the tree or the matrix are not what `metric` needs.
    """
    n_labels = labels.size
    if not isinstance(metric, str):
        return checked_distances(metric, labels, who)
    if metric == "discrete":
        return 1.0 - np.eye(n_labels)
    if metric == "tree":
        return tree_distances(labels.tolist(), tree, who)
    places: FloatArray = np.arange(n_labels, dtype=float)
    if metric == "numeric":
        places = _numbers(labels, who)
    return np.asarray(np.abs(places[:, np.newaxis] - places))


def checked_distances(matrix: Any, labels: AnyArray, who: str) -> FloatArray:
    """Return a matrix of distances as floats, or say why it is none.

    A matrix that breaks the triangle inequality is used with a warning.
    """
    n_labels = labels.size
    check_names(matrix, labels.tolist(), "distances", who)
    try:
        distances = np.array(matrix, dtype=float)
    except (TypeError, ValueError):
        rule = "a matrix of distances must hold numbers"
        raise DataError(message(who, rule, f"an object of type {type(matrix).__name__}")) from None
    if distances.shape != (n_labels, n_labels):
        rule = f"a matrix of distances must have one row and one column for each of the {n_labels} "
        rule += f"labels {listing(labels)}"
        raise DataError(message(who, rule, f"shape {distances.shape}"))
    finite = np.isfinite(distances)
    safe = np.where(finite, distances, 0.0)
    even = np.abs(safe - safe.T) <= _ROUNDING * np.abs(safe).max(initial=0.0)
    tests = (
        (finite, "must be finite"),
        (safe >= 0, "must not be negative"),
        (
            np.where(np.eye(n_labels, dtype=bool), safe, 0.0) == 0,
            "must be 0 from a label to itself",
        ),
        (even, "must be the same both ways"),
    )
    for good, rule in tests:
        if not good.all():
            i, j = np.argwhere(~good)[0]
            got = f"{distances[i, j]:g} from {listing(labels[[i]])} to {listing(labels[[j]])}"
            raise DataError(message(who, f"distances {rule}", got))
    _warn_of_detours(distances, labels, who)
    return np.asarray((distances + distances.T) / 2)


def tree_distances(labels: Sequence[Any], tree: Mapping[Any, Any] | None, who: str) -> FloatArray:
    """Return the number of edges between every two labels of a tree.

    Parameters
    ----------
    labels : sequence
        Nodes of the tree, inner ones allowed.
    tree : mapping or None
        Node -> parent; the root has no entry, or the parent None. Without it each label is
        the path to it, such as "attack/dos/smurf", below one root that is not written.
    who : str
        The class that messages speak for.

    Returns
    -------
    ndarray of shape (n_labels, n_labels)
        Whole numbers.

    Raises
    ------
    DataError
        If a label is no node or no path, or the mapping has a circle or several roots.
    """
    paths = [_path(label, tree, who) for label in labels]
    if tree is not None:
        roots = list(dict.fromkeys(path[0] for path in paths))
        if len(roots) > 1:
            rule = "all labels must be below one root of the tree"
            todo = "Give these the same parent"
            raise DataError(message(who, rule, listing(roots), todo))
    # Each node but the root, which all share, stands for the edge above it: what two paths do
    # not share lies between their ends.
    edges = {node: i for i, node in enumerate(dict.fromkeys(sum(paths, ())))}
    above = np.zeros((len(paths), len(edges)))
    for row, path in zip(above, paths, strict=True):
        row[[edges[node] for node in path]] = 1.0
    depth = above.sum(axis=1)
    return np.asarray(depth[:, np.newaxis] + depth - 2.0 * (above @ above.T))


def check_names(matrix: Any, labels: Sequence[Any], what: str, who: str) -> None:
    """Refuse a frame whose rows or columns are in another order than the labels.

    Parameters
    ----------
    matrix : array-like or frame of shape (n_labels, n_labels)
        Its names count, if it has any.
    labels : sequence
        The labels, in their order.
    what : str
        What the matrix holds.
    who : str
        The class that messages speak for.

    Raises
    ------
    DataError
        If the names are others.
    """
    for part in ("index", "columns"):
        names = getattr(matrix, part, None)
        # A list has a method called index.
        if names is None or callable(names):
            continue
        if list(names) != list(labels):
            rule = f"the {part} of a frame of {what} must be the labels {listing(labels)}"
            todo = "Put it in this order, or pass the bare matrix"
            raise DataError(message(who, rule, listing(names), todo))


def leaves(tree: Mapping[Any, Any]) -> list[Any]:
    """Return the nodes of a mapping node -> parent that are nobody's parent, in its order."""
    parents = {parent for parent in tree.values() if parent is not None}
    return [node for node in tree if node not in parents]


def _path(label: Any, tree: Mapping[Any, Any] | None, who: str) -> tuple[Any, ...]:
    """Return the nodes from the root down to a label."""
    if tree is None:
        parts = str(label).split(_SEPARATOR)
        if not isinstance(label, str) or not all(parts):
            rule = "with metric='tree' and no tree, labels must be paths such as 'attack/dos/smurf'"
            todo = "Pass tree={label: parent, ...} if they are not"
            raise DataError(message(who, rule, listing([label]), todo))
        return tuple(_SEPARATOR.join(parts[: i + 1]) for i in range(len(parts)))
    known = {parent for parent in tree.values() if parent is not None}
    if label not in tree and label not in known:
        rule = "every label must be a node of the tree"
        raise DataError(message(who, rule, listing([label]), "Add it with its parent"))
    path = [label]
    while tree.get(path[-1]) is not None:
        parent = tree[path[-1]]
        if parent in path:
            rule = "a tree must not have a circle"
            raise DataError(message(who, rule, listing([*path, parent])))
        path.append(parent)
    return tuple(reversed(path))


def _numbers(labels: AnyArray, who: str) -> FloatArray:
    """Return labels that are numbers."""
    rule = "with metric='numeric' the labels must be finite numbers"
    todo = "Pass metric='ordinal' for their order, or a matrix"
    if labels.dtype.kind not in "iuf":
        raise DataError(message(who, rule, listing(labels), todo))
    values = labels.astype(float)
    if not np.isfinite(values).all():
        raise DataError(message(who, rule, listing(labels), todo))
    return values


def _warn_of_detours(distances: FloatArray, labels: AnyArray, who: str) -> None:
    """Say where the way over a third label is shorter than the direct one."""
    slack = _ROUNDING * distances.max(initial=0.0)
    for k in range(labels.size):
        longer = distances > distances[:, [k]] + distances[k] + slack
        if longer.any():
            i, j = np.argwhere(longer)[0]
            a, b, c = (listing(labels[[each]]) for each in (i, j, k))
            rule = "distances should satisfy the triangle inequality"
            got = f"{distances[i, j]:g} from {a} to {b}, but "
            got += f"{distances[i, k] + distances[k, j]:g} by way of {c}"
            todo = "They are used as they are; for costs of errors take LowestCost"
            warn(message(who, rule, got, todo), ImbkitWarning)
            return
