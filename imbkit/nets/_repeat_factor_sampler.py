"""Rows of rare classes or labels, repeated by the root of how rare they are."""

from typing import Literal

import numpy as np

from imbkit._core.card import Card
from imbkit._core.types import FloatArray
from imbkit.losses._checks import check_choice, check_number
from imbkit.nets._batch_sampler import Length
from imbkit.nets._row_sampler import BaseRowSampler
from imbkit.nets._training_rows import TrainingRows

__all__ = ["RepeatFactorBatchSampler"]

_GROWTH = 2.0


class RepeatFactorBatchSampler(BaseRowSampler):
    """Rows of rare classes or labels come more often; the others keep their proportions.

    Choose it for several labels a row, where no batch can hold all labels alike, and where
    frequent classes should lose nothing to each other. Probabilities are made for the rates of
    the drawn rows.

    Parameters
    ----------
    threshold : float, default="auto"
        Share of rows below which a class or label is rare, above 0 and at most 1; "auto" is one
        divided by the number of classes or labels that have rows.
    by : {"rows", "instances"}, default="rows"
        What the share of a label is: of the rows; or its geometric mean with the share of all
        labels given. With one class a row they are the same.
    exponential : bool, default=False
        Whether the factor grows exponentially with that root: for thresholds of a thousandth
        or so, as it would leave frequent classes nothing otherwise.
    length : {"auto", "majority"} or int, default="auto"
        Batches of an epoch; see :class:`BaseBatchSampler`.

    See Also
    --------
    PowerBatchSampler : All classes of one class a row by one rule.
    DualBatchSampler : One label a batch.

    Notes
    -----
    The factor of label c is max(1, sqrt(t / f_c)), or exp(2 sqrt(t / f_c)); that of a row the
    largest of its labels, and 1 without any. Where no share lies below the threshold it is the
    plain shuffle. Different from the paper: factors are scaled so that an epoch has as many
    rows as the table (or as `length` says); a row comes as often as its factor, rounded up or
    down so that the sum is exact, not independently; the threshold there is 0.001, for 1,203
    classes; and no factor is above the number of rows.

    References
    ----------
    A. Gupta, P. Dollár, R. Girshick, "LVIS: a dataset for large vocabulary instance
    segmentation", CVPR, 2019, doi:10.1109/CVPR.2019.00550.

    B. Yaman, T. Mahmud, C.-H. Liu, "Instance-aware repeat factor sampling for long-tailed
    object detection", 2023, doi:10.48550/arXiv.2305.08069.

    T. Ahmed et al., "Exponentially weighted instance-aware repeat factor sampling for
    long-tailed object detection model training in unmanned aerial vehicles surveillance
    scenarios", 2025, doi:10.48550/arXiv.2503.21893.

    Examples
    --------
    >>> from imbkit.nets import RepeatFactorBatchSampler
    >>> sampler = RepeatFactorBatchSampler(threshold=0.4)
    >>> sampler.start([0] * 90 + [1] * 10, n_classes=2, batch_size=8, seed=0)
    >>> sampler.effective_priors().round(3)  # 90 rows once, 10 rows twice
    array([0.818, 0.182])
    """

    card = Card(
        paper="Gupta et al. (2019), doi:10.1109/CVPR.2019.00550",
        cases=({}, {"by": "instances"}, {"threshold": 0.01, "exponential": True}),
    )
    names = ("rfs", "repeat_factor")
    tasks = frozenset({"binary", "multiclass", "multilabel"})

    def __init__(
        self,
        threshold: float | Literal["auto"] = "auto",
        by: Literal["rows", "instances"] = "rows",
        exponential: bool = False,
        *,
        length: Length = "auto",
    ) -> None:
        super().__init__(length=length)
        who = "RepeatFactorBatchSampler"
        if isinstance(threshold, str):
            check_choice(threshold, ("auto",), who, "threshold")
        else:
            check_number(threshold, who, "threshold", low=0.0, high=1.0, open_low=True)
        self.threshold = threshold
        self.by = check_choice(by, ("rows", "instances"), who, "by")
        self.exponential = check_choice(exponential, (True, False), who, "exponential")

    def _row_weights(self, rows: TrainingRows) -> FloatArray | None:
        """Return the factor of each row."""
        counts = rows.masses()
        found = max(int(np.count_nonzero(counts)), 1)
        rare = 1.0 / found if isinstance(self.threshold, str) else float(self.threshold)
        # A label that no row has needs no factor, but must not divide by 0.
        share = np.maximum(counts, 1.0) / rows.n
        if self.by == "instances":
            share = np.sqrt(share * (np.maximum(counts, 1.0) / max(counts.sum(), 1.0)))
        root = np.sqrt(rare / share)
        if self.exponential:
            root = np.exp(np.minimum(_GROWTH * root, np.log(max(rows.n, 2))))
        factors = np.maximum(root, 1.0)
        if rows.codes is not None:
            return np.asarray(factors[rows.codes])
        weight = np.ones(rows.n)
        if rows.has is not None:
            for factor, has in zip(factors, rows.has.T, strict=True):
                np.maximum(weight, factor, out=weight, where=has)
        return weight
