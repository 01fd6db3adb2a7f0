"""Columns that give the target away: each rule raises what it should, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import average_precision_score

from imbkit.bench._columns import duplicate_groups, read_columns
from imbkit.bench._leaks import beyond_luck, find_leaks, guarded_columns, near_duplicate_groups
from imbkit.bench._lone_column import average_precision, best_ranking, read_runs

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(7)
N = 600
RARE = (np.arange(N) % 10 == 0).astype(np.intp)
SHUFFLED = np.random.default_rng(3).permutation(N)


def leaks_of(columns, codes=RARE, *, labels=None, positive=1, **options):
    """Leaks among the given columns and three that are honest."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(columns)
    for name in "abc":
        frame[name] = rng.normal(size=codes.size) + 1.5 * (codes == codes.max())
    labels = labels or [str(k) for k in range(codes.max() + 1)]
    return find_leaks(read_columns(frame), codes, labels, positive=positive, **options)


def kinds(leaks):
    return [(leak["column"], leak["kind"]) for leak in leaks]


def only(leaks):
    (leak,) = leaks
    return leak


# -- what a column alone ranks -----------------------------------------------------------------

VALUES = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan]), min_size=4, max_size=40)


def sides(values, members):
    """Average precision of a column's own rankings, by scikit-learn."""
    y = np.zeros(values.size, dtype=int)
    y[members] = 1
    for sign in (1, -1):
        for missing in (-10, 10):
            yield average_precision_score(y, np.where(np.isnan(values), missing, sign * values))


def by_share(values, members, half):
    """The same of shares in the other half, row by row."""
    y = np.zeros(values.size, dtype=int)
    y[members] = 1
    scores = np.zeros(values.size)
    for i, value in enumerate(values):
        same = np.isnan(values) if np.isnan(value) else values == value
        other = same & (half != half[i])
        scores[i] = (y[other].sum() + y.mean()) / (other.sum() + 1)
    return average_precision_score(y, scores)


@given(VALUES, st.integers(0, 2**31))
@settings(max_examples=60)
def test_rankings_are_scikit_learns(values, seed):
    values, rng = np.array(values), np.random.default_rng(seed)
    members = np.flatnonzero(rng.random(values.size) < 0.4)
    half = rng.random(values.size) < 0.5
    if not members.size:
        members = np.array([0])
    expected = max(sides(values, members))
    shares = by_share(values, members, half)
    found = best_ranking(read_runs(values, ordered=True), members, half)
    assert found <= max(expected, shares) + 1e-12
    assert found >= shares - 1e-12
    if expected >= 0.99:
        assert found == pytest.approx(max(expected, shares))
    unordered = read_runs(values, ordered=False)
    few = unordered.sizes.size <= values.size // 2
    assert best_ranking(unordered, members, half) == pytest.approx(shares if few else 0)


@given(st.integers(0, 2**31), st.integers(0, 4))
@settings(max_examples=60)
def test_no_near_perfect_ranking_is_passed_over(seed, swaps):
    rng = np.random.default_rng(seed)
    n_rows, n_members = int(rng.integers(300, 600)), int(rng.integers(20, 200))
    values = np.arange(n_rows) * float(rng.choice([-1, 1]))
    if rng.random() < 0.5:
        values[rng.permutation(n_members)[: int(rng.integers(1, n_members))]] = np.nan
    members = np.arange(n_members)
    for _ in range(swaps):
        members[rng.integers(n_members)] = rng.integers(n_members, n_rows)
    members = np.unique(members)
    expected = max(sides(values, members))
    found = best_ranking(read_runs(values, ordered=True), members, rng.random(n_rows) < 0.5)
    if expected >= 0.99:
        assert found >= expected - 1e-12


@pytest.mark.parametrize(("before", "between"), [(92, 5), (80, 4), (60, 2), (99, 40)])
def test_members_just_below_others_count(before, between):
    members = np.r_[:before, before + between : 100 + between]
    half = np.zeros(2000, dtype=bool)
    for values in (np.arange(2000.0), -np.arange(2000.0)):
        expected = max(sides(values, members))
        assert expected >= 0.985
        assert best_ranking(read_runs(values, ordered=True), members, half) == (
            pytest.approx(expected)
        )


def test_ties_are_one_step():
    hits, sizes = np.array([2, 0, 1]), np.array([4, 3, 1])
    y, score = [1, 1, 0, 0, 0, 0, 0, 1], [3, 3, 3, 3, 2, 2, 2, 1]
    assert average_precision(hits, sizes) == pytest.approx(average_precision_score(y, score))


def test_runs_of_a_column():
    runs = read_runs(np.array([2.0, np.nan, 1.0, 2.0, np.nan, -0.0, 0.0]), ordered=True)
    assert runs.run.tolist() == [2, 3, 1, 2, 3, 0, 0]
    assert runs.sizes.tolist() == [2, 1, 2, 2]
    assert runs.missing
    assert read_runs(np.full(3, np.nan), ordered=True).sizes.tolist() == [3]
    assert not read_runs(np.array([1.0, 1.0]), ordered=True).missing


# -- perfect -----------------------------------------------------------------------------------

NOISE = np.random.default_rng(5).random(N)
PERFECT = {
    "number": RARE + 0.5 * NOISE,
    "negative number": -(RARE + 0.5 * NOISE),
    "almost": np.where(np.arange(N) == 590, 0.96, 100 * RARE + NOISE),
    "category": np.where(RARE == 1, "smurf", np.where(NOISE > 0.5, "none", "else")),
    "codes without order": np.where(RARE == 1, 2.0, np.where(NOISE > 0.5, 1.0, 3.0)),
    "missing for the others, for one rare value": np.where(RARE == 1, 1 + NOISE, np.nan),
    "missing first": np.where(RARE & (NOISE > 0.5), np.nan, RARE + 0.5 * NOISE),
}


@pytest.mark.parametrize("values", PERFECT.values(), ids=PERFECT)
def test_a_column_that_ranks_the_positive_rows(values):
    leak = only(leaks_of({"x": values}))
    assert (leak["column"], leak["kind"]) == ("x", "perfect")
    assert leak["value"] >= 0.99
    assert leak["text"] == (
        f"'x' alone ranks the positive rows almost perfectly (average precision "
        f"{leak['value']:.3f}): it may be known only afterwards. Drop it with --drop 'x' unless "
        "you know better."
    )


def test_a_strong_column_is_not_a_leak():
    strong = RARE * 3 + np.random.default_rng(1).normal(size=N)
    y = RARE
    assert 0.8 < average_precision_score(y, strong) < 0.98
    assert leaks_of({"x": strong}) == []


def test_a_name_of_many_levels_is_not_perfect_because_it_can_be_remembered():
    # Every name is in one class, so the shares of all rows would rank them without an error.
    names = np.array([f"n{i // 3}" for i in range(N)])
    codes = (np.arange(N) // 3 % 10 == 0).astype(np.intp)
    rare_names = np.where(NOISE < 0.45, names, [f"m{i}" for i in range(N)])
    assert all(leak["kind"] == "identifier" for leak in leaks_of({"x": rare_names}, codes))


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_frequent_class_must_be_ranked_as_well_as_a_rare_one(share):
    rng = np.random.default_rng(0)
    codes = (rng.random(4000) < share).astype(np.intp)
    # Average precision of the frequent class far above 0.99 for 0.99, with no skill at all.
    assert leaks_of({"x": rng.normal(size=4000)}, codes) == []
    assert kinds(leaks_of({"x": codes + 0.1 * rng.random(4000)}, codes)) == [("x", "perfect")]


def test_few_positive_rows_are_luck():
    codes = np.zeros(N, dtype=np.intp)
    codes[:9] = 1
    codes = codes[SHUFFLED]
    assert leaks_of({"x": codes + 0.5 * NOISE}, codes) == []
    small = np.arange(24) % 2
    assert leaks_of({"x": small + 0.5 * RNG.random(24)}, small) == []


def test_one_class_of_many():
    codes = np.arange(N) % 3
    codes[codes == 2] = np.where(NOISE[codes == 2] > 0.5, 2, 0)
    labels = ["dos", "normal", "probe"]
    leak = only(leaks_of({"x": (codes == 1) + 0.5 * NOISE}, codes, labels=labels, positive=None))
    assert "ranks the rows of class 'normal' almost perfectly" in leak["text"]
    leak = only(leaks_of({"x": np.array(labels)[codes]}, codes, labels=labels, positive=None))
    assert "(and of 2 more)" in leak["text"]


@pytest.mark.parametrize("seed", range(5))
def test_noise_raises_nothing(seed):
    rng = np.random.default_rng(seed)
    n_rows = int(rng.integers(20, 120))
    columns = {f"n{j}": rng.normal(size=n_rows) for j in range(20)}
    columns |= {f"b{j}": (rng.random(n_rows) < 0.05).astype(float) for j in range(20)}
    columns |= {f"l{j}": rng.integers(0, 5, n_rows).astype(str) for j in range(20)}
    for j in range(20):
        gaps = rng.normal(size=n_rows)
        gaps[rng.random(n_rows) < 0.9] = np.nan
        columns[f"g{j}"] = gaps
    codes = (np.arange(n_rows) % 4 == 0).astype(np.intp)
    assert leaks_of(columns, codes) == []


# -- outcome -----------------------------------------------------------------------------------

SOME = RARE.astype(bool) & (NOISE > 0.5)
BLANK = np.where(SOME, NOISE, np.nan)


def test_known_only_with_a_class():
    leak = only(leaks_of({"refund": BLANK}))
    assert leak["kind"] == "outcome"
    assert leak["value"] == pytest.approx(SOME.sum() / RARE.sum())
    assert leak["text"].startswith(
        f"'refund' is filled in only in rows of class '1' ({SOME.sum()} of 60): it may be known"
    )
    assert "--drop 'refund'" in leak["text"]


def test_a_stray_value_does_not_hide_it():
    codes = np.tile(RARE, 10)
    refund = np.tile(BLANK, 10)
    refund[1] = 0.5
    assert (
        "filled in almost only in rows of class '1'" in only(leaks_of({"r": refund}, codes))["text"]
    )
    refund[1:60:2] = 0.5
    assert leaks_of({"r": refund}, codes) == []


def test_missing_only_in_a_class():
    leak = only(leaks_of({"next_bill": np.where(SOME, np.nan, NOISE)}))
    assert leak["text"].startswith("'next_bill' is missing only in rows of class '1'")


def test_constant_within_a_class():
    leak = only(leaks_of({"code": np.where(SOME, np.ceil(10 * NOISE), 0)}))
    assert leak["kind"] == "outcome"
    assert (
        f"has the same value in all 540 rows of class '0', and has others in {SOME.sum()} of "
        in (leak["text"])
    )


def test_constant_in_the_rare_class_tells_only_if_the_value_is_its_own():
    # All rare rows have the value 0, as have most others: true, and no leak.
    usual = np.where(RARE == 1, 0.0, np.where(NOISE > 0.9, NOISE, 0.0))
    assert leaks_of({"x": usual}) == []
    own = np.where((RARE == 1) | (NOISE > 0.97), 0.0, NOISE)
    leak = only(leaks_of({"x": own}))
    assert leak["kind"] == "outcome"
    assert "has the same value in all 60 rows of class '1'" in leak["text"]


def test_a_frequent_class_that_is_constant_without_telling():
    # Known for half of the frequent class only: the rest is not much richer in rare rows.
    assert leaks_of({"x": np.where((RARE == 0) & (NOISE > 0.5), NOISE, np.nan)}) == []


def test_a_mark_of_few_rows_is_luck_or_too_little():
    few = np.zeros(N)
    few[np.flatnonzero(RARE)[:5]] = 1
    assert leaks_of({"x": few}) == []
    codes = np.tile(RARE, 20)
    rare = np.tile(few, 20)
    assert kinds(leaks_of({"x": rare}, codes)) == []  # 100 of 1,200 rows, under a tenth
    rare[np.flatnonzero(codes)[:200]] = 1
    assert kinds(leaks_of({"x": rare}, codes)) == [("x", "outcome")]


def test_five_rows_of_a_third_of_a_small_table_are_luck():
    codes = (np.arange(60) % 3 == 0).astype(np.intp)
    flag = np.isin(np.arange(60), np.flatnonzero(codes)[:5]).astype(float)
    assert leaks_of({"x": flag, "y": np.where(flag == 1, 1.5, np.nan)}, codes) == []


def test_known_with_one_class_of_many():
    codes = np.arange(N) % 4
    leak = only(
        leaks_of({"x": np.where((codes == 2) & (NOISE > 0.6), NOISE, np.nan)}, codes, positive=None)
    )
    assert "is filled in only in rows of class '2'" in leak["text"]


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.01, 0.99), st.integers(1, 50))
@settings(max_examples=100)
def test_luck_is_bounded(marked, hits, share, n_columns):
    hits = min(hits, marked)
    if beyond_luck(marked, hits, share, n_columns):
        assert binom.sf(hits - 1, marked, share) * n_columns < 1e-6
    if hits <= share * marked:
        assert not beyond_luck(marked, hits, share, n_columns)


# -- identifiers -------------------------------------------------------------------------------

IDENTIFIERS = {
    "text": [f"c{i}" for i in range(N)],
    "text seen twice at times": [f"c{i // 1.5:.0f}" for i in range(N)],
    "1 to n in any order": SHUFFLED + 1,
    "sampled keys": np.random.default_rng(0).permutation(10**7)[:N] + 10**7,
    "two blocks": np.where(SHUFFLED < 300, SHUFFLED, SHUFFLED + 10**6),
    "keys with gaps": np.where(NOISE < 0.1, np.nan, SHUFFLED),
}


@pytest.mark.parametrize("values", IDENTIFIERS.values(), ids=IDENTIFIERS)
def test_identifiers(values):
    leak = only(leaks_of({"key": values}))
    assert leak["kind"] == "identifier"
    assert leak["value"] > 0.5
    assert "'key' looks like an identifier" in leak["text"]
    assert "--drop 'key'" in leak["text"]


HONEST = {
    "incomes": np.exp(np.random.default_rng(0).normal(13, 1, N)).round(),
    "ages": np.random.default_rng(0).integers(18, 90, N),
    "fractions": np.random.default_rng(0).random(N),
    "cities": [f"c{i % 40}" for i in SHUFFLED],
}


@pytest.mark.parametrize("values", HONEST.values(), ids=HONEST)
def test_what_is_no_identifier(values):
    assert leaks_of({"x": values}) == []


# -- order -------------------------------------------------------------------------------------

ORDERED = {
    "counter": (np.arange(N), "never falls"),
    "time stamps with ties": (np.arange(N) // 3 * 1.5, "never falls"),
    "downwards": (-(np.arange(N) ** 1.1), "never rises"),
    "dates": (pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(N) // 2, "h"), "never falls"),
}


@pytest.mark.parametrize(("values", "words"), ORDERED.values(), ids=ORDERED)
def test_columns_that_run_with_the_rows(values, words):
    leak = only(leaks_of({"step": values}))
    assert (leak["kind"], leak["value"]) == ("order", None)
    assert words in leak["text"]
    assert "--time 'step'" in leak["text"]
    assert not any(x["kind"] == "order" for x in leaks_of({"step": values}, order_matters=False))


def test_a_counter_is_a_key_where_the_time_is_known():
    assert kinds(leaks_of({"step": np.arange(N)}, order_matters=False)) == [("step", "identifier")]


def test_what_does_not_run_with_the_rows():
    broken = np.arange(N) // 2.0
    broken[300] = 0
    few = np.arange(N) // 40  # 15 values
    gaps = np.where(NOISE < 0.1, np.nan, np.arange(N) // 3)
    assert leaks_of({"broken": broken, "few": few, "gaps": gaps}) == []


def test_a_counter_in_a_table_sorted_by_class_is_both():
    codes = np.sort(RARE)
    assert kinds(leaks_of({"id": np.arange(N)}, codes)) == [("id", "perfect"), ("id", "order")]


def test_the_gravest_come_first():
    leaks = leaks_of(
        {"key": SHUFFLED, "step": np.arange(N), "refund": BLANK, "x": RARE + NOISE / 2}
    )
    assert [leak["kind"] for leak in leaks] == ["perfect", "outcome", "identifier", "order"]


# -- near duplicates ---------------------------------------------------------------------------


def copies(n_rows=200, **columns):
    """Rows of which the second half repeats the first, and columns beside them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.normal(size=n_rows) for name in "abc"})
    frame.iloc[n_rows * 3 // 4 :] = frame.iloc[: n_rows // 4].to_numpy()
    table = read_columns(frame.assign(**columns))
    codes = (rng.random(n_rows) < 0.3).astype(np.intp)
    return table, find_leaks(table, codes, ["0", "1"], positive=1)


@pytest.mark.parametrize(
    "column",
    [
        np.arange(200),
        np.random.default_rng(0).permutation(200),
        [f"c{i}" for i in range(200)],
        pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.permutation(200), "h"),
    ],
    ids=["counter", "key", "text", "date"],
)
def test_copies_that_differ_in_a_key_or_a_time(column):
    table, leaks = copies(key=column)
    assert guarded_columns(table, leaks).tolist() == [0, 1, 2]
    duplicates = duplicate_groups(table.matrix)
    assert np.unique(duplicates).size == 200
    near = near_duplicate_groups(table, leaks, duplicates)
    assert (near[150:] == near[:50]).all()
    assert np.unique(near).size == 150


def test_nothing_to_leave_out():
    table, leaks = copies()
    assert guarded_columns(table, leaks).tolist() == [0, 1, 2]
    assert near_duplicate_groups(table, leaks, duplicate_groups(table.matrix)) is None


def test_too_few_columns_would_be_left():
    frame = pd.DataFrame({"a": RNG.normal(size=90), "b": RNG.normal(size=90), "id": range(90)})
    table = read_columns(frame)
    leaks = find_leaks(table, np.arange(90) % 3, list("xyz"), positive=None)
    assert [leak["kind"] for leak in leaks] == ["order"]
    assert guarded_columns(table, leaks).tolist() == [0, 1, 2]


def test_flags_that_honest_rows_share_make_no_copies():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.integers(0, 2, 300) for name in "abcd"} | {"id": range(300)})
    table = read_columns(frame)
    leaks = find_leaks(table, (np.arange(300) % 3 == 0).astype(np.intp), ["0", "1"], positive=1)
    assert guarded_columns(table, leaks).tolist() == [0, 1, 2, 3, 4]
    assert near_duplicate_groups(table, leaks, duplicate_groups(table.matrix)) is None


# -- real tables -------------------------------------------------------------------------------

REAL = {
    "nsl_kdd_train": (["r2l", "u2r"], [("target_attack", "perfect")]),
    "sick": (["sick"], []),
    "mammography": (["1"], []),
    "creditcard_subset": (["1"], [("Time", "order")]),
    "fraud_handbook_sim": (
        ["1"],
        [("target_scenario", "perfect"), ("TX_DATETIME", "order"), ("TX_TIME_DAYS", "order")],
    ),
    "ai4i2020": (["1"], [(f"target_{x}", "outcome") for x in ("TWF", "HDF", "PWF", "OSF")]),
}


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "expected"), REAL.items(), ids=REAL)
def test_real_tables(data_folder, name, expected):
    positive, leaks = expected
    frame = pd.read_parquet(data_folder / f"{name}.parquet")
    codes = frame.pop("target").astype(str).isin(positive).to_numpy().astype(np.intp)
    found = find_leaks(read_columns(frame), codes, ["other", "rare"], positive=1)
    assert kinds(found) == leaks
