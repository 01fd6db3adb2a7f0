import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imbkit.metrics._hull import roc_hull

ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 9), st.integers(1, 4)), min_size=2, max_size=30
)


@settings(max_examples=80)
@given(ROWS)
def test_the_hull_is_convex_above_all_points_and_made_of_them(rows):
    truth, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < truth.sum() < truth.size)
    hull = roc_hull(truth, score.astype(float), weight.astype(float))
    assert (np.diff(hull.share) <= 1e-12).all()
    assert (np.diff(hull.lowest) < 0).all()
    hits, alarms = np.cumsum(hull.hits), np.cumsum(hull.alarms)
    for cut, tp, fp in zip(hull.lowest, hits, alarms, strict=True):
        alert = score >= cut
        assert weight[alert & truth].sum() == pytest.approx(tp)
        assert weight[alert & ~truth].sum() == pytest.approx(fp)
    for share in np.r_[0, hull.share, 1, 0.5]:
        # At this price of a hit in alarms, no cut-off beats the hull's own best corner.
        corners = np.r_[0, (1 - share) * hits - share * alarms]
        gains = [((1 - share) * truth - share * ~truth) @ (weight * (score >= c)) for c in score]
        assert max(gains) <= corners.max() + 1e-9
