"""Ordered classes with a rare last stage: PRESTO and the cumulative-link family.

A model gives ``P(y <= k | x) = F(-(intercept_[k] + coef_[k] @ x))`` for every boundary between
adjacent classes; classes go from the first to the last stage, the rare one last. Three parts
multiply:

- a *link* F (`_link.py`; `_logit.py` is the first): losses of a row and their derivatives;
- a *penalty* (`_penalty.py`): which combinations of the boundaries' weights are shrunk;
- a *solver* (`_solve.py`): how the convex objective is minimised, certified by `_kkt.py`.

A new link is a file and an entry in `_links.py`; a new model is a subclass of
`_base.BaseCumulativeLink` that names its penalty, with a line in ``__all__`` below.
"""

from imbkit.ordinal._cumulative_link import CumulativeLinkClassifier
from imbkit.ordinal._funnel import funnel_target
from imbkit.ordinal._funnel_counts import funnel_from_counts
from imbkit.ordinal._path import presto_path
from imbkit.ordinal._presto import PRESTOClassifier
from imbkit.ordinal._presto_cv import PRESTOClassifierCV
from imbkit.ordinal._proportional_odds import ProportionalOddsClassifier

__all__ = [
    "CumulativeLinkClassifier",
    "PRESTOClassifier",
    "PRESTOClassifierCV",
    "ProportionalOddsClassifier",
    "funnel_from_counts",
    "funnel_target",
    "presto_path",
]
