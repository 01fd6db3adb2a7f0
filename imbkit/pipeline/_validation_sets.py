"""Validation data on their way to a step: transformed like the rows, never resampled."""

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.pipeline._companions import short_name
from imbkit.pipeline._flatten import Leaf, is_idle, is_sampler
from imbkit.pipeline._routes import routing_on

__all__ = ["transform_inputs", "transformed_for"]

_PAIRS = "eval_set"
_TABLES = ("X_val", "eval_X")


def transform_inputs(chain: list[Leaf]) -> set[str]:
    """Return the names in ``transform_input`` of a pipeline or of one nested in it."""
    pipelines = [pipeline for leaf in chain for pipeline, _ in leaf.places]
    return {name for pipeline in pipelines for name in pipeline.transform_input or ()}


def transformed_for(
    chain: list[Leaf], number: int, arguments: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a step's arguments, validation data transformed by the fitted steps before it.

    Parameters
    ----------
    chain : list of Leaf
        All steps, those before the step fitted.
    number : int
        Position of the step.
    arguments : mapping of str to object
        What it is handed.
    given : mapping of str to object
        All arguments of ``fit``, for transformers that request some.

    Returns
    -------
    dict
        With routing off ``eval_set``, ``X_val`` and ``eval_X`` are transformed; with routing
        on ``eval_set`` and what ``transform_input`` names, as in scikit-learn.

    Raises
    ------
    InvalidParameterError
        If ``eval_set`` holds anything else than pairs.
    """
    ready = dict(arguments)
    for name, value in arguments.items():
        pipeline = _transforming_pipeline(chain[number], name)
        if pipeline is None or value is None:
            continue
        inside = [leaf for leaf in chain[:number] if any(p is pipeline for p, _ in leaf.places)]
        before = [leaf for leaf in inside if not (is_idle(leaf.step) or is_sampler(leaf.step))]
        each = _each_pair if short_name(name) == _PAIRS else _each_table
        if before:
            ready[name] = each(value, _transform_by(before, given))
    return ready


def _transforming_pipeline(leaf: Leaf, name: str) -> Any:
    """Return the outermost pipeline whose steps before this one transform an argument."""
    outermost = leaf.places[0][0]
    if short_name(name) == _PAIRS or (not routing_on() and short_name(name) in _TABLES):
        return outermost
    naming = (p for p, _ in leaf.places if name in (p.transform_input or ()))
    return next(naming, None)


def _transform_by(steps: list[Leaf], given: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return the function that takes a table through fitted transformers."""
    routed: Mapping[str, Any] = {}
    if routing_on():
        router = MetadataRouter(owner=steps[0].places[0][0])
        mapping = MethodMapping().add(caller="transform", callee="transform")
        router.add(method_mapping=mapping, **{leaf.name: leaf.step for leaf in steps})
        asked = router.consumes(method="transform", params=given.keys())
        routed = process_routing(router, "transform", **{name: given[name] for name in asked})

    def transform(table: Any) -> Any:
        for leaf in steps:
            arguments = routed[leaf.name]["transform"] if routed else {}
            table = leaf.step.transform(table, **arguments)
        return table

    return transform


def _each_table(value: Any, transform: Callable[[Any], Any]) -> Any:
    """Transform a table, or each one of a tuple of tables."""
    return tuple(map(transform, value)) if isinstance(value, tuple) else transform(value)


def _each_pair(value: Any, transform: Callable[[Any], Any]) -> Any:
    """Transform the tables of one pair (X, y), or of a list of such pairs."""
    if isinstance(value, tuple) and value and not isinstance(value[0], tuple):
        return (transform(value[0]), *value[1:])
    is_list = isinstance(value, (list, tuple))
    if not is_list or not all(isinstance(p, (list, tuple)) and len(p) > 1 for p in value):
        rule = "eval_set must be a pair (X, y) or a list of such pairs"
        todo = "Its tables are transformed by the steps before the model"
        raise InvalidParameterError(message("Pipeline", rule, value, todo))
    return type(value)((transform(table), *rest) for table, *rest in value)
