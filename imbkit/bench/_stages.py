"""Read a target whose classes are stages in an order, of which the last is the one that counts."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from imbkit._core.messages import listing, message, nearest_names, shorten
from imbkit._core.types import AnyArray
from imbkit.bench._target import Stages, Target, check_labels, check_number_of_classes, label_text
from imbkit.exceptions import DataError, InvalidParameterError

__all__ = ["check_order", "is_no", "read_stages"]

EARLIER = "an earlier stage"
WHO = "ordered"


def check_order(ordered: Any) -> None:
    """Complain of an order that no target could have.

    Raises
    ------
    InvalidParameterError
        If it is neither a list of two labels or more, each once, nor True.
    """
    rule = "the stages must be a list of labels from first to last, or True"
    todo = 'Write for instance --ordered none,cart,buy (ordered=["none", "cart", "buy"])'
    if ordered is None or isinstance(ordered, (bool, np.bool_)):
        return
    if isinstance(ordered, (str, bytes)) or not isinstance(ordered, Collection):
        raise InvalidParameterError(message(WHO, rule, ordered, todo))
    if isinstance(ordered, (set, frozenset)):
        got = "a set, which has no order"
        raise InvalidParameterError(message(WHO, rule, got, todo))
    texts = [label_text(label) for label in ordered]
    if len(texts) < 2:
        rule = "at least two stages must be named, from first to last"
        got = f"only {texts[0]!r}" if texts else "none"
        raise InvalidParameterError(message(WHO, rule, got, todo))
    twice = [text for text in dict.fromkeys(texts) if texts.count(text) > 1]
    if twice:
        rule = "every stage must be named once"
        raise InvalidParameterError(message(WHO, rule, f"{listing(twice)} more than once"))


def is_no(ordered: Any) -> bool:
    """Whether an order is declined in so many words."""
    return isinstance(ordered, (bool, np.bool_)) and not ordered


def read_stages(y: ArrayLike, ordered: Any, name: str) -> Target:
    """Return a target of two classes, the last stage and the earlier ones, with its stages.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels: numbers, strings or booleans.
    ordered : sequence or True
        The labels from first to last, as values or as text. True takes the order that the
        labels have themselves: that of an ordered categorical, else of numbers.
    name : str
        For messages.

    Raises
    ------
    DataError
        If labels are missing, of several types, continuous, or only one occurs.
    InvalidParameterError
        If a label has no place in the order, a stage does not occur, or labels without an
        order of their own come without one.
    """
    labels = check_labels(np.asarray(y), name)
    values, codes = np.unique(labels, return_inverse=True)
    texts = [label_text(value) for value in values]
    if len(values) < 2:
        rule = "the target must have at least two stages"
        raise DataError(message("compare", rule, f"only {texts[0]} in {name}"))
    check_number_of_classes(values, name)
    asked = _own_order(y, values, texts, name) if isinstance(ordered, (bool, np.bool_)) else ordered
    order = _places([label_text(label) for label in asked], texts, name)
    stages = Stages(
        codes=np.argsort(order)[codes.reshape(-1)].astype(np.intp),
        labels=tuple(texts[k] for k in order),
        values=tuple(values[order].tolist()),
    )
    last = len(order) - 1
    return Target(
        name,
        "binary",
        (stages.codes == last).astype(np.intp),
        (_earlier(stages.labels), stages.labels[last]),
        (stages.values[:last], stages.values[last:]),
        stages,
    )


def _earlier(labels: Sequence[str]) -> str:
    """Return the negative class in words, never those of the positive one."""
    if len(labels) == 2:
        return labels[0]
    return EARLIER if labels[-1] != EARLIER else "any other stage"


def _own_order(y: Any, values: AnyArray, texts: list[str], name: str) -> Sequence[object]:
    """Return the order that labels have by themselves, or ask for one."""
    # The libraries' types are told by what they have, as neither may be imported here.
    kind: Any = getattr(y, "dtype", None)
    enum = type(kind).__module__.startswith("polars") and type(kind).__name__ == "Enum"
    if enum or getattr(kind, "ordered", False):
        return list(kind.categories)
    if values.dtype.kind == "U":
        rule = "labels that are texts must be put into an order by you"
        got = f"no order of {listing(texts)} in {name}"
        todo = "Name them from first to last, the rare one last: --ordered A,B,C (ordered=[...])"
        raise InvalidParameterError(message(WHO, rule, got, todo))
    return list(values.tolist())


def _places(asked: list[str], texts: list[str], name: str) -> list[int]:
    """Return the number of each stage among the sorted labels, from first to last."""
    for label in asked:
        if label not in texts:
            near = nearest_names(label, [text for text in texts if text not in asked])
            rule = "every stage must occur in the target"
            todo = f"Did you mean {listing(near)}?" if near else f"Labels are {listing(texts, 20)}"
            if not near and any("," in text for text in texts):
                todo += "; on a command line one with a comma stands in double quotation marks"
            got = f"{shorten(label)}, which is not in {name}"
            raise InvalidParameterError(message(WHO, rule, got, todo))
    missed = [text for text in texts if text not in asked]
    if missed:
        rule = "every label of the target must have its place in the order"
        got = f"none for {listing(missed)} in {name}"
        todo = "Name all labels from first to last, the rare one last, or drop those rows"
        raise InvalidParameterError(message(WHO, rule, got, todo))
    return [texts.index(label) for label in asked]
