"""The generator: features against brute force, frauds against their definitions, seeds."""

import numpy as np
import pandas as pd
import pytest

from imbkit._core import messages
from imbkit.datasets import make_transactions
from imbkit.exceptions import InvalidParameterError, MissingExtraError

DAY = pd.Timedelta(days=1)
FEATURES = [
    "amount",
    "hour",
    *(f"customer_{what}_{w}" for w in (1, 7, 30) for what in ("count", "mean")),
    *(f"terminal_{what}_{w}" for what in ("count", "risk") for w in (1, 7, 30)),
]


@pytest.fixture(scope="module")
def made():
    return make_transactions(random_state=0)


@pytest.mark.parametrize("delay", [0.0, 0.37, 5.0])
def test_features_equal_a_recount_of_the_past(delay):
    frame = make_transactions(12, 6, 50, fraud_rate=0.2, label_delay=delay, random_state=3).frame
    assert frame["fraud"].sum() > 50
    for i in range(0, len(frame), 7):
        row, past = frame.iloc[i], frame.iloc[: i + 1]
        for window in (1, 7, 30):
            recent = past[past["time"] > row["time"] - window * DAY]
            own = recent[recent["customer"] == row["customer"]]
            assert row[f"customer_count_{window}"] == len(own)
            assert row[f"customer_mean_{window}"] == pytest.approx(own["amount"].mean())
            there = recent["terminal"] == row["terminal"]
            assert row[f"terminal_count_{window}"] == there.sum()
            known = past[
                (past["terminal"] == row["terminal"])
                & (past["label_time"] < row["time"])
                & (past["label_time"] >= row["time"] - window * DAY)
            ]
            risk = known["fraud"].mean() if len(known) else 0.0
            assert row[f"terminal_risk_{window}"] == pytest.approx(risk)


def test_a_later_table_does_not_change_earlier_features():
    from imbkit.datasets._transactions import _features

    rng = np.random.default_rng(0)
    n_rows, kept = 400, 250
    rows = {
        "second": np.sort(rng.integers(0, 40 * 86_400, n_rows)),
        "customer": rng.integers(0, 5, n_rows),
        "terminal": rng.integers(0, 4, n_rows),
        "cents": rng.integers(1, 9_999, n_rows),
        "scenario": rng.integers(0, 4, n_rows),
    }
    whole = _features(rows, 3 * 86_400)
    part = _features({name: column[:kept] for name, column in rows.items()}, 3 * 86_400)
    # Labels that were not known at the last row may be anything.
    hidden = dict(rows)
    late = rows["second"] + 3 * 86_400 >= rows["second"][kept - 1]
    hidden["scenario"] = np.where(late, 0, rows["scenario"])
    blind = _features(hidden, 3 * 86_400)
    for name, column in whole.items():
        np.testing.assert_array_equal(column[:kept], part[name])
        np.testing.assert_array_equal(column[:kept], blind[name][:kept])


def test_rows_of_the_same_second_are_counted_as_documented():
    from imbkit.datasets._history import counts_and_sums

    time = np.array([0, 10, 10, 10, 20])
    whose = np.array([0, 0, 0, 1, 0])
    value = np.array([1, 2, 4, 8, 16])
    counts, sums = counts_and_sums(whose, time, value, window=10, delay=None)
    assert counts.tolist() == [1, 1, 2, 1, 1]  # (t - 10, t], so a row at t - 10 is out
    assert sums.tolist() == [1, 2, 6, 8, 16]
    counts, sums = counts_and_sums(whose, time, value, window=10, delay=0)
    assert counts.tolist() == [0, 1, 1, 0, 2]  # [t - 10, t)
    assert sums.tolist() == [0, 1, 1, 0, 6]
    counts, _ = counts_and_sums(whose, time, value, window=10, delay=10)
    assert counts.tolist() == [0, 0, 0, 0, 1]


def test_intervals_may_overlap_and_belong_to_one_entity():
    from imbkit.datasets._history import active

    entity = np.array([0, 0, 0, 0, 1, 1, 2, 1])
    time = np.array([1.0, 2.0, 3.9, 4.0, 2.5, 5.0, 2.5, 0.0])
    owner, start, stop = np.array([1, 0, 0]), np.array([5.0, 2.0, 1.5]), np.array([6.0, 4.0, 3.0])
    expected = [
        bool(((owner == e) & (start <= t) & (t < stop)).any())
        for e, t in zip(entity, time, strict=True)
    ]
    assert active(entity, time, owner, start, stop).tolist() == expected
    assert expected == [False, True, True, False, False, True, False, False]


def test_columns_and_types(made):
    assert made.feature_names == made.data.columns.tolist() == FEATURES
    ends = ["fraud", "scenario", "label_time"]
    assert made.frame.columns.tolist() == ["time", "customer", "terminal", *FEATURES, *ends]
    assert set(made.data.dtypes.map(str)) == {"int64", "float64"}
    assert made.frame["time"].dtype.kind == made.frame["label_time"].dtype.kind == "M"
    assert not made.frame.isna().any(axis=None)
    assert np.isfinite(made.data.to_numpy()).all()
    assert made.positive_label == 1
    assert made.target_names == [0, 1]
    assert (made.target == made.frame["fraud"]).all()


def test_rows_are_in_the_order_of_time_within_the_record(made):
    time = made.time
    assert time.is_monotonic_increasing
    assert time.iloc[0] >= pd.Timestamp("2024-01-01")
    assert time.iloc[-1] < pd.Timestamp("2024-01-01") + 60 * DAY
    hour = (time - time.dt.floor("D")) / pd.Timedelta(hours=1)
    np.testing.assert_allclose(made.data["hour"], hour)
    # 85 percent of the day's transactions belong to the two peaks.
    assert made.data["hour"].between(8, 23).mean() > 0.8
    assert set(made.customer) <= set(range(500))
    assert set(made.terminal) <= set(range(1000))


@pytest.mark.parametrize("delay", [0, 2.5, 30])
def test_labels_become_known_after_the_delay(delay):
    made = make_transactions(10, 10, 5, label_delay=delay, random_state=0)
    assert (made.label_time - made.time == delay * DAY).all()


def test_a_fraud_has_one_scenario_and_a_genuine_row_none(made):
    assert set(made.scenario) == {0, 1, 2, 3}
    assert ((made.scenario > 0) == (made.target == 1)).all()


def test_every_amount_above_the_limit_is_a_fraud(made):
    amount, scenario = made.data["amount"], made.scenario
    assert amount[scenario.isin([0, 2])].between(0.01, 250).all()
    assert (amount[scenario == 1] > 250).all()
    assert (made.target[amount > 250] == 1).all()
    np.testing.assert_allclose((100 * amount) % 1, np.rint((100 * amount) % 1), atol=1e-6)


def test_frauds_at_terminals_cluster_in_weeks_and_look_genuine(made):
    frame = made.frame[made.scenario == 2]
    spells = frame.groupby("terminal")["time"].agg(["min", "max", "size"])
    # Two attacks on one terminal are rare, so hardly any spell exceeds the longest attack.
    assert ((spells["max"] - spells["min"]) <= 28 * DAY).mean() > 0.9
    busy = spells[spells["size"] >= 5].index
    assert len(busy) > 5
    here = made.frame[made.frame["terminal"].isin(busy)]
    spell = spells.loc[here["terminal"]]
    inside = (here["time"].array >= spell["min"].array) & (here["time"].array <= spell["max"].array)
    assert 0.5 < here.loc[inside, "fraud"].mean() < 0.8
    genuine = made.frame["amount"][made.scenario == 0]
    assert frame["amount"].median() == pytest.approx(genuine.median(), rel=0.3)


def test_stolen_cards_pay_five_times_as_much(made):
    frame = made.frame
    stolen = frame[frame["scenario"] == 3]
    usual = frame[frame["scenario"] == 0].groupby("customer")["amount"].mean()
    ratio = stolen["amount"] / usual.loc[stolen["customer"]].to_numpy()
    assert ratio.mean() == pytest.approx(5, rel=0.15)
    spells = stolen.groupby("customer")["time"].agg(["min", "max"])
    assert ((spells["max"] - spells["min"]) <= 21 * DAY).mean() > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_the_default_share_of_frauds_lies_in_the_documented_band(seed):
    made = make_transactions(random_state=seed, as_frame=False)
    assert 0.004 < made.target.mean() < 0.014


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_the_share_of_frauds_follows_the_rate_and_the_mix(rate):
    made = make_transactions(800, 800, 60, fraud_rate=rate, random_state=1, as_frame=False)
    shares = np.bincount(made.scenario, minlength=4) / len(made.target)
    np.testing.assert_allclose(shares[1:], rate * np.array([0.1, 0.45, 0.45]), rtol=0.25)


def test_drift_moves_amounts_and_frauds_and_keeps_the_rate():
    options = {"fraud_rate": 0.1, "random_state": 2, "as_frame": False}
    still, moved = (make_transactions(600, 600, 60, drift=d, **options) for d in (False, True))
    assert np.array_equal(still.time, moved.time)
    late = still.time >= np.datetime64("2024-02-15")

    def amount(made, rows):
        rows = rows & (made.scenario == 0)
        return made.data[rows, 0].mean()

    assert amount(still, late) == pytest.approx(amount(still, ~late), rel=0.03)
    assert amount(moved, late) / amount(moved, ~late) > 1.1

    def share(made, kind):
        return (made.scenario[late] == kind).mean()

    assert share(moved, 2) < 0.5 * share(still, 2)
    assert share(moved, 3) > 1.4 * share(still, 3)
    assert moved.target.mean() == pytest.approx(still.target.mean(), rel=0.2)


def test_the_same_seed_gives_the_same_table_and_another_another():
    first, again = (make_transactions(20, 20, 10, random_state=5).frame for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = make_transactions(20, 20, 10, random_state=6).frame
    assert len(other) != len(first) or not other["amount"].equals(first["amount"])


def test_generators_are_used_up_and_equal_ones_agree():
    def table(state):
        return make_transactions(5, 5, 10, random_state=state, as_frame=False).data

    for maker in (np.random.default_rng, np.random.RandomState):
        np.testing.assert_array_equal(table(maker(0)), table(maker(0)))
        state = maker(0)
        first, second = table(state), table(state)
        assert first.shape != second.shape or not np.array_equal(first, second)
    assert len(table(None)) > 0


def test_the_global_generator_is_left_alone():
    before = np.random.get_state()[1].tolist()
    make_transactions(5, 5, 5, random_state=0)
    assert np.random.get_state()[1].tolist() == before


def test_more_customers_leave_the_others_as_they_were():
    own = ["time", "customer", "terminal", "amount", "scenario", "customer_mean_7"]
    few = make_transactions(15, 30, 20, random_state=9, fraud_rate=0.1).frame[own]
    many = make_transactions(40, 30, 20, random_state=9, fraud_rate=0.1).frame[own]
    many = many[many["customer"] < 15].reset_index(drop=True)
    pd.testing.assert_frame_equal(few, many)


def test_arrays_say_the_same_as_frames():
    options = {"n_customers": 20, "n_terminals": 30, "n_days": 20, "random_state": 4}
    framed, plain = make_transactions(**options), make_transactions(**options, as_frame=False)
    assert plain.frame is None
    assert plain.data.dtype == np.float64
    np.testing.assert_array_equal(plain.data, framed.data.to_numpy(dtype=float))
    for name in ("target", "time", "customer", "terminal", "scenario", "label_time"):
        np.testing.assert_array_equal(plain[name], framed[name].to_numpy())
    assert plain.feature_names == framed.feature_names
    assert plain.DESCR == framed.DESCR


def test_the_description_counts_the_rows():
    made = make_transactions(30, 30, 10, random_state=0, drift=0.5, label_delay=2.5)
    kinds = np.bincount(made.scenario, minlength=4)
    assert f"{len(made.data):,} rows: {kinds[0]:,} genuine" in made.DESCR
    assert "labels after 2.5 days, drift 0.5" in made.DESCR


def test_one_customer_one_terminal_one_day_and_even_no_row_at_all():
    sizes = set()
    for seed in range(8):
        made = make_transactions(1, 1, 1, random_state=seed)
        assert made.data.shape == (len(made.target), 14)
        assert set(made.terminal) <= {0}
        sizes.add(len(made.target))
    assert 0 in sizes
    assert len(sizes) > 1


@pytest.mark.parametrize("name", ["n_customers", "n_terminals", "n_days"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "3", None, True])
def test_sizes_must_be_positive_whole_numbers(name, value):
    with pytest.raises(
        InvalidParameterError, match=rf"make_transactions: {name} must be a positive whole"
    ):
        make_transactions(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("fraud_rate", 0, "above 0 and at most 0.2"),
        ("fraud_rate", 0.21, "above 0 and at most 0.2"),
        ("fraud_rate", float("nan"), "above 0 and at most 0.2"),
        ("fraud_rate", "low", "above 0 and at most 0.2"),
        ("fraud_rate", True, "above 0 and at most 0.2"),
        ("label_delay", -0.1, "of at least 0 and at most 3650"),
        ("label_delay", float("inf"), "of at least 0 and at most 3650"),
        ("label_delay", None, "of at least 0 and at most 3650"),
        ("drift", -0.1, "of at least 0 and at most 1"),
        ("drift", 1.5, "of at least 0 and at most 1"),
        ("drift", "yes", "of at least 0 and at most 1"),
    ],
)
def test_numbers_out_of_range_are_refused(name, value, rule):
    with pytest.raises(InvalidParameterError, match=f"{name} must be a number {rule}. Got"):
        make_transactions(**{name: value})


@pytest.mark.parametrize("seed", [-1, 1.5, "seed"])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(InvalidParameterError, match="random_state must be a non-negative integer"):
        make_transactions(2, 2, 2, random_state=seed)


def test_frames_need_pandas_and_arrays_do_not(monkeypatch):
    def absent(module):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(messages, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"make_transactions.*imbkit\[compare\]"):
        make_transactions(2, 2, 2)
    assert make_transactions(2, 2, 2, as_frame=False, random_state=0).frame is None
