import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import recall_score, time_to_detection

ROWS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 1),
        st.integers(0, 9),
        st.sampled_from("abc"),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=15,
)


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


@settings(max_examples=80)
@given(ROWS)
def test_groups_by_brute_force(rows):
    truth, guess, times, groups, _ = columns(rows)
    found = time_to_detection(truth, guess, times=times, groups=groups)
    expected = sorted({g for g, y in zip(groups, truth, strict=True) if y})
    assert found.events.tolist() == expected
    for k, group in enumerate(expected):
        mine = (groups == group) & (truth == 1)
        onset = times[mine].min()
        hits = times[mine & (guess == 1)]
        first = hits.min() if hits.size else np.inf
        assert found.onset[k] == onset
        assert found.delay[k] == first - onset
        assert found.missed[k] == (times[mine] < first).sum()
        assert found.rows[k] == mine.sum()


@settings(max_examples=80)
@given(ROWS)
def test_runs_by_brute_force(rows):
    truth, guess, _, _, _ = columns(rows)
    times = np.arange(truth.size) * 2.0
    found = time_to_detection(truth, guess, times=times)
    runs, before = [], 0
    for i, y in enumerate(truth):
        if y and not before:
            runs.append([])
        if y:
            runs[-1].append(i)
        before = y
    delays = []
    for run in runs:
        hits = [i for i in run if guess[i]]
        delays.append(2.0 * (hits[0] - run[0]) if hits else np.inf)
    assert found.delay.tolist() == delays
    assert found.onset.tolist() == [2.0 * run[0] for run in runs]
    assert found.missed.sum() + sum(
        len([i for i in run if i >= min((j for j in run if guess[j]), default=99)]) for run in runs
    ) == pytest.approx(truth.sum())


@settings(max_examples=60)
@given(ROWS, st.booleans(), st.randoms(use_true_random=False))
def test_weights_are_repetitions_and_order_is_nothing(rows, grouped, random):
    truth, guess, _, groups, weight = columns(rows)
    assume(weight.any())
    times = np.arange(truth.size)
    order = list(range(truth.size))
    random.shuffle(order)
    given_groups = groups[order] if grouped else None
    weighted = time_to_detection(
        truth[order],
        guess[order],
        times=times[order],
        groups=given_groups,
        sample_weight=weight[order],
    )
    repeated = time_to_detection(
        np.repeat(truth, weight),
        np.repeat(guess, weight),
        times=np.repeat(times, weight),
        groups=np.repeat(groups, weight) if grouped else None,
    )
    for name in ("events", "onset", "delay", "missed", "rows"):
        assert getattr(weighted, name).tolist() == getattr(repeated, name).tolist(), name


def test_dates_are_seconds_without_loss():
    start = np.datetime64("2024-03-01T12:00:00.000000123", "ns")
    times = start + np.array([0, 90, 3600], dtype="timedelta64[s]")
    found = time_to_detection([1, 1, 1], [0, 0, 1], times=times)
    assert found.delay.tolist() == [3600.0]
    assert found.onset[0] == start
    found = time_to_detection([1, 1], [0, 1], times=times[:2])
    assert found.delay.tolist() == [90.0]


def test_large_whole_numbers_keep_their_last_digit():
    found = time_to_detection([1, 1], [0, 1], times=np.array([2**60 + 1, 2**60 + 2]))
    assert found.delay.tolist() == [1.0]


def test_shares_and_median():
    truth, guess = [1, 0, 1, 0, 1], [1, 0, 0, 0, 0]
    found = time_to_detection(truth, guess, times=range(5))
    assert found.detected_share == pytest.approx(1 / 3)
    assert found.median_delay == np.inf
    assert found.within(0) == found.within(100) == pytest.approx(1 / 3)
    every = time_to_detection(truth, truth, times=range(5))
    assert every.median_delay == 0
    assert every.detected_share == 1
    # With one row an event, it is recall.
    assert found.detected_share == recall_score(truth, guess)
    nothing = time_to_detection([0, 0], [0, 1], times=[1, 2])
    assert nothing.delay.size == 0
    assert np.isnan([nothing.detected_share, nothing.median_delay, nothing.within(1)]).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"times": [1]}, "times must hold one time for each of the 2 rows"),
        ({"times": ["a", "b"]}, "times must be numbers or NumPy dates"),
        ({"times": [1, np.nan]}, "times must be finite and not missing"),
        ({"times": np.array(["2024-01-01", "NaT"], "M8[D]")}, "times must be finite"),
        ({"times": [1, 2], "groups": ["a", None]}, "groups must not have missing values"),
        ({"times": [1, 2], "pos_label": 7}, "pos_label must be one of the labels"),
    ],
)
def test_bad_data(options, words):
    with pytest.raises(DataError, match=f"time_to_detection: {words}"):
        time_to_detection([0, 1], [0, 1], **options)


def test_bad_limit():
    with pytest.raises(InvalidParameterError, match="limit must be a number from 0"):
        time_to_detection([0, 1], [0, 1], times=[0, 1]).within(-1)
