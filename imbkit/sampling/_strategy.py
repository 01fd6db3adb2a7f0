"""How many rows of each class to make or to keep: every form of `sampling_strategy`."""

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, Literal, TypeAlias

import numpy as np

from imbkit._core.messages import listing, message, nearest_names, shorten
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.sampling._target import Target

__all__ = ["Kind", "resolve_strategy"]

Kind: TypeAlias = Literal["over-sampling", "under-sampling", "clean-sampling"]
Counts: TypeAlias = dict[Any, int]


def resolve_strategy(
    strategy: object, target: Target, kind: Kind, *, missing_classes: str, who: str
) -> Counts:
    """Return the number of rows to make (over-sampling) or to keep, for each targeted class.

    Parameters
    ----------
    strategy : str, float, mapping, list or callable
        As the samplers take it.
    target : Target
        The labels.
    kind : {"over-sampling", "under-sampling", "clean-sampling"}
        What the sampler does. Cleaning samplers look at the classes alone.
    missing_classes : {"raise", "ignore"}
        What happens to a class that is named and has no rows.
    who : str
        The class that messages speak for.

    Returns
    -------
    dict
        Class -> rows, sorted by class.

    Raises
    ------
    InvalidParameterError
        If the form does not fit the kind of sampler.
    DataError
        If it does not fit these labels.
    """
    counts = {label: int(n) for label, n in zip(target.classes, target.counts, strict=True)}
    if callable(strategy):
        # A Series or a list would be as good, but the peer passes labels as an array.
        strategy = strategy(target.labels)
        if not isinstance(strategy, (Mapping, list, str, float)):
            rule = (
                "a callable sampling_strategy must return a dictionary, a list, a string or a ratio"
            )
            raise InvalidParameterError(message(who, rule, strategy))
        if kind == "clean-sampling" and isinstance(strategy, Mapping):
            strategy = list(strategy)
    if isinstance(strategy, str):
        chosen = _by_name(strategy, counts, kind, who)
    elif isinstance(strategy, Mapping):
        named = _known(strategy, counts, missing_classes, who)
        chosen = _by_class({label: strategy[label] for label in named}, counts, kind, who)
    elif isinstance(strategy, Real):
        chosen = _by_ratio(float(strategy), counts, kind, who)
    else:
        chosen = _by_list(strategy, counts, kind, missing_classes, who)
    return {label: chosen[label] for label in counts if label in chosen}


def _by_name(name: str, counts: Counts, kind: Kind, who: str) -> Counts:
    over = kind == "over-sampling"
    # The first of several smallest or largest classes in sorted order, as in imbalanced-learn.
    smallest, largest = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    chosen: dict[str, Callable[[Any], bool]] = {
        "auto": lambda label: label != (largest if over else smallest),
        "all": lambda label: True,
        "not majority": lambda label: label != largest,
        "not minority": lambda label: label != smallest,
        ("minority" if over else "majority"): lambda label: (
            label == (smallest if over else largest)
        ),
    }
    if name not in chosen:
        samplers = "an over-sampler" if over else "an under-sampler or a cleaning sampler"
        rule = f"sampling_strategy={name!r} cannot be used with {samplers}"
        raise InvalidParameterError(message(who, rule, todo=f"Use one of {listing(chosen)}"))
    asked = counts[largest] if over else counts[smallest]
    return {
        label: asked - n if over else asked for label, n in counts.items() if chosen[name](label)
    }


def _by_ratio(ratio: float, counts: Counts, kind: Kind, who: str) -> Counts:
    if kind == "clean-sampling":
        rule = "sampling_strategy of a cleaning sampler names classes, not a ratio"
        todo = "Give a list of classes; how many rows go is up to the data"
        raise InvalidParameterError(message(who, rule, ratio, todo))
    if len(counts) != 2:
        rule = '"sampling_strategy" can be a float only when the type of target is binary'
        todo = "For several classes give a dictionary: class -> ratio, or class -> rows"
        raise DataError(message(who, rule, f"{len(counts)} classes", todo))
    smallest, largest = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    label = next(
        each for each in counts if each != (largest if kind == "over-sampling" else smallest)
    )
    return {label: _rows_for(ratio, label, counts, kind, who, strict=True)}


def _by_class(asked: Mapping[Any, Any], counts: Counts, kind: Kind, who: str) -> Counts:
    if kind == "clean-sampling":
        rule = "sampling_strategy of a cleaning sampler is a list of classes, not a dictionary"
        raise InvalidParameterError(message(who, rule, dict(asked), f"Use {list(asked)!r}"))
    return {label: _for_class(label, value, counts, kind, who) for label, value in asked.items()}


def _for_class(label: Any, value: Any, counts: Counts, kind: Kind, who: str) -> int:
    """Rows to make or keep for one entry of a dictionary: a number of rows, or a ratio."""
    rule = f"sampling_strategy must give class {shorten(label)} a number of rows or a ratio"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise InvalidParameterError(message(who, rule, shorten(value)))
    if float(value) < 0:
        rule = f"the number of samples in a class cannot be negative, for class {shorten(label)}"
        raise InvalidParameterError(message(who, rule, value))
    if not isinstance(value, Integral):
        if not 0 < float(value) <= 1:
            todo = "Write whole numbers of rows as integers; a float is a ratio in (0, 1]"
            raise InvalidParameterError(message(who, rule, value, todo))
        return _rows_for(float(value), label, counts, kind, who, strict=False)
    rows = int(value)
    if kind == "over-sampling":
        return _not_fewer(rows, label, counts, who) - counts[label]
    return _not_more(rows, label, counts, who)


def _rows_for(
    ratio: float, label: Any, counts: Counts, kind: Kind, who: str, *, strict: bool
) -> int:
    """Rows to make or keep so that a class reaches a ratio; truncated, as in imbalanced-learn.

    The ratio is that of the class to the largest one after over-sampling, of the smallest one
    to the class after under-sampling. Where a class is beyond it already, one ratio for the
    table is an error (`strict`), and a ratio of its own leaves the class as it is: in grids
    and folds that would otherwise fail by chance.
    """
    if kind == "over-sampling":
        new = int(max(counts.values()) * ratio - counts[label])
        if new <= 0 and strict:
            rule = (
                f"the ratio must be larger than what class {shorten(label)} has already; as it "
                "is, rows would have to be removed. Please increase the ratio"
            )
            now = counts[label] / max(counts.values())
            todo = f"Use more than {now:.4g}"
            raise DataError(message(who, rule, ratio, todo))
        return max(new, 0)
    rows = int(min(counts.values()) / ratio)
    if rows > counts[label] and strict:
        rule = (
            f"the ratio must be larger than what class {shorten(label)} has already; as it is, "
            "rows would have to be generated. Please increase the ratio"
        )
        now = min(counts.values()) / counts[label]
        raise DataError(message(who, rule, ratio, f"Use more than {now:.4g}"))
    return min(rows, counts[label])


def _not_fewer(rows: int, label: Any, counts: Counts, who: str) -> int:
    if rows < counts[label]:
        rule = (
            "With over-sampling methods, the number of samples in a class should be greater or "
            f"equal to the original number of samples; class {shorten(label)} has "
            f"{counts[label]:,}"
        )
        raise DataError(message(who, rule, rows, "Use an under-sampler for this class"))
    return rows


def _not_more(rows: int, label: Any, counts: Counts, who: str) -> int:
    if rows > counts[label]:
        rule = (
            "With under-sampling methods, the number of samples in a class should be less or "
            f"equal to the original number of samples; class {shorten(label)} has "
            f"{counts[label]:,}"
        )
        raise DataError(message(who, rule, rows, "Use an over-sampler for this class"))
    return rows


def _by_list(asked: object, counts: Counts, kind: Kind, missing_classes: str, who: str) -> Counts:
    if kind != "clean-sampling" or not isinstance(asked, list):
        rule = "a list of classes as sampling_strategy is for cleaning samplers alone"
        raise InvalidParameterError(message(who, rule, asked, "Use a dictionary: class -> rows"))
    fewest = min(counts.values())
    return dict.fromkeys(_known(asked, counts, missing_classes, who), fewest)


def _known(asked: Any, counts: Counts, missing_classes: str, who: str) -> list[Any]:
    """The named classes that have rows."""
    known = [label for label in asked if label in counts]
    unknown = [label for label in asked if label not in counts]
    if unknown and missing_classes == "raise":
        rule = (
            "sampling_strategy names classes that are not present in the data, which has "
            f"{listing(counts, 10)}"
        )
        near = nearest_names(str(unknown[0]), [str(label) for label in counts])
        todo = f"Did you mean {near[0]}? " if near else ""
        todo += 'If a fold may lack a class, set missing_classes="ignore"'
        raise DataError(message(who, rule, listing(unknown), todo))
    return known
