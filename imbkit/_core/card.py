"""What tests, documentation and comparisons know of a method."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

__all__ = ["Card", "Limit"]


@dataclass(frozen=True, slots=True)
class Limit:
    """Settings at which a method must equal another member of its family.

    Parameters
    ----------
    when : mapping
        Parameters of the method, added to the defaults.
    equals : str
        Name of the other member.
    other : mapping
        Parameters of the other member.
    """

    when: Mapping[str, object]
    equals: str
    other: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Card:
    """The facts that a method class states about itself, as its attribute ``card``.

    Parameters
    ----------
    paper : str
        Author (year), with a doi or an arXiv number.
    cases : tuple of mappings
        Settings that the contract suite runs; small and fast.
    limits : tuple of Limit
        Where the method must equal another member.
    cost : {"fast", "slow"}
        Slow methods leave the default test suite.
    known_failures : mapping
        Name of an estimator check -> the true reason why it cannot hold.
    """

    paper: str = ""
    cases: tuple[Mapping[str, object], ...] = (MappingProxyType({}),)
    limits: tuple[Limit, ...] = ()
    cost: Literal["fast", "slow"] = "fast"
    known_failures: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
