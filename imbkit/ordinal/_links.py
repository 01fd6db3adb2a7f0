"""The links by their names."""

from imbkit.ordinal._cloglog import Cloglog
from imbkit.ordinal._link import Link
from imbkit.ordinal._logit import Logit
from imbkit.ordinal._probit import Probit

__all__ = ["LINKS"]

LINKS: dict[str, Link] = {link.name: link for link in (Logit(), Probit(), Cloglog())}
