"""Plans: splits, inner folds, entries, and the fingerprint that resumption rests on."""

import itertools

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.naive_bayes import GaussianNB

from imbkit.bench._cell import inner_forward, inner_splits
from imbkit.bench._options import Options
from imbkit.bench._plan import make_plan
from imbkit.exceptions import DataError, InvalidParameterError


def plan_of(X, y, **changes):
    return make_plan(X, y, Options(**({"cv": (3, 1)} | changes)), "y")


def numbers(n_positive, n_rows=60, seed=0):
    X = np.random.default_rng(seed).normal(size=(n_rows, 2))
    return X, (np.arange(n_rows) < n_positive).astype(int)


class Fixed:
    """A splitter of given pairs."""

    def __init__(self, *pairs):
        self.pairs = pairs

    def split(self, X, y):
        return iter(self.pairs)


@pytest.mark.parametrize(
    ("changes", "folds", "repeats"),
    [
        ({"cv": None}, 5, 2),
        ({"cv": None, "quick": True}, 3, 1),
        ({"cv": 4}, 4, 2),
        ({"cv": (None, 3)}, 5, 3),
        ({"cv": [4, 1]}, 4, 1),
    ],
)
def test_folds_and_repeats(changes, folds, repeats):
    X, y = numbers(20)
    plan = plan_of(X, y, **changes)
    assert (plan.folds, plan.repeats) == (folds, repeats)
    assert [(s.repeat, s.fold) for s in plan.splits] == list(
        itertools.product(range(repeats), range(folds))
    )
    for repeat in range(repeats):
        tests = [split.test for split in plan.splits if split.repeat == repeat]
        assert np.sort(np.concatenate(tests)).tolist() == list(range(60))
    for split in plan.splits:
        assert not set(split.train) & set(split.test)
        assert split.train.size + split.test.size == 60
    if repeats > 1:
        assert set(plan.splits[0].test) != set(plan.splits[folds].test)


def test_every_cell_once_and_split_by_split():
    plan = plan_of(*numbers(20))
    assert len({cell.name for cell in plan.cells}) == len(plan.cells)
    assert len(plan.cells) == len(plan.splits) * len(plan.entries)
    folds = [cell.split.fold for cell in plan.cells]
    assert folds == sorted(folds)
    assert plan.entries[0].name == "none/hist_gradient_boosting"


@pytest.mark.parametrize(
    ("n_positive", "cv", "inner", "fewest"),
    [(30, (5, 1), 3, 16), (4, (4, 1), 3, 2), (3, (3, 1), 2, 1), (3, (5, 1), 2, 1)],
)
def test_inner_folds_of_tiny_classes(n_positive, cv, inner, fewest):
    plan = plan_of(*numbers(n_positive), cv=cv)
    assert (plan.data.inner_folds, plan.task.fewest) == (inner, fewest)


def uneven(n_rows=90):
    """Positives in groups of 5, 2, 5, 1 and 3 rows."""
    X, y = numbers(16, n_rows)
    groups = np.concatenate([np.repeat(np.arange(5), [5, 2, 5, 1, 3]), np.arange(5, n_rows - 11)])
    return X, y, groups


def test_fewest_is_what_every_fit_has_at_least():
    X, y, groups = uneven()
    plan = plan_of(X, y, groups=groups)
    sides = [
        int(y[split.train][train].sum())
        for split in plan.splits
        for train, _ in inner_splits(split, plan.data)
    ]
    assert plan.task.fewest == min(sides) >= 1


@pytest.mark.parametrize("seed", range(3))
def test_equal_rows_and_groups_never_straddle_outer_or_inner_folds(seed):
    X, y, groups = uneven()
    X[60:75], y[60:75] = X[5:20], y[5:20]
    plan = plan_of(X, y, groups=groups, random_state=seed)
    for split in plan.splits:
        inner = [
            (split.train[train], split.train[test])
            for train, test in inner_splits(split, plan.data)
        ]
        for train, test in [(split.train, split.test), *inner]:
            assert not set(plan.duplicates[train]) & set(plan.duplicates[test])
            assert not set(groups[train]) & set(groups[test])
        for train, _ in inner:
            assert set(train) <= set(split.train)
            assert set(y[train]) == {0, 1}


def test_few_distinct_rows_can_be_compared():
    """Two yes-no features make four distinct rows, so folds are few but not empty."""
    rng = np.random.default_rng(0)
    X = rng.random((100, 2)) < 0.5
    plan = plan_of(X, (rng.random(100) < 0.3).astype(int), cv=(5, 1))
    assert (plan.folds, plan.data.inner_folds) == (4, 3)
    for split in plan.splits:
        assert all(test.size for _, test in inner_splits(split, plan.data))


@pytest.mark.parametrize("cv", [(2, 1), Fixed((np.arange(2, 60), np.arange(2)))])
def test_a_training_side_with_a_single_row_of_a_class(cv):
    X, y = numbers(3)
    with pytest.raises(DataError, match="2 (distinct )?rows"):
        plan_of(X, y, cv=cv)


def test_equal_rows_are_not_two_rows_to_learn_from():
    X, y = numbers(4)
    X[1] = X[0]
    with pytest.raises(DataError, match=r"2 distinct rows.*Got 1 of '1' in split 0"):
        plan_of(X, y, cv=Fixed((np.r_[0, 1, 4:40], np.r_[2, 3, 40:60])))


def test_a_splitter_is_given_the_table_and_the_groups():
    seen = {}

    class Asks:
        def split(self, X, y=None, groups=None):
            seen.update(X=X, y=y, groups=groups)
            return KFold(2, shuffle=True, random_state=0).split(X)

    X, y = numbers(20)
    plan_of(X, y, cv=Asks(), groups=np.tile(np.arange(30), 2))
    assert seen["X"] is X
    assert seen["y"].tolist() == y.tolist()
    assert seen["groups"].tolist() == [*range(30)] * 2


def test_group_splitters():
    X, y = numbers(60)
    y = np.arange(60) % 3 == 0
    groups = np.repeat(np.arange(20), 3)
    for cv in (GroupKFold(4), StratifiedKFold(4)):
        for split in plan_of(X, y, cv=cv, groups=groups).splits:
            assert not set(groups[split.train]) & set(groups[split.test])


def test_a_splitter_that_overlaps_is_mended():
    X, y = numbers(20)
    plan = plan_of(X, y, cv=Fixed((np.arange(60), np.arange(0, 60, 3))))
    assert not set(plan.splits[0].train) & set(plan.splits[0].test)
    assert any("20 training rows were left out" in text for text in plan.cautions)


def test_a_splitter_without_splits():
    with pytest.raises(DataError, match="at least one split"):
        plan_of(*numbers(20), cv=Fixed())


@pytest.mark.parametrize("kind", ["text", "numbers", "pandas", "polars", "times"])
def test_missing_groups_are_kept_together_and_told(kind):
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    names = np.array([f"c{i // 2}" for i in range(60)], dtype=object)
    gone = np.arange(60) % 10 == 0
    names[gone] = None
    groups = {
        "text": names,
        "numbers": np.where(gone, np.nan, np.arange(60.0)),
        "pandas": pd.Series(names, dtype="str"),
        "polars": pl.Series(names.tolist()),
        "times": np.where(gone, np.datetime64("NaT"), np.datetime64("2020-01-01", "s")),
    }[kind]
    X, y = numbers(30)
    if kind == "times":
        groups = np.where(gone, groups, groups + np.arange(60))
    plan = plan_of(X, y, groups=groups)
    assert any(text.startswith("6 rows name no group") for text in plan.cautions)
    for split in plan.splits:
        assert len({bool(row in split.test) for row in np.flatnonzero(gone)}) == 1


def test_a_missing_group_is_not_the_group_of_that_name():
    X, y = numbers(30)
    groups = np.array([f"c{i}" for i in range(60)], dtype=object)
    groups[[0, 1]] = None, "None"
    assert plan_of(X, y, groups=groups).data.groups.max() == 59


def test_what_is_left_out_is_said():
    X, y = numbers(3)
    plan = plan_of(X, y, learners=[GaussianNB()])
    where = {problem["where"]: problem["text"] for problem in plan.problems}
    assert where["class_weight/GaussianNB"] == "GaussianNB has no parameter class_weight"
    assert "2 rows of every class" in where["smote/GaussianNB"]
    assert "SMOTE needs 2 rows" in plan_of(X, y, strategies=["smote"]).problems[0]["text"]


@pytest.mark.parametrize(("strategies", "learners"), [([], None), (None, []), ([], [])])
def test_an_empty_panel_is_the_baseline_alone(strategies, learners):
    plan = plan_of(*numbers(20), strategies=strategies, learners=learners)
    assert [entry.name for entry in plan.entries] == ["none/hist_gradient_boosting"]


@pytest.mark.parametrize("seed", [None, np.random.RandomState(0), np.random.default_rng(0)])
def test_any_kind_of_seed(seed):
    assert 0 <= plan_of(*numbers(20), random_state=seed).data.seed < 2**32


def test_a_seed_that_scikit_learn_refuses():
    with pytest.raises(InvalidParameterError, match="less than 2"):
        plan_of(*numbers(20), random_state=2**32)


def test_a_measure_of_two_classes_for_many():
    X, _ = numbers(20)
    with pytest.raises(InvalidParameterError, match="defined for two classes only"):
        plan_of(X, np.arange(60) % 3, metric="recall_at_fpr_0.01")


def finger(X=None, y=None, **changes):
    given = numbers(20)
    return plan_of(
        given[0] if X is None else X, given[1] if y is None else y, **changes
    ).fingerprint


def changed_cell():
    X, _ = numbers(20)
    X[7, 1] += 1e-12
    return X


def equal_rows():
    X, _ = numbers(20)
    X[1] = X[0]
    return X


def test_the_fingerprint_is_of_what_scores_depend_on():
    X, y = numbers(20)
    prints = [
        finger(),
        finger(random_state=1),
        finger(cv=(4, 1)),
        finger(cv=(3, 2)),
        finger(metric="roc_auc"),
        finger(objective="f1"),
        finger(groups=np.arange(60) // 2),
        finger(X=changed_cell()),
        finger(X=X[:, ::-1]),
        finger(y=1 - y),
        finger(positive=[0]),
        finger(cv=StratifiedKFold(3)),
    ]
    assert len(set(prints)) == len(prints)


def test_the_fingerprint_knows_a_column_by_its_name():
    pd = pytest.importorskip("pandas")
    X, _ = numbers(20)
    assert finger(X=pd.DataFrame(X, columns=["a", "b"])) != finger(
        X=pd.DataFrame(X, columns=["a", "c"])
    )


def test_the_fingerprint_is_not_of_the_panel():
    same = [
        {},
        {"strategies": ["smote"], "learners": ["logistic"]},
        {"quick": True},
        {"strategies": []},
    ]
    assert len({finger(**changes) for changes in same}) == 1


@pytest.mark.parametrize("X", [numbers(20)[0], equal_rows()])
def test_the_fingerprint_knows_where_a_splitter_splits(X):
    """With and without equal rows; K folds in order give the same rows whatever K is."""
    y = np.arange(60) % 3 == 0
    splitters = [KFold(3), KFold(4), TimeSeriesSplit(3), TimeSeriesSplit(3, max_train_size=20)]
    assert len({finger(X=X, y=y, cv=cv) for cv in splitters}) == len(splitters)


def test_the_fingerprint_knows_the_parameters_of_own_estimators():
    """Their cells are named by class, so another parameter would be taken for the same cell."""
    weak, strong = (LogisticRegression(C=c) for c in (0.1, 10))
    assert finger(learners=[weak]) != finger(learners=[strong])
    assert finger(learners=[weak]) == finger(learners=[LogisticRegression(C=0.1)])
    few, usual = SMOTE(k_neighbors=2), SMOTE()
    assert finger(strategies=[few], learners=["logistic"]) != finger(
        strategies=[usual], learners=["logistic"]
    )


def test_same_name_and_another_object():
    two = [DummyClassifier(strategy=s) for s in ("prior", "stratified")]
    with pytest.raises(InvalidParameterError, match="different names"):
        plan_of(*numbers(20), learners=two)


@pytest.mark.parametrize("positive", [{"b"}, np.array(["b"]), np.str_("b"), ("b",), ["b", "b"]])
def test_positive_labels_in_any_container(positive):
    X, y = numbers(20)
    plan = plan_of(X, np.where(y, "b", "a"), positive=positive)
    assert plan.target.labels == ("a", "b")
    assert plan.target.codes.tolist() == y.tolist()


def test_the_fingerprint_knows_seed_and_groups_where_the_splits_are_given():
    """Both decide the inner folds, whatever the outer ones are."""
    pairs, crossed = np.arange(60) // 2, np.arange(60) // 4 * 2 + np.arange(60) % 2
    y = np.arange(60) % 3 == 0
    given = {"y": y, "cv": KFold(5)}
    assert finger(**given) != finger(**given, random_state=1)
    assert finger(**given, groups=pairs) != finger(**given, groups=crossed)


def test_groups_of_a_rare_class_are_spread_before_those_of_the_common_one():
    """A few large groups of common rows must not draw the groups of rare rows together."""
    sizes = [2] * 9 + [40, 30, 20] + [1] * 82
    groups = np.repeat(np.arange(len(sizes)), sizes)
    X, y = numbers(18, groups.size)
    # Each rare group brings common rows of its own.
    groups[18:45] = np.repeat(np.arange(9), 3)
    for seed in range(5):
        plan = plan_of(X, y, groups=groups, random_state=seed)
        counts = [int(y[split.test].sum()) for split in plan.splits]
        assert max(counts) - min(counts) <= 2


def test_missing_values_of_either_sign_are_equal():
    """Processors make negative NaN, for example of 0 / 0."""
    X, y = numbers(20)
    X[:3, 0] = [np.nan, -np.nan, np.copysign(np.nan, -1)]
    X[:3, 1] = 1
    assert np.unique(plan_of(X, y).duplicates[:3]).size == 1


def test_the_fingerprint_knows_what_thresholds_are_tuned_for():
    costs = {"fn_cost": 10, "fp_cost": 1}
    prints = [
        finger(),
        finger(costs=costs),
        finger(costs=costs, objective="mcc"),
        finger(costs=costs | {"fn_cost": 11}),
        finger(costs=costs | {"tp_gain": 1}),
        finger(alerts=5),
        finger(alerts=6),
        finger(sample_weight=np.ones(60)),
        finger(sample_weight=np.r_[2.0, np.ones(59)]),
    ]
    assert len(set(prints)) == len(prints)


def test_the_fingerprint_knows_time_and_delay():
    y = np.arange(60) % 3 == 0
    days = np.arange(60)
    prints = [
        finger(y=y),
        finger(y=y, time=days),
        finger(y=y, time=days[::-1]),
        finger(y=y, time=days, label_delay=3),
        finger(y=y, time=days, alerts_per_day=1),
        finger(y=y, time=days // 2, alerts_per_day=1),
        # Seconds of a day, or days of their own.
        finger(y=y, time=days.astype("M8[s]"), alerts_per_day=1),
    ]
    assert len(set(prints)) == len(prints)


def test_what_only_the_page_shows_is_not_in_the_fingerprint():
    assert finger() == finger(prevalence=0.001) == finger(budget_minutes=3, n_jobs=2)


def in_time(n_rows=120, **changes):
    """A plan of rows in random order of time."""
    rng = np.random.default_rng(1)
    X, times = rng.normal(size=(n_rows, 2)), rng.permutation(n_rows)
    y = (np.arange(n_rows) % 3 == 0).astype(int)
    return times, plan_of(X, y, **({"time": times} | changes))


def test_splits_go_forward_in_time():
    times, plan = in_time()
    assert (plan.folds, plan.repeats, len(plan.splits)) == (3, 1, 3)
    for split in plan.splits:
        assert times[split.train].max() < times[split.test].min()
    starts = [times[split.test].min() for split in plan.splits]
    assert starts == sorted(starts)


def test_labels_that_were_not_known_yet_are_not_trained_on():
    times, plan = in_time(label_delay=7)
    for split in plan.splits:
        assert times[split.train].max() <= times[split.test].min() - 7


def test_random_splits_stand_beside_those_in_time_for_the_baseline_alone():
    _, plan = in_time()
    beside = [cell for cell in plan.cells if cell.split.part == "random"]
    assert [cell.name for cell in beside] == [
        f"none/hist_gradient_boosting/random/{k}" for k in range(3)
    ]
    assert {cell.split.part for cell in plan.cells[: -len(beside)]} == {"main"}
    tests = [split.test for split in plan.beside]
    assert np.sort(np.concatenate(tests)).tolist() == list(range(120))
    assert len({cell.name for cell in plan.cells}) == len(plan.cells)


def test_without_time_no_random_split_stands_beside():
    plan = plan_of(*numbers(20))
    assert plan.beside == ()
    assert {cell.split.part for cell in plan.cells} == {"main"}


@pytest.mark.parametrize("times", [np.sort(np.random.default_rng(0).integers(0, 9, 120)) * 1000])
def test_gaps_and_equal_times_are_kept_whole(times):
    _, plan = in_time(time=times)
    for split in plan.splits:
        assert times[split.train].max() < times[split.test].min()
        assert not set(times[split.train]) & set(times[split.test])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time": np.ones(120)}, "times must differ between rows. Got 1 in all 120"),
        (
            {"label_delay": 500},
            "must be left after the label_delay. Got 0 after 500.*Use a shorter delay",
        ),
        ({"time": np.arange(120) // 60}, "at least 4 different times. Got 2. Use fewer splits"),
    ],
)
def test_times_that_cannot_be_split(changes, words):
    with pytest.raises(DataError, match=words):
        in_time(**changes)


def test_a_group_for_every_row_changes_no_split():
    keys = np.random.default_rng(0).permutation(120)
    for options in ({}, {"time": np.arange(120)}):
        X, y = np.random.default_rng(1).normal(size=(120, 2)), np.arange(120) % 3 == 0
        without, given = plan_of(X, y, **options), plan_of(X, y, groups=keys, **options)
        assert any("Every row has its own value" in text for text in given.cautions)
        pairs = zip(without.splits + without.beside, given.splits + given.beside, strict=True)
        for one, other in pairs:
            assert one.train.tolist() == other.train.tolist()
            assert one.test.tolist() == other.test.tolist()
        for split in without.splits:
            ours, theirs = (inner_splits(split, plan.data) for plan in (without, given))
            for (a, b), (c, d) in zip(ours, theirs, strict=True):
                assert a.tolist() == c.tolist()
                assert b.tolist() == d.tolist()


def test_one_group_for_all_rows_is_an_error():
    X, y = numbers(20)
    with pytest.raises(DataError, match="more than one group"):
        plan_of(X, y, groups=["one"] * 60)


def test_a_short_training_side_is_a_caution_not_an_error():
    """Few positives: the first training sides cannot be cut in time, but they can be dealt."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.isin(np.arange(60), [2, 5, 20, 24, 34, 38, 50, 55]).astype(int)
    plan = plan_of(X, y, time=np.arange(60))
    short = [split for split in plan.splits if inner_forward(split, plan.data) is None]
    assert short
    assert any(
        text.startswith(f"In {len(short)} of 3 splits the training side was too short")
        for text in plan.cautions
    )
    for split in short:
        tests = [test for _, test in inner_splits(split, plan.data)]
        assert sorted(np.concatenate(tests)) == list(range(split.train.size))


def test_a_long_table_in_time_has_no_such_caution():
    times, plan = in_time(300)
    assert not plan.cautions
    for split in plan.splits:
        side = times[split.train]
        for train, test in inner_splits(split, plan.data):
            assert side[train].max() < side[test].min()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("in_order", [False, True])
def test_copies_that_differ_in_an_identifier_never_straddle(seed, in_order):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(120, 3)).round(3)
    X[60:] = X[:60]
    X = np.column_stack([X, rng.permutation(120) + 1000])
    y = np.tile(np.arange(60) % 3 == 0, 2).astype(int)
    more = {"time": rng.permutation(120)} if in_order else {}
    plan = plan_of(X, y, random_state=seed, **more)
    assert [leak["kind"] for leak in plan.leaks] == ["identifier"]
    assert np.unique(plan.duplicates).size == 120
    assert np.unique(plan.near_duplicates).size == 60
    for split in (*plan.splits, *plan.beside):
        inner = [(split.train[a], split.train[b]) for a, b in inner_splits(split, plan.data)]
        for train, test in [(split.train, split.test), *inner]:
            assert not set(plan.near_duplicates[train]) & set(plan.near_duplicates[test])


def test_costs_stay_features_and_the_others_do_not():
    pd = pytest.importorskip("pandas")
    X, y = numbers(20)
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(
        amount=1.5, when=np.arange(60), card=np.arange(60) // 2, w=1.0
    )
    frame["amount"] += np.arange(60)
    y = (np.arange(60) % 3 == 0).astype(int)
    plan = plan_of(
        frame,
        y,
        time="when",
        groups="card",
        sample_weight="w",
        costs={"fn_cost": "amount", "fp_cost": 1},
    )
    assert [column.name for column in plan.table.columns] == ["a", "b", "amount"]
    assert plan.taken == ("when", "card", "w")
    assert list(plan.X.columns) == ["a", "b", "amount"]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"alerts": 61}, DataError, "alerts must not exceed the 60 rows of the table. Got 61"),
        ({"alerts": 0}, InvalidParameterError, "alerts must be a number above 0"),
        ({"alerts": np.nan}, InvalidParameterError, "alerts must be a number above 0"),
        (
            {"alerts_per_day": 7, "time": np.arange(60) // 6},
            DataError,
            "alerts_per_day must not exceed the 6 rows of its busiest day",
        ),
    ],
)
def test_more_alerts_than_rows(changes, error, words):
    X, _ = numbers(20)
    with pytest.raises(error, match=words):
        plan_of(X, np.arange(60) % 3 == 0, **changes)


@pytest.mark.parametrize(
    ("y", "weight", "coded"),
    [
        (["ill", "well"], {"ill": 9, "well": 1}, {1: 9, 0: 1}),
        ([0, 1], {0: 9, 1: 1}, {1: 9, 0: 1}),
        (["ill", "well"], "balanced", "balanced"),
        (["ill", "well"], {0: 1, 1: 9}, {0: 1, 1: 9}),
    ],
)
def test_weights_by_label_reach_the_cells_by_code(y, weight, coded):
    """The first label is the rarer one, and so positive: its code is 1."""
    X, positive = numbers(20)
    learner = LogisticRegression(class_weight=weight)
    labels = np.array(y)[1 - positive]
    plan = plan_of(X, labels, learners=[learner], strategies=["none"])
    model = plan.cells[1].estimator.named_steps["model"]
    assert model.class_weight == coded
    assert learner.class_weight == weight
    final = plan.entries[1].strategy.build(plan.entries[1].learner, plan.task)
    assert final.named_steps["model"].class_weight == weight


def test_samplers_by_label_reach_the_cells_by_code():
    X, y = numbers(20)
    sampler = SMOTE(sampling_strategy={"ill": 30})
    plan = plan_of(X, np.array(["well", "ill"])[y], learners=["logistic"], strategies=[sampler])
    assert plan.cells[1].estimator.named_steps["sampler"].sampling_strategy == {1: 30}


@pytest.mark.parametrize("time", [None, np.arange(600)])
def test_groups_that_equal_rows_tie_together_are_told(time):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 4, size=(600, 2)), np.arange(600) % 7 == 0
    with pytest.raises(DataError, match="1 sets, into which equal rows tie the 50 groups"):
        plan_of(X, y, groups=np.arange(600) % 50, time=time)
