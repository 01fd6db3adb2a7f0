"""Parameters of parts by double underscores, for parts that are named and not yet made."""

from collections.abc import Mapping
from typing import Any, Self

from sklearn.base import BaseEstimator

__all__ = ["PartParameters"]


class PartParameters(BaseEstimator):
    """``loss__gamma`` is the entry "gamma" of `loss_params`, and so on.

    So a search can try values of it for a loss that is given by its name. A subclass lists
    its parts by `_parts`, each of which has a parameter ``<part>_params``.
    """

    _parts: tuple[str, ...] = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether those of the parts are named as well.

        Returns
        -------
        dict
            Values by name.
        """
        params: dict[str, Any] = super().get_params(deep=False)
        if deep:
            for part in self._parts:
                given = params[f"{part}_params"]
                # What is no mapping is complained about by fit.
                for name in given if isinstance(given, Mapping) else ():
                    params[f"{part}__{name}"] = given[name]
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of parts among them.

        Parameters
        ----------
        **params : object
            Values by name.

        Returns
        -------
        PartParameters
            The estimator.
        """
        own = {}
        nested: dict[str, dict[str, Any]] = {}
        for key, value in params.items():
            part, _, name = key.partition("__")
            if name and part in self._parts:
                nested.setdefault(part, {})[name] = value
            else:
                own[key] = value
        super().set_params(**own)
        for part, values in nested.items():
            # A new mapping: the old one may be shared with a clone.
            changed = {**(getattr(self, f"{part}_params") or {}), **values}
            setattr(self, f"{part}_params", changed)
        return self
