"""SMOTETomek: the rows of imbalanced-learn; what it shares is tested with SMOTEENN."""

import imblearn.combine
import numpy as np
import pytest

from imbkit.sampling import SMOTE, SMOTETomek


def overlapping(seed=0, d=2, sizes=(90, 30, 20), dtype=np.float64):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return (rng.normal(size=(y.size, d)) + y[:, None]).astype(dtype), y


@pytest.mark.parametrize("d", [2, 8, 40])
@pytest.mark.parametrize("sizes", [(90, 30), (90, 30, 20), (80, 30, 25, 20)])
def test_rows_and_order_are_those_of_the_peer(d, sizes):
    for seed in range(5):
        dtype = np.float32 if seed % 2 else np.float64
        X, y = overlapping(seed, d, sizes, dtype)
        for random in (lambda seed=seed: seed, lambda seed=seed: np.random.RandomState(seed)):
            peer = imblearn.combine.SMOTETomek(random_state=random())
            ours = SMOTETomek(random_state=random())
            expected, found = peer.fit_resample(X, y), ours.fit_resample(X, y)
            assert found[0].dtype == dtype
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])
            assert ours.sampling_strategy_ == peer.sampling_strategy_ == "auto"


def test_no_link_of_the_grown_table_is_left():
    X, y = overlapping(1)
    grown, labels = SMOTE(random_state=0).fit_resample(X, y)
    squared = ((grown[:, None] - grown) ** 2).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    nearest = squared.argmin(axis=1)
    linked = (nearest[nearest] == np.arange(labels.size)) & (labels[nearest] != labels)
    assert linked.any()
    out, target = SMOTETomek(random_state=0).fit_resample(X, y)
    np.testing.assert_array_equal(out, grown[~linked])
    np.testing.assert_array_equal(target, labels[~linked])
