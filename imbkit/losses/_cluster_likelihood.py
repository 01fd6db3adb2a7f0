"""Weights by how many training rows look like a row."""

import warnings

import numpy as np
import torch
from scipy.cluster.vq import kmeans2, vq
from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit._core.types import FloatArray, IntArray
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.losses._checks import check_number
from imbkit.losses._context import LossContext
from imbkit.losses._reweighting import BaseReweighter
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import cluster_likelihood_weights

__all__ = ["ClusterLikelihood"]

_ENOUGH = 50_000  # rows that centres are found from; all are then given to the nearest
_ROUNDS = 30
_TRIED = 5  # rows that could each be the next to begin with


class ClusterLikelihood(BaseReweighter):
    """Weights of rows by the size of the cluster that they lie in; labels play no part.

    Choose it where not only classes are rare but kinds of rows: a region, a device, a season
    that few rows come from. It helps rare kinds of every class, and does nothing for a rare class
    that looks like all others. Probabilities move only where kinds and classes go together.

    Parameters
    ----------
    gamma : float, default=5.0
        How fast weights fall with the share of rows in the cluster, 0 or more; 0 is no weights.
    eta : float, default=1.0
        0 or more: no weight is below eta / (eta + 1).
    n_clusters : int, default=10
        Clusters, at most as many as different rows.
    spread : bool, default=False
        Whether shares are divided by the largest of them, so that weights use their whole range.
    random_state : int, default=0
        Decides which rows the clusters begin with.

    See Also
    --------
    ClassWeight : By classes instead.
    KLDRO : By losses, which knows rare kinds of rows from nothing else.

    Notes
    -----
    (eta + (1 - p)^gamma) / (eta + 1) for a row whose cluster holds the share p of the training
    rows. Weights are worked out once, by `see`, and looked up by the positions of rows, so a loop
    of one's own passes ``index=``. Columns are standardised, missing numbers replaced by the mean.

    Different from the paper: its rows are pictures, clustered by density after a projection of
    deep features, and how it scales shares is not known to us; here clusters are k-means of the
    rows as they are, or of whatever `see` is given, such as embeddings.

    References
    ----------
    S. Shrivastava, X. Zhang, S. Nagesh, A. Parchami, "DatasetEquity: are all samples created
    equal? In the quest for equity within datasets", preprint, 2023,
    doi:10.48550/arXiv.2308.09878.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from imbkit.losses import ClusterLikelihood, LossContext
    >>> weighting = ClusterLikelihood(n_clusters=2)
    >>> weighting.see(np.array([[0.0], [0.1], [0.2], [9.0]]))
    >>> batch = LossContext(torch.zeros(2, 2), torch.tensor([0, 1]), index=torch.tensor([0, 3]))
    >>> weighting.weights(batch, torch.ones(2)).numpy().round(3).tolist()
    [0.5, 0.619]
    """

    card = Card(
        paper="Shrivastava et al. (2023), doi:10.48550/arXiv.2308.09878",
        cases=({}, {"gamma": 1.0, "n_clusters": 3, "spread": True}),
    )
    names = ("cluster_likelihood",)
    needs = frozenset({"index"})

    row_weights: Tensor

    def __init__(
        self,
        gamma: float = 5.0,
        eta: float = 1.0,
        n_clusters: int = 10,
        spread: bool = False,
        random_state: int = 0,
    ) -> None:
        super().__init__()
        who = "ClusterLikelihood"
        self.gamma = check_number(gamma, who, "gamma", low=0.0)
        self.eta = check_number(eta, who, "eta", low=0.0)
        self.n_clusters = _whole(n_clusters, "n_clusters", 1)
        self.spread = bool(spread)
        self.random_state = _whole(random_state, "random_state", 0)
        self._keep("row_weights", np.empty(0))

    def setup(self, stats: ClassStats) -> None:
        """Forget the rows seen before.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self._keep("row_weights", np.empty(0))

    def see(self, inputs: FloatArray) -> None:
        """Find clusters of the training rows, and the weight of each row.

        Parameters
        ----------
        inputs : ndarray of shape (n_train, n_features)
            Rows, in the order that positions (`index`) refer to.

        Raises
        ------
        DataError
            If there is no row, or a number is infinite.
        """
        labels = _clusters(_standardised(inputs), self.n_clusters, self.random_state)
        shares = np.bincount(labels) / len(labels)
        shares /= shares.max() if self.spread else 1.0
        each = torch.from_numpy(shares[labels])
        found = cluster_likelihood_weights(each, gamma=self.gamma, eta=self.eta)
        self._keep("row_weights", found)

    def weights(self, batch: LossContext, items: Tensor) -> Tensor:
        """Return the weight of each row.

        Parameters
        ----------
        batch : LossContext
            The batch, with the positions of its rows.
        items : Tensor of shape (n,) or (n, n_labels)
            Losses.

        Returns
        -------
        Tensor of shape (n,)
            Weights, at most 1.

        Raises
        ------
        InvalidParameterError
            If it has not seen the training rows.
        """
        if batch.index is None or not len(self.row_weights):
            rule = "needs the training rows and the positions of the batch in them"
            todo = "Call see(X) after setup, and pass index="
            raise InvalidParameterError(message("ClusterLikelihood", rule, todo=todo))
        return self.row_weights[batch.index]


def _whole(given: float, name: str, low: int) -> int:
    """Return a whole number, or complain."""
    number = check_number(given, "ClusterLikelihood", name, low=low)
    if number != int(number):
        rule = f"{name} must be a whole number"
        raise InvalidParameterError(message("ClusterLikelihood", rule, given))
    return int(number)


def _standardised(inputs: FloatArray) -> FloatArray:
    """Return rows as columns of mean 0 and deviation 1; what is missing is 0."""
    rows = np.array(inputs, dtype=np.float64)
    if not rows.size or np.isinf(rows).any():
        rule = "the training rows must be numbers, at least one row, and none infinite"
        todo = "Replace infinite values, for instance by missing ones"
        raise DataError(message("ClusterLikelihood", rule, f"shape {rows.shape}", todo))
    rows = rows.reshape(len(rows), -1)
    known = ~np.isnan(rows)
    count = np.maximum(known.sum(axis=0), 1)
    rows -= np.where(known, rows, 0.0).sum(axis=0) / count
    rows[~known] = 0.0
    deviation = np.sqrt((rows**2).sum(axis=0) / count)
    constant = deviation <= 1e-12 * np.abs(rows).max(axis=0, initial=1e-300)
    return np.asarray(rows / np.where(constant, 1.0, deviation))


def _clusters(rows: FloatArray, n_clusters: int, random_state: int) -> IntArray:
    """Return the cluster of each row."""
    random = np.random.default_rng(random_state)
    some = rows
    if len(rows) > _ENOUGH:
        some = rows[random.choice(len(rows), _ENOUGH, replace=False)]
    centres = _spread_out(some, n_clusters, random)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a cluster may lose its rows
        centres, _ = kmeans2(some, centres, iter=_ROUNDS, minit="matrix")
    return np.asarray(vq(rows, centres)[0], dtype=np.int64)


def _spread_out(rows: FloatArray, n_clusters: int, random: np.random.Generator) -> FloatArray:
    """Choose rows to begin with, each the best of some drawn far from those before."""
    chosen = [int(random.integers(len(rows)))]
    away = ((rows - rows[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < n_clusters and away.max() > 0:
        drawn = random.choice(len(rows), _TRIED, p=away / away.sum())
        then = [np.minimum(away, ((rows - rows[each]) ** 2).sum(axis=1)) for each in drawn]
        best = int(np.argmin([each.sum() for each in then]))
        chosen.append(int(drawn[best]))
        away = then[best]
    return rows[chosen]
