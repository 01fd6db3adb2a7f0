import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError
from imbkit.thresholds import Curve
from imbkit.thresholds._curve import average, cut_offs

DTYPES = st.sampled_from([np.float16, np.float32, np.float64])


@st.composite
def score_arrays(draw):
    """Scores with ties, neighbouring floats, denormals, huge values and infinities."""
    dtype = draw(DTYPES)
    info = np.finfo(dtype)
    tiny, huge = float(info.smallest_subnormal), float(info.max)
    odd = [0.0, tiny, 2 * tiny, -tiny, huge, -huge, np.inf, -np.inf, 1.0]
    odd += [float(np.nextafter(dtype(1), dtype(2))), float(np.nextafter(dtype(1), dtype(0)))]
    plain = st.floats(-1, 1, width=16)
    values = draw(st.lists(st.one_of(st.sampled_from(odd), plain), min_size=1, max_size=12))
    return np.array(values, dtype=dtype)


@st.composite
def curves(draw, levels=(0.0, 0.5, 1.0)):
    scores = draw(score_arrays())
    thresholds = cut_offs(scores)
    n = thresholds.size
    values = draw(st.lists(st.sampled_from(levels), min_size=n, max_size=n))
    return scores, Curve(thresholds, np.array(values, dtype=float), 0.5)


def entry_of(curve, cut):
    """The entry that holds at a cut-off, found the slow way."""
    below = [float(t) >= cut for t in curve.thresholds]
    return max(k for k, ok in enumerate(below) if ok)


@settings(max_examples=300)
@given(curves())
def test_the_best_threshold_attains_the_optimum_exactly(case):
    scores, curve = case
    threshold = curve.best()
    assert curve.objective[entry_of(curve, threshold)] == curve.objective.max()
    assert curve.at(threshold) == curve.objective.max()
    # The threshold is a number of the scores' dtype: no way of comparing rounds it.
    assert float(scores.dtype.type(threshold)) == threshold
    np.testing.assert_array_equal(scores >= threshold, scores >= np.float64(threshold))
    alerts = int((scores >= threshold).sum())
    entry = entry_of(curve, threshold)
    assert alerts == int((scores >= curve.thresholds[entry]).sum())


@settings(max_examples=200)
@given(curves())
def test_infinity_is_the_last_resort(case):
    scores, curve = case
    if curve.best() == np.inf:
        assert (curve.objective[1:] < curve.objective[0]).all() or not np.isfinite(scores).any()


@settings(max_examples=200)
@given(curves())
def test_the_plateau_is_the_widest(case):
    scores, curve = case
    finite = np.unique(scores[np.isfinite(scores)]).astype(float)
    assume(finite.size)
    # The slow way: walk the entries, merge the ones that attain the optimum, measure.
    optimum, runs, run = curve.objective.max(), [], []
    for k, value in enumerate(curve.objective):
        if value == optimum:
            run.append(k)
        if run and (value != optimum or k == curve.objective.size - 1):
            runs.append(run)
            run = []
    edges = np.append(curve.thresholds.astype(float), -np.inf)
    widths = {}
    for run in runs:
        low, high = np.clip([edges[run[-1] + 1], edges[run[0]]], finite[0], finite[-1])
        widths[run[0]] = -1.0 if run == [0] else float(high / 2 - low / 2)
    entry = entry_of(curve, curve.best())
    chosen = next(run for run in runs if entry in run)
    assert widths[chosen[0]] == max(widths.values())
    # Of equally wide plateaus the highest.
    assert chosen[0] == min(first for first, w in widths.items() if w == max(widths.values()))


def curve_of(thresholds, objective, dtype=float):
    return Curve(np.array(thresholds, dtype=dtype), np.array(objective, dtype=float), 0.5)


INF = np.inf


@pytest.mark.parametrize(
    ("thresholds", "objective", "best"),
    [
        ([INF, 4, 3, 1], [0, 1, 0, 1], 3.5),  # 3 to 4, against a plateau of no width
        ([INF, 8, 7, 1], [0, 1, 0, 1], 7.5),
        ([INF, 8, 7, 1, 0], [0, 1, 0, 1, 0], 7.5),  # equally wide: the highest
        ([INF, 8, 7, 6, 2], [0, 1, 1, 0, 0], 7.0),  # centre of 6 to 8
        ([INF, 8, 2], [1, 1, 0], 5.0),  # open above: measured up to 8
        ([INF, 8, 2], [0, 0, 1], 2.0),  # alert all: the smallest score, not -inf
        ([INF, 8, 2], [0, 1, 1], 5.0),  # open below: measured down to 2
        ([INF, 8, 2], [1, 0, 0], INF),
        ([INF, 8, 2], [1, 0, 1], 2.0),  # finite rather than inf
        ([INF, 8, 2], [1, 1, 1], 5.0),
        ([INF, 3], [1, 1], 3.0),
        ([INF, -INF], [0, 1], -INF),
        ([INF, -INF], [1, 1], INF),
        ([INF, 5, -INF], [0, 1, 0], 5.0),
    ],
)
def test_where_the_threshold_lies(thresholds, objective, best):
    assert curve_of(thresholds, objective).best() == best


def test_a_score_of_infinity_is_alerted_by_every_cut_off():
    curve = curve_of([INF, 3.0, 1.0], [1.0, 0.0, 0.0])
    assert np.array([INF, 3.0, 1.0])[np.array([INF, 3.0, 1.0]) >= curve.best()].tolist() == [INF]


def test_float32_neighbours_are_told_apart():
    low = np.float32(1)
    high = np.nextafter(low, np.float32(2))
    scores = np.array([low, high], dtype=np.float32)
    curve = Curve(cut_offs(scores), np.array([0.0, 1.0, 0.0]), 0.5)
    middle = (float(low) + float(high)) / 2
    # What goes wrong with a midpoint in double precision: NumPy rounds it to float32.
    assert (scores >= middle).tolist() == [True, True]
    assert (scores >= curve.best()).tolist() == [False, True]


def test_values_a_few_ulps_apart_are_one_plateau():
    just_less = 1 - 2 * np.spacing(1.0)
    assert curve_of([INF, 8, 4, 0], [0, just_less, 1, 0]).best() == 4.0
    assert curve_of([INF, 8, 4, 0], [0, 1 - 1e-12, 1, 0]).best() == 2.0


def test_forbidden_and_undefined_cut_offs_are_never_chosen():
    assert curve_of([INF, 8, 4, 0], [np.nan, -INF, -2.0, np.nan]).best() == 2.0
    assert curve_of([INF, 8, 4, 0], [0.0, INF, -2.0, np.nan]).best() == 6.0
    with pytest.raises(DataError, match="at least one cut-off must satisfy the rule"):
        curve_of([INF, 8], [np.nan, -INF]).best()
    assert not curve_of([INF, 8], [np.nan, -INF]).feasible


@settings(max_examples=200)
@given(st.lists(curves(levels=(-1.0, 0.25, 2.0)), min_size=1, max_size=4), st.data())
def test_an_average_is_exact_at_any_cut_off(cases, data):
    each = [curve for _, curve in cases]
    mean = average(each)
    known = np.concatenate([curve.thresholds.astype(float) for curve in each])
    cut = data.draw(st.one_of(st.sampled_from(known.tolist()), st.floats(-2, 2)))
    expected = np.mean([curve.objective[entry_of(curve, cut)] for curve in each])
    assert mean.at(cut) == pytest.approx(expected, rel=1e-15)
    np.testing.assert_array_equal(mean.thresholds[1:], np.unique(known)[::-1][1:])


def test_a_cut_off_forbidden_in_one_curve_is_so_in_the_mean():
    one, other = curve_of([INF, 4, 2], [0, -INF, 1]), curve_of([INF, 3, 1], [0, 2, 3])
    assert average([one, other]).at(3.5) == -INF
    assert average([one, other]).at(2.0) == 1.5


def test_it_unpacks_for_plotting():
    curve = curve_of([INF, 4, 2], [0, 1, 2])
    thresholds, values = curve
    assert thresholds is curve.thresholds
    assert values is curve.objective
    assert curve.at([[5.0, 4.0], [3.9, -9.0]]).tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("thresholds", "objective", "words"),
    [
        ([INF, 1], [0.0], "one value of the objective for each threshold"),
        ([INF, 1, 1], [0.0, 0, 0], "descend strictly from inf"),
        ([1, 0], [0.0, 0], "descend strictly from inf"),
        ([], [], "descend strictly from inf"),
    ],
)
def test_what_is_not_a_curve_is_refused(thresholds, objective, words):
    with pytest.raises(DataError, match=words):
        curve_of(thresholds, objective)
