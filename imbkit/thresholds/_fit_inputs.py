"""Who gets which keyword argument of ``fit``: the rule, the estimator or the splitter."""

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.utils.metadata_routing import MetadataRequest, process_routing
from sklearn.utils.validation import has_fit_parameter

from imbkit._core.containers import wrap
from imbkit._core.messages import listing, message
from imbkit._core.types import FloatArray
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError
from imbkit.thresholds._base import BaseRule

__all__ = ["FitInputs", "fit_inputs", "row_values_of"]

_RESERVED = ("X", "y", "sample_weight")


@dataclass(frozen=True, slots=True)
class FitInputs:
    """The keyword arguments of ``fit``, by who gets them.

    Parameters
    ----------
    weighs_rule : bool
        Whether the sample weights enter the rule.
    estimator, splitter : dict
        Arguments of the estimator's ``fit`` and the splitter's ``split``.
    """

    weighs_rule: bool
    estimator: dict[str, Any]
    splitter: dict[str, Any]


def fit_inputs(
    owner: Any,
    rule: BaseRule,
    own_request: MetadataRequest,
    weight: FloatArray | None,
    params: Mapping[str, Any],
) -> FitInputs:
    """Hand out the keyword arguments, by routing if it is on, else by name.

    Parameters
    ----------
    owner : ThresholdClassifierCV
        Whose ``fit`` was called.
    rule : BaseRule
        Its rule.
    own_request : MetadataRequest
        What the owner itself requests.
    weight : ndarray of shape (n_rows,) or None
        The sample weights.
    params : mapping
        The other keyword arguments.

    Returns
    -------
    FitInputs
        Who gets what; the row values of the rule are left to `row_values_of`.
    """
    given = dict(params) if weight is None else {**params, "sample_weight": weight}
    if get_config()["enable_metadata_routing"]:
        routed = process_routing(owner, "fit", **given)
        request = own_request.fit.requests.get("sample_weight")
        return FitInputs(
            weighs_rule=request not in (None, False),
            estimator=dict(routed["estimator"]["fit"]),
            splitter=dict(routed["splitter"]["split"]),
        )
    who = type(owner).__name__
    rest = {name: value for name, value in given.items() if name not in rule.row_names()}
    splitter = {"groups": rest.pop("groups")} if "groups" in rest else {}
    if "sample_weight" in rest and not has_fit_parameter(owner.estimator, "sample_weight"):
        del rest["sample_weight"]
        name = type(owner.estimator).__name__
        rule_text = f"the estimator {name} should accept sample_weight"
        got = "a fit without that argument: the weights enter the choice of the threshold only"
        todo = "For a pipeline pass step__sample_weight=..., or switch on metadata routing"
        warnings.warn(message(who, rule_text, got, todo), ImbkitWarning, stacklevel=4)
    _check_accepted(owner.estimator, rule, rest, who)
    return FitInputs(weighs_rule=True, estimator=rest, splitter=splitter)


def row_values_of(
    rule: BaseRule, X: Any, n_rows: int, params: Mapping[str, Any], who: str
) -> dict[str, FloatArray]:
    """Return the values of each row that a rule asks for.

    Parameters
    ----------
    rule : BaseRule
        The rule.
    X : table
        Where values are looked for that `params` lacks, if it has named columns.
    n_rows : int
        Number of rows.
    params : mapping
        The keyword arguments of ``fit``.
    who : str
        The class that messages speak for.

    Returns
    -------
    dict of ndarray of shape (n_rows,)
        Finite floats by name.

    Raises
    ------
    DataError
        If values are missing, not numbers, not finite, or not one for each row.
    """
    return {name: _row_value(rule, name, X, n_rows, params, who) for name in rule.row_names()}


def _row_value(
    rule: BaseRule, name: str, X: Any, n_rows: int, params: Mapping[str, Any], who: str
) -> FloatArray:
    if name in _RESERVED:
        rule_text = f"row values of a rule may not be called {' or '.join(_RESERVED)}"
        raise InvalidParameterError(message(who, rule_text, rule, "Give them another name"))
    if params.get(name) is not None:
        given = params[name]
    elif hasattr(X, "columns"):
        table = wrap(X, who=who)
        given = table.column(table.find(name))
    else:
        rule_text = f"the rule needs {name} for each row"
        todo = f"Call fit(X, y, {name}=...), or pass a frame with this column"
        raise DataError(message(who, rule_text, "none", todo))
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise DataError(message(who, f"{name} must hold numbers", given)) from None
    if values.shape != (n_rows,):
        rule_text = f"{name} must hold one number for each of the {n_rows:,} rows"
        raise DataError(message(who, rule_text, f"shape {values.shape}"))
    if not np.isfinite(values).all():
        got = f"{np.count_nonzero(~np.isfinite(values)):,} missing or infinite values"
        raise DataError(message(who, f"{name} must be finite", got))
    return values


def _check_accepted(estimator: Any, rule: BaseRule, given: Mapping[str, Any], who: str) -> None:
    """Refuse arguments that nobody takes, before a fold fails on them."""
    parameters = inspect.signature(estimator.fit).parameters
    if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return
    unknown = [name for name in given if name not in parameters]
    if unknown:
        rule_text = f"fit takes what the rule {rule} or the estimator {type(estimator).__name__} "
        rule_text += "asks for by name"
        raise InvalidParameterError(message(who, rule_text, listing(unknown)))
