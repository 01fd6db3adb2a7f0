import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import average_precision_score, recall_score

import imbkit.metrics as ours
from imbkit.exceptions import (
    DataError,
    ImbkitWarning,
    InvalidParameterError,
    SmallClassWarning,
)
from imbkit.metrics import bootstrap_interval

RNG = np.random.default_rng(0)
Y = np.repeat([0, 1], [270, 30])
S = RNG.normal(size=300) + 1.5 * Y


def test_recall_is_the_bootstrap_of_the_positive_rows():
    alert = (S > 1).astype(int)
    got = bootstrap_interval("recall", Y, alert, n_resamples=4000, random_state=0)
    theirs = bootstrap(
        (alert[Y == 1],), np.mean, n_resamples=4000, method="percentile", random_state=0
    ).confidence_interval
    assert got.estimate == recall_score(Y, alert)
    assert (got.low, got.high) == pytest.approx((theirs.low, theirs.high), abs=0.035)
    spread = np.sqrt(got.estimate * (1 - got.estimate) / 30)
    assert got.resampled.std() == pytest.approx(spread, rel=0.05)


def test_classes_are_drawn_separately():
    seen = []

    def watch(y_true, y_score, sample_weight):
        seen.append(np.bincount(y_true, sample_weight))
        return 0.0

    bootstrap_interval(watch, Y, S, n_resamples=20, sample_weight=np.ones(300), random_state=1)
    assert all(sums.tolist() == [270, 30] for sums in seen)


def test_a_resample_is_the_rows_drawn():
    drawn = []

    def watch(y_true, y_score, sample_weight=None):
        if sample_weight is not None:
            drawn.append(sample_weight)
        return average_precision_score(y_true, y_score, sample_weight=sample_weight)

    got = bootstrap_interval(watch, Y, S, n_resamples=10, random_state=3)
    for times, value in zip(drawn, got.resampled, strict=True):
        rows = np.repeat(np.arange(300), times.astype(int))
        assert value == pytest.approx(average_precision_score(Y[rows], S[rows]))
    low, high = np.quantile(got.resampled, [0.025, 0.975])
    assert (got.low, got.high) == (low, high)


def test_whole_groups_are_drawn_those_with_a_rare_row_apart():
    groups = np.repeat(np.arange(60), 5)
    truth = np.zeros(300, dtype=int)
    truth[[0, 1, 20, 45]] = 1  # groups 0, 4 and 9
    seen = []

    def watch(y_true, y_score, sample_weight=None):
        seen.append(sample_weight)
        return 0.0

    bootstrap_interval(watch, truth, S, groups=groups, n_resamples=30, random_state=0)
    for times in seen[1:]:
        by_group = times.reshape(60, 5)
        assert (by_group == by_group[:, :1]).all()
        with_rare = [0, 4, 9]
        assert by_group[with_rare, 0].sum() == 3
        assert by_group[:, 0].sum() == 60
    assert len({times[0] for times in seen[1:]}) > 1


def test_groups_widen_the_interval_where_rows_repeat():
    # Every row stands there five times: the rows alone look like five times the evidence.
    truth, score = np.repeat(Y, 5), np.repeat(S, 5)
    groups = np.repeat(np.arange(300), 5)
    options = {"n_resamples": 400, "random_state": 0}
    alone = bootstrap_interval("ks", truth, score, **options)
    grouped = bootstrap_interval("ks", truth, score, groups=groups, **options)
    single = bootstrap_interval("ks", Y, S, **options)
    assert grouped.high - grouped.low > 1.7 * (alone.high - alone.low)
    assert grouped.high - grouped.low == pytest.approx(single.high - single.low, rel=0.3)


def test_names_parameters_and_rows_of_amounts():
    amount = RNG.random(300)
    options = {"n_resamples": 20, "random_state": 0}
    by_name = bootstrap_interval("recall_at_fpr_0.05", Y, S, **options)
    by_function = bootstrap_interval(ours.recall_at_fpr, Y, S, max_fpr=0.05, **options)
    np.testing.assert_array_equal(by_name.resampled, by_function.resampled)
    money = bootstrap_interval(
        "captured_amount_at_budget", Y, S, amount=amount, budget=20, **options
    )
    assert money.low <= money.estimate <= money.high
    assert money.estimate == ours.captured_amount_at_budget(Y, S, amount=amount, budget=20)


@pytest.mark.parametrize(
    "metric",
    [
        ours.ks_score,
        ours.h_measure_score,
        ours.partial_roc_auc_score,
        ours.average_precision_skill_score,
        ours.equal_error_rate,
        average_precision_score,
    ],
)
def test_any_metric_of_scores(metric):
    got = bootstrap_interval(metric, Y, S, n_resamples=60, random_state=0)
    assert got.low < got.estimate < got.high
    assert got.estimate == metric(Y, S)


def test_one_value_a_class():
    truth = np.repeat(["a", "b", "c"], [100, 50, 20])
    guess = np.where(RNG.random(170) < 0.7, truth, "a")
    got = bootstrap_interval(
        ours.recall_score, truth, guess, average=None, n_resamples=50, random_state=0
    )
    assert got.low.shape == got.high.shape == got.estimate.shape == (3,)
    assert got.resampled.shape == (50, 3)
    assert ((got.low <= got.estimate) & (got.estimate <= got.high)).all()
    assert got.low[1] < got.estimate[1]
    assert "BootstrapInterval([1." in repr(got)


def test_the_seed_decides_and_the_first_resamples_stay():
    one = bootstrap_interval("ks", Y, S, n_resamples=30, random_state=5)
    two = bootstrap_interval("ks", Y, S, n_resamples=10, random_state=5)
    np.testing.assert_array_equal(one.resampled[:10], two.resampled)
    other = bootstrap_interval("ks", Y, S, n_resamples=10, random_state=6)
    assert (other.resampled != two.resampled).any()


def test_weights_go_to_the_metric_times_the_draws():
    weight = RNG.random(300) + 0.5
    seen = []

    def watch(y_true, y_score, sample_weight):
        seen.append(sample_weight)
        return 0.0

    bootstrap_interval(watch, Y, S, sample_weight=weight, n_resamples=5, random_state=0)
    np.testing.assert_array_equal(seen[0], weight)
    for drawn in seen[1:]:
        times = drawn / weight
        np.testing.assert_allclose(times, np.rint(times), atol=1e-12)
        assert times.sum() == pytest.approx(300)


def test_rows_of_no_weight_are_never_drawn():
    weight = np.where(S > 0, 2.0, 0.0)
    used = weight > 0
    got = bootstrap_interval("ks", Y, S, sample_weight=weight, n_resamples=50, random_state=0)
    expected = bootstrap_interval("ks", Y[used], S[used], n_resamples=50, random_state=0)
    np.testing.assert_allclose(got.resampled, expected.resampled)


def test_confidence_covers():
    """Of 60 samples, nearly all 90 % intervals of the recall at 10 % hold the true value."""
    rng = np.random.default_rng(0)
    big = rng.normal(size=200_000)
    cut = np.quantile(big, 0.9)
    true = float((rng.normal(size=200_000) + 1 > cut).mean())
    covered = 0
    for seed in range(60):
        score = rng.normal(size=440) + np.repeat([0, 1], [400, 40])
        got = bootstrap_interval(
            ours.recall_at_fpr,
            np.repeat([0, 1], [400, 40]),
            score,
            max_fpr=0.1,
            confidence=0.9,
            n_resamples=100,
            random_state=seed,
        )
        covered += got.low <= true <= got.high
    assert 48 <= covered <= 60


def test_warnings():
    with pytest.warns(SmallClassWarning, match="class 1 has one row, which every resample draws"):
        bootstrap_interval("ks", [0, 0, 1], [1, 2, 3], n_resamples=3)
    with pytest.warns(SmallClassWarning, match="has one group"):
        bootstrap_interval("ks", [0, 0, 1, 1], [1, 2, 3, 4], groups=[0, 1, 2, 2], n_resamples=3)

    def sometimes(y_true, y_score, sample_weight=None):
        return np.nan if sample_weight is not None and sample_weight[0] == 0 else 1.0

    with pytest.warns(ImbkitWarning, match="NaN for .* values, which are left out"):
        got = bootstrap_interval(sometimes, Y, S, n_resamples=30, random_state=0)
    assert got.low == got.high == 1.0

    def never(y_true, y_score, sample_weight=None):
        return np.nan

    with pytest.warns(ImbkitWarning, match="NaN for 5 of 5"):
        assert np.isnan(bootstrap_interval(never, Y, S, n_resamples=5).low)


@pytest.mark.parametrize(
    ("metric", "options", "words"),
    [
        ("kss", {}, "Did you mean"),
        (3, {}, "name of a metric or a function"),
        (lambda y, s: 0.0, {}, "must take sample_weight"),
        ("ks", {"budget": 3}, "parameters must be those of the metric: .*'pos_label'"),
        ("ks", {"confidence": 1.0}, "confidence must be"),
        ("ks", {"n_resamples": 1}, "n_resamples must be a whole number from 2"),
        ("ks", {"n_resamples": 2.5}, "n_resamples"),
        ("ks", {"random_state": -1}, "seed"),
    ],
)
def test_bad_parameters(metric, options, words):
    with pytest.raises(InvalidParameterError, match=words):
        bootstrap_interval(metric, Y, S, **options)


def test_bad_data():
    for options, words in (
        ({"groups": [1]}, "groups must hold one value"),
        ({"sample_weight": [1]}, "sample_weight"),
    ):
        with pytest.raises(DataError, match=f"bootstrap_interval: {words}"):
            bootstrap_interval("ks", Y, S, n_resamples=2, **options)
