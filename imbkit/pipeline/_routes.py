"""Which step is handed which argument of ``fit``: by scikit-learn's routing, or by name."""

from collections.abc import Mapping
from typing import Any

from sklearn import get_config
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
    process_routing,
)

from imbkit._core.messages import message, nearest_names
from imbkit.exceptions import InvalidParameterError
from imbkit.pipeline._companions import carries, is_validation, parameters_of
from imbkit.pipeline._flatten import (
    Leaf,
    flatten,
    is_idle,
    is_nested,
    is_sampler,
    training_calls,
    unknown_step,
)

__all__ = ["Arguments", "bare_names", "hand_out", "router_of", "routing_on"]

# Name of a step -> method of the step -> its arguments.
Arguments = Mapping[str, Mapping[str, Mapping[str, Any]]]

_TRAINING = ("fit", "fit_transform", "fit_predict", "fit_resample")
_PREDICTING = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score")
_TRANSFORMING = ("transform", "inverse_transform")


def routing_on() -> bool:
    """Whether scikit-learn's metadata routing is switched on."""
    return bool(get_config()["enable_metadata_routing"])


def bare_names(chain: list[Leaf], given: Mapping[str, Any]) -> set[str]:
    """Return the arguments that name no step: for whichever steps take them."""
    if routing_on():
        return set()
    return {key for key in given if not any(key.startswith(f"{leaf.name}__") for leaf in chain)}


def hand_out(pipeline: Any, chain: list[Leaf], method: str, given: Mapping[str, Any]) -> Arguments:
    """Say which step is handed which argument.

    Parameters
    ----------
    pipeline : Pipeline
        Whose method was called.
    chain : list of Leaf
        Its steps.
    method : {"fit", "fit_transform", "fit_predict", "fit_resample"}
        That method.
    given : mapping of str to object
        Its arguments.

    Returns
    -------
    mapping
        Name of a step -> method that will be called -> arguments.

    Raises
    ------
    InvalidParameterError
        If an argument is for no step, or no step takes it.
    """
    if routing_on() and given:
        return process_routing(pipeline, method, **given)  # type: ignore[no-any-return]
    handed: dict[str, dict[str, dict[str, Any]]] = {
        leaf.name: {call: {} for call in training_calls(leaf, method)} for leaf in chain
    }
    # The more closely an argument is addressed the later it is handed out, and wins.
    for key in sorted(given, key=lambda key: key.count("__")):
        leaves, name = _addressees(chain, key, method)
        for leaf in leaves:
            # fit_transform and fit_predict pass on to fit what they do not know.
            for call in training_calls(leaf, method)[:1]:
                handed[leaf.name][call][name] = given[key]
    return handed


def router_of(pipeline: Any) -> MetadataRouter:
    """Return scikit-learn's routing information, with the steps of nested pipelines."""
    router = MetadataRouter(owner=pipeline)
    end = len(pipeline.steps) - 1
    last_name, last = pipeline.steps[end]
    for leaf in flatten(pipeline):
        if is_idle(leaf.step):
            continue
        pairs = [(each, call) for each in _TRAINING for call in training_calls(leaf, each)]
        pairs += [(each, each) for each in _TRANSFORMING]
        if leaf.places[0][1] < end:
            pairs += [(each, "transform") for each in _PREDICTING]
        elif not is_nested(last):
            pairs += [(each, each) for each in _PREDICTING]
        router.add(method_mapping=_mapping(pairs), **{leaf.name: _request_of(leaf.step)})
    if is_nested(last):
        # A nested pipeline at the end is asked to predict as a whole.
        pairs = [(each, each) for each in _PREDICTING]
        router.add(method_mapping=_mapping(pairs), **{last_name: last})
    return router


def _mapping(pairs: list[tuple[str, str]]) -> MethodMapping:
    mapping = MethodMapping()
    for caller, callee in pairs:
        mapping.add(caller=caller, callee=callee)
    return mapping


def _request_of(step: Any) -> Any:
    """Return what a step requests; a sampler that carries companions need not be asked."""
    request = get_routing_for_object(step)
    asked = getattr(request, "fit_resample", None)
    if asked is not None and carries(step):
        for name, alias in list(asked.requests.items()):
            if alias is None:  # neither requested nor refused
                asked.add_request(param=name, alias=False)
    return request


def _addressees(chain: list[Leaf], key: str, method: str) -> tuple[list[Leaf], str]:
    """Return the steps that an argument is for, and its name there."""
    for leaf in chain:
        if key.startswith(f"{leaf.name}__"):
            return [leaf], key[len(leaf.name) + 2 :]
    path, _, name = key.rpartition("__")
    inside = [leaf for leaf in chain if not path or leaf.name.startswith(f"{path}__")]
    if not inside:
        raise unknown_step(chain, key)
    takers = [leaf for leaf in inside if _takes(leaf, method, name)]
    # What a resampling pipeline is given need not be for its steps: it carries companions.
    if not takers and (method != "fit_resample" or is_validation(name)):
        raise _nobody_takes(inside, key, name)
    return takers, name


def _takes(leaf: Leaf, method: str, name: str) -> bool:
    """Whether a step names an argument in the method that will be called, or in its ``fit``."""
    calls = training_calls(leaf, method)
    if not calls or (is_sampler(leaf.step) and carries(leaf.step)):
        return False
    own = parameters_of(leaf.step, calls[0])
    passes_on = any(each.kind is each.VAR_KEYWORD for each in own.values())
    return _names(own, name) or (passes_on and _names(parameters_of(leaf.step, "fit"), name))


def _names(parameters: Mapping[str, Any], name: str) -> bool:
    each = parameters.get(name)
    return each is not None and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)


def _nobody_takes(leaves: list[Leaf], key: str, name: str) -> InvalidParameterError:
    rule = f"{key} must be named by the fit of at least one step"
    names = [f"{leaf.name} ({type(leaf.step).__name__})" for leaf in leaves]
    got = f"no such step among {', '.join(names)}"
    known = {each for leaf in leaves for each in parameters_of(leaf.step, "fit")} - {"X", "y"}
    close = nearest_names(name, sorted(known))
    likely = f"Did you mean {close[0]}?" if close else "Use a step that takes it, or leave it out."
    way_out = (
        f"Or write {leaves[-1].name}__{name}=... for a step that passes on what it does not name"
    )
    todo = f"{likely} {way_out}"
    return InvalidParameterError(message("Pipeline", rule, got, todo))
