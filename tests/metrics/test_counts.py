import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError
from imbkit.metrics import Counts, f1_score, gmean_score, sweep
from imbkit.metrics._counts import ratio

SCORE = st.one_of(
    st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0, np.nextafter(1.0, 2.0), 5e-324]),
    st.floats(allow_nan=False, allow_infinity=True),
)
ROWS = st.lists(st.tuples(st.booleans(), SCORE, st.sampled_from([0.0, 0.5, 1.0, 3.0])), min_size=1)


def brute_force(truth, score, weight, cut):
    alert = score >= cut
    return [weight[(truth == t) & (alert == a)].sum() for t, a in [(1, 1), (0, 1), (1, 0), (0, 0)]]


@settings(max_examples=150)
@given(ROWS)
def test_sweep_equals_brute_force(rows):
    truth, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    assume(weight.any())
    for weights in (None, weight):
        used = np.ones(truth.size) if weights is None else weight
        cuts, counts = sweep(truth, score, weights)
        assert cuts[-1] == -np.inf
        assert (np.diff(cuts) < 0)[np.isfinite(cuts[1:])].all()
        for i, cut in enumerate(cuts):
            got = [counts.tp[i], counts.fp[i], counts.fn[i], counts.tn[i]]
            assert got == brute_force(truth, score, used, cut)
        # Every set of alerts that a cut-off can make is there.
        alerts = {(score >= cut).tobytes() for cut in cuts}
        assert {(score >= s).tobytes() for s in score} <= alerts


@settings(max_examples=50)
@given(ROWS, st.randoms(use_true_random=False))
def test_order_and_integer_weights_do_not_matter(rows, random):
    truth, score, _ = (np.array(column) for column in zip(*rows, strict=True))
    times = np.array([random.randint(0, 3) for _ in rows])
    assume(times.any())
    order = list(range(len(rows)))
    random.shuffle(order)
    cuts, counts = sweep(truth[order], score[order], times[order])
    cuts_r, repeated = sweep(np.repeat(truth, times), np.repeat(score, times))
    for metric in (f1_score, gmean_score):
        at = np.searchsorted(-cuts_r, -cuts, side="right").clip(1) - 1
        assert metric.of(counts).max() == pytest.approx(metric.of(repeated).max())
        assert at.size == cuts.size


def test_float32_scores_stay_exact_at_the_cut():
    score = np.array([0.1, 0.2, np.nextafter(np.float32(0.2), np.float32(1))], dtype=np.float32)
    cuts, counts = sweep([0, 1, 1], score)
    assert [(score >= cut).sum() for cut in cuts] == counts.alerts.tolist() == [0, 1, 2, 3]


def test_an_infinite_score_has_no_cut_above_it():
    cuts, counts = sweep([1, 0], [np.inf, 0.0])
    assert cuts.tolist() == [np.inf, -np.inf]
    assert counts.tp.tolist() == [1, 1]


def test_minus_one_and_zero_mean_negative():
    for truth in ([1, -1], [1, 0], [True, False], [1.0, 0.0]):
        assert sweep(truth, [2.0, 1.0])[1].tp.tolist() == [0, 1, 1]


def test_rates_of_nothing_are_zero():
    counts = Counts(tp=0.0, fp=0.0, fn=0.0, tn=0.0)
    rates = (counts.tpr, counts.tnr, counts.fpr, counts.precision, counts.npv)
    assert [float(rate) for rate in rates] == [0] * 5
    assert np.isnan(ratio(1.0, 0.0, np.nan))


@pytest.mark.parametrize(
    ("truth", "score", "weight", "words"),
    [
        ([], [], None, "not empty"),
        ([1, 0], [0.1], None, "same length"),
        ([[1, 0]], [[0.1, 0.2]], None, "one-dimensional"),
        ([1, 0], [np.nan, 0.2], None, "NaN"),
        ([1, np.nan], [0.1, 0.2], None, "y_true must hold"),
        ([1, 2], [0.1, 0.2], None, "y_true must hold"),
        (["a", "b"], [0.1, 0.2], None, "y_true must hold"),
        ([1, 0], [0.1, 0.2], [1, -1], "not negative"),
        ([1, 0], [0.1, 0.2], [1, np.inf], "finite"),
        ([1, 0], [0.1, 0.2], [1], "sample_weight"),
        ([1, 0], [0.1, 0.2], [0, 0], "zero for every row"),
    ],
)
def test_bad_input(truth, score, weight, words):
    with pytest.raises(DataError, match=f"sweep: .*{words}"):
        sweep(truth, score, weight)
