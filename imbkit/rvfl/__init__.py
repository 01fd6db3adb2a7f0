"""Random vector functional links: random features, then a ridge regression in closed form.

A row x becomes h = [x, g(x W + b), 1] with W and b drawn once; only the output weights are fitted,
by one linear system. Three parts multiply:

- *memberships* (`_fuzzy.py`): how far each row is trusted;
- a *graph* (`_graph.py`, `_local_graph.py`): which rows the map should keep together and apart;
- a *ridge* (`_ridge.py`, `_dual.py`): the closed form, for many strengths from one factorisation.

All of it is made of sums over chunks of rows (`_statistics.py`), so that no array grows with the
square of their number. A new member is a subclass of `_base.BaseRVFL`, with a line in ``__all__``.
"""

from imbkit.rvfl._ed_rvfl import EDRVFLClassifier
from imbkit.rvfl._fuzzy_weighted import FuzzyWeightedClassifier
from imbkit.rvfl._ge_if_rvfl import GEIFRVFLClassifier
from imbkit.rvfl._if_rvfl import IFRVFLClassifier
from imbkit.rvfl._intuitionistic_scores import intuitionistic_fuzzy_scores
from imbkit.rvfl._regressor import RVFLRegressor
from imbkit.rvfl._rvfl import RVFLClassifier
from imbkit.rvfl._rvfl_cv import RVFLClassifierCV

__all__ = [
    "EDRVFLClassifier",
    "FuzzyWeightedClassifier",
    "GEIFRVFLClassifier",
    "IFRVFLClassifier",
    "RVFLClassifier",
    "RVFLClassifierCV",
    "RVFLRegressor",
    "intuitionistic_fuzzy_scores",
]
