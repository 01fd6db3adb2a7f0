"""Batch samplers: exact places, class shares in the long run, coverage, and the same for a seed."""

import copy
import inspect
import pickle

import numpy as np
import pytest
from scipy.stats import chisquare

from imbkit import nets
from imbkit.exceptions import DataError, ImbkitWarning, InvalidParameterError, SmallClassWarning
from imbkit.nets import (
    BagBatchSampler,
    BaseBatchSampler,
    ClassBalancedBatchSampler,
    DifficultyBatchSampler,
    DualBatchSampler,
    EpisodicBatchSampler,
    InstanceBatchSampler,
    PowerBatchSampler,
    ProgressiveBatchSampler,
    RepeatFactorBatchSampler,
    batch_sampler_names,
    get_batch_sampler,
)
from imbkit.nets._class_cycles import ClassCycles, in_proportion, quota_slots

CLASSES = [
    cls
    for name in nets.__all__
    if inspect.isclass(cls := getattr(nets, name)) and issubclass(cls, BaseBatchSampler)
    if cls is not BaseBatchSampler
]
CASES = [(cls, dict(case)) for cls in CLASSES for case in cls.card.cases]
IDS = [f"{cls.__name__}{list(case.items())}" for cls, case in CASES]
Y = np.repeat([0, 1, 2], [700, 200, 60])
BINARY = np.repeat([0, 1], [900, 60])
RNG = np.random.default_rng(0)
LABELS = (RNG.random((960, 4)) < [0.5, 0.2, 0.05, 0.02]).astype(int)
WEIGHT = RNG.random(960) * 2


def started(sampler, y=None, batch_size=32, seed=0, n_classes=None, **more):
    if y is None:
        y = BINARY if isinstance(sampler, DualBatchSampler) else Y
    y = np.asarray(y)
    more.setdefault("groups", np.arange(len(y)) // 7)
    n_classes = n_classes or (y.shape[1] if y.ndim == 2 else int(y.max()) + 1)
    sampler.start(y, n_classes=n_classes, batch_size=batch_size, seed=seed, **more)
    return sampler


def drawn(sampler, epochs=1, first=0):
    return np.concatenate([b for e in range(first, first + epochs) for b in sampler.batches(e)])


def per_batch(sampler, y, epochs=3):
    width = int(y.max()) + 1
    return np.array(
        [np.bincount(y[b], minlength=width) for e in range(epochs) for b in sampler.batches(e)]
    )


# ---- what all of them answer


@pytest.mark.parametrize(("cls", "case"), CASES, ids=IDS)
def test_an_epoch_is_a_function_of_seed_and_number(cls, case):
    one = started(cls(**case), sample_weight=WEIGHT, max_epochs=4)
    two = started(cls(**case), sample_weight=WEIGHT, max_epochs=4)
    late = drawn(two, first=3)  # without those before it
    assert np.array_equal([len(b) for b in two.batches(3)], [len(b) for b in two.batches(3)])
    for epoch in range(3):
        assert np.array_equal(drawn(one, first=epoch), drawn(one, first=epoch))
        assert np.array_equal(drawn(one, first=epoch), drawn(two, first=epoch))
    assert np.array_equal(drawn(one, first=3), late)
    assert not np.array_equal(drawn(one), drawn(one, first=1))
    other = started(cls(**case), sample_weight=WEIGHT, max_epochs=4, seed=1)
    assert not np.array_equal(drawn(one), drawn(other))


@pytest.mark.parametrize("length", ["auto", "majority", 1, 7])
@pytest.mark.parametrize(("cls", "case"), CASES, ids=IDS)
def test_length_is_what_is_yielded(cls, case, length):
    sampler = started(cls(**case, length=length), batch_size=50)
    for epoch in range(3):
        batches = list(sampler.batches(epoch))
        assert len(batches) == len(sampler)
        assert all(b.dtype == np.int64 and b.ndim == 1 and b.size for b in batches)
        assert all(0 <= b.min() and b.max() < 960 for b in batches)
        if cls is not BagBatchSampler:
            assert max(len(b) for b in batches) <= 50
    counts = np.bincount(BINARY if cls is DualBatchSampler else Y)
    planned = {"auto": 960, "majority": len(counts) * counts.max()}.get(length)
    assert len(sampler) == (length if planned is None else -(-planned // 50))


@pytest.mark.parametrize(("cls", "case"), CASES, ids=IDS)
def test_class_shares_in_the_long_run_are_those_reported(cls, case):
    sampler = started(cls(**case), sample_weight=WEIGHT, max_epochs=5)
    y = BINARY if cls is DualBatchSampler else Y
    for epoch in range(5):
        shares = sampler.effective_priors(epoch)
        counts = np.bincount(y[drawn(sampler, first=epoch)], minlength=len(shares))
        assert shares.sum() == pytest.approx(1)
        assert chisquare(counts, shares * counts.sum()).pvalue > 0.001, epoch
        if cls in (ClassBalancedBatchSampler, PowerBatchSampler, ProgressiveBatchSampler):
            if not case.get("per_class"):
                assert np.abs(counts - shares * counts.sum()).max() < 1
    mean = np.mean([sampler.effective_priors(epoch) for epoch in range(5)], axis=0)
    assert sampler.effective_priors() == pytest.approx(mean)


@pytest.mark.parametrize(("cls", "case"), CASES, ids=IDS)
def test_a_pickle_or_copy_holds_the_parameters(cls, case):
    sampler = started(cls(**case))
    for other in (pickle.loads(pickle.dumps(sampler)), copy.deepcopy(sampler)):
        assert repr(other) == repr(sampler)
        assert bool(other)
        with pytest.raises(InvalidParameterError, match="Call start first"):
            other.batches(0)
        with pytest.raises(InvalidParameterError, match="Call start first"):
            len(other)
        assert np.array_equal(drawn(started(other)), drawn(sampler))
    assert len(pickle.dumps(sampler)) < 500


@pytest.mark.parametrize(("cls", "case"), CASES, ids=IDS)
def test_the_global_generator_is_left_alone(cls, case):
    before = np.random.get_state()[1].copy()
    drawn(started(cls(**case)))
    assert np.array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize(("cls", "case"), CASES, ids=IDS)
def test_weights_are_ignored_unless_asked_for(cls, case):
    plain = {**case, "use_weight": False} if "use_weight" in case else case
    sampler = started(cls(**plain), sample_weight=WEIGHT)
    without = started(cls(**plain))
    assert np.array_equal(drawn(sampler), drawn(without))
    assert np.array_equal(sampler.effective_priors(), without.effective_priors())
    assert sampler.use_weight is False


@pytest.mark.parametrize("batch_size", [1, 2, 3, 64, 10_000])
@pytest.mark.parametrize(("cls", "case"), CASES, ids=IDS)
def test_any_batch_size_serves_or_is_refused(cls, case, batch_size):
    sampler, y, least = cls(**case), [0, 1, 1, 0, 1, 0, 1], case.get("shot", 1)
    both = cls is ClassBalancedBatchSampler and not case.get("per_class")
    if both or cls is DualBatchSampler or case.get("halves"):
        least = 2
    if batch_size < least:
        with pytest.raises(InvalidParameterError, match="batch"):
            started(sampler, y=y, batch_size=batch_size)
        return
    started(sampler, y=y, batch_size=batch_size)
    assert len(list(sampler.batches(0))) == len(sampler)
    if cls is not BagBatchSampler:
        assert max(map(len, sampler.batches(0))) <= min(batch_size, 7)


def test_limits_stated_by_the_cards_hold():
    for cls in CLASSES:
        for limit in cls.card.limits:
            one = started(cls(**limit.when))
            two = started(getattr(nets, limit.equals)(**limit.other))
            assert np.array_equal(drawn(one, 2), drawn(two, 2)), (cls, limit)


# ---- instance


def test_instance_is_a_shuffle_whose_last_batch_is_never_a_single_row():
    sampler = started(InstanceBatchSampler(), y=np.zeros(97, int), batch_size=32)
    assert [len(b) for b in sampler.batches(0)] == [32, 32, 31, 2]
    for epoch in range(3):
        assert np.array_equal(np.sort(drawn(sampler, first=epoch)), np.arange(97))
    pairs = started(InstanceBatchSampler(), y=np.zeros(5, int), batch_size=2)
    assert [len(b) for b in pairs.batches(0)] == [2, 2, 1]


def test_instance_of_any_length_goes_on_where_it_ended():
    sampler = started(InstanceBatchSampler(length=4), y=np.zeros(100, int), batch_size=10)
    assert np.array_equal(np.sort(drawn(sampler, 5)), np.repeat(np.arange(100), 2))
    assert np.unique(drawn(sampler, 2)).size == 80


def test_instance_by_weights_draws_each_row_as_often_as_its_weight_says():
    weight = np.r_[np.zeros(10), np.full(40, 0.5), np.full(40, 1.0), np.full(10, 4.0)]
    sampler = started(
        InstanceBatchSampler(use_weight=True), y=np.zeros(100, int), sample_weight=weight
    )
    counts = np.bincount(drawn(sampler), minlength=100)
    assert np.abs(counts - weight).max() < 1
    assert counts.sum() == 100
    mean = np.bincount(drawn(sampler, 200), minlength=100) / 200
    assert mean == pytest.approx(weight, abs=0.15)


# ---- shares of classes


def test_class_balanced_has_exact_places_in_every_batch():
    assert (per_batch(started(ClassBalancedBatchSampler(), batch_size=30), Y) == 10).all()
    uneven = per_batch(started(ClassBalancedBatchSampler(), batch_size=32), Y)
    assert set(uneven.ravel()) == {10, 11}
    assert (uneven.sum(axis=1) == 32).all()


@pytest.mark.parametrize("q", [0.0, 0.3, 1.0])
def test_power_has_its_share_of_every_batch_rounded_up_or_down(q):
    sampler = started(PowerBatchSampler(q=q), batch_size=16)
    share = np.array([700, 200, 60]) ** q
    share = share / share.sum()
    assert sampler.effective_priors() == pytest.approx(share)
    counts = per_batch(sampler, Y, epochs=20)
    assert (np.abs(counts - 16 * share) < 1).all()
    # Which batches round up is random: all of them would be if it were not.
    assert len(np.unique(counts[:, 2])) == 1 + (not (16 * share[2]).is_integer())


def test_every_row_comes_once_before_any_of_its_class_comes_again():
    sampler = started(ClassBalancedBatchSampler(), batch_size=30)
    order = drawn(sampler, 12)
    for size, rows in ((700, order[Y[order] == 0]), (60, order[Y[order] == 2])):
        # Rows of one batch are in random order, so that a pass may end within a batch.
        for end in range(size, len(rows) + 1, size):
            counts = np.unique(rows[:end], return_counts=True)[1]
            assert counts.size == size
            assert counts.max() - counts.min() <= 2
    assert np.unique(order[:2100][Y[order[:2100]] == 0]).size == 700  # 70 batches of 10


def test_progressive_moves_from_the_table_to_equal_shares():
    sampler = started(ProgressiveBatchSampler(), max_epochs=5, batch_size=96)
    table = np.array([700, 200, 60]) / 960
    for epoch, moved in enumerate(np.linspace(0, 1, 5)):
        shares = (1 - moved) * table + moved / 3
        assert sampler.effective_priors(epoch) == pytest.approx(shares)
        counts = np.array([np.bincount(Y[b], minlength=3) for b in sampler.batches(epoch)])
        assert (np.abs(counts - 96 * shares) < 1).all()
    assert sampler.effective_priors(99) == pytest.approx([1 / 3] * 3)
    assert started(ProgressiveBatchSampler()).effective_priors() == pytest.approx(table)


def test_rows_of_a_class_that_come_together_may_leave_classes_out():
    sampler = started(ClassBalancedBatchSampler(per_class=4), batch_size=8)
    counts = per_batch(sampler, Y)
    assert set(counts.ravel()) <= {0, 4, 8}
    assert sampler.serves == frozenset()
    assert np.ptp(counts.sum(axis=0)) <= 3 * 8


def test_more_classes_than_places_are_refused():
    y = np.arange(20) % 10
    with pytest.raises(InvalidParameterError, match="at least the number of classes, 10"):
        started(ClassBalancedBatchSampler(), y=y, batch_size=9)
    started(ClassBalancedBatchSampler(per_class=1), y=y, batch_size=9)
    assert (per_batch(started(ClassBalancedBatchSampler(), y=y, batch_size=10), y) == 1).all()


@pytest.mark.parametrize(
    "sampler",
    [
        ClassBalancedBatchSampler(),
        ClassBalancedBatchSampler(per_class=2),
        PowerBatchSampler(),
        ProgressiveBatchSampler(),
        EpisodicBatchSampler(),
    ],
    ids=repr,
)
def test_a_missing_class_is_left_out_with_a_warning(sampler):
    with pytest.warns(SmallClassWarning, match=r"no rows of the classes at 1, 4"):
        started(sampler, y=Y * 2 - (Y == 2), n_classes=5)
    y = Y * 2 - (Y == 2)  # 0, 2 and 3
    priors = sampler.effective_priors()
    assert priors[[1, 4]].tolist() == [0, 0]
    assert priors.sum() == pytest.approx(1)
    assert set(y[drawn(sampler)]) == {0, 2, 3}


def test_weights_within_classes_change_rows_and_not_equal_shares():
    sampler = started(ClassBalancedBatchSampler(use_weight=True), sample_weight=WEIGHT)
    assert sampler.effective_priors() == pytest.approx([1 / 3] * 3)
    counts = np.bincount(drawn(sampler, 300), minlength=960)[Y == 2]
    expected = WEIGHT[Y == 2] / WEIGHT[Y == 2].sum() * counts.sum()
    assert counts == pytest.approx(expected, rel=0.0, abs=40)
    power = started(PowerBatchSampler(q=1.0, use_weight=True), sample_weight=WEIGHT)
    assert power.effective_priors() == pytest.approx(np.bincount(Y, WEIGHT) / WEIGHT.sum())


def test_a_class_of_weight_zero_is_missing_where_weights_count():
    weight = np.where(Y == 1, 0.0, 1.0)
    started(ClassBalancedBatchSampler(), sample_weight=weight)
    with pytest.warns(SmallClassWarning, match="classes at 1"):
        sampler = started(ClassBalancedBatchSampler(use_weight=True), sample_weight=weight)
    assert sampler.effective_priors() == pytest.approx([0.5, 0, 0.5])


def test_weights_of_the_loss_and_of_the_sampler_give_one_and_the_same_prior():
    # Rows drawn by weights with a plain loss, or drawn plainly with weights in the loss.
    weight = np.where(Y == 2, 5.0, 1.0)
    by_sampler = started(InstanceBatchSampler(use_weight=True), sample_weight=weight)
    by_loss = started(InstanceBatchSampler(), sample_weight=weight)
    mass = np.bincount(Y[drawn(by_loss)], weight[drawn(by_loss)])
    counts = np.bincount(Y[drawn(by_sampler)])
    assert by_sampler.effective_priors() == pytest.approx(mass / mass.sum())
    assert counts / counts.sum() == pytest.approx(mass / mass.sum(), abs=0.01)
    assert by_loss.effective_priors() == pytest.approx(np.bincount(Y) / 960)


# ---- repeat factors


def test_repeat_factors_are_the_root_of_rarity():
    sampler = started(RepeatFactorBatchSampler(threshold=0.25, length=400), batch_size=96)
    factors = np.maximum(1, np.sqrt(0.25 / (np.array([700, 200, 60]) / 960)))
    mass = factors * [700, 200, 60]
    assert sampler.effective_priors() == pytest.approx(mass / mass.sum())
    counts = np.bincount(drawn(sampler), minlength=960)
    expected = factors[Y] * (400 * 96 / mass.sum())
    assert np.abs(counts - expected).max() < 1


def test_auto_threshold_is_one_divided_by_the_classes():
    auto = started(RepeatFactorBatchSampler())
    given = started(RepeatFactorBatchSampler(threshold=1 / 3))
    assert np.array_equal(drawn(auto), drawn(given))


def test_without_rare_classes_nothing_is_repeated():
    sampler = started(RepeatFactorBatchSampler(threshold=60 / 960))
    assert np.array_equal(np.sort(drawn(sampler)), np.arange(960))
    assert len(sampler) == 30


def test_rows_and_instances_are_the_same_for_one_class_a_row_only():
    for y, same in ((Y, True), (LABELS, False)):
        rows = started(RepeatFactorBatchSampler(), y=y).effective_priors()
        instances = started(RepeatFactorBatchSampler(by="instances"), y=y).effective_priors()
        assert np.allclose(rows, instances) == same


def test_a_row_is_repeated_by_its_rarest_label():
    sampler = started(RepeatFactorBatchSampler(threshold=0.1, length=300), y=LABELS)
    share = LABELS.mean(axis=0)
    factors = np.maximum(1, np.sqrt(0.1 / share))
    row = np.where(LABELS == 1, factors, 1.0).max(axis=1)
    counts = np.bincount(drawn(sampler), minlength=960)
    assert np.abs(counts - row * (300 * 32 / row.sum())).max() < 1
    rates = LABELS[drawn(sampler)].mean(axis=0)
    assert sampler.effective_priors() == pytest.approx(rates, abs=0.01)


def test_the_exponential_factor_is_finite_however_rare_a_class_is():
    y = np.r_[np.zeros(9999, int), 1]
    sampler = started(RepeatFactorBatchSampler(threshold=1.0, exponential=True), y=y)
    factors = np.array([np.exp(2 * np.sqrt(1 / 0.9999)), 10_000.0])
    mass = factors * [9999, 1]
    assert sampler.effective_priors() == pytest.approx(mass / mass.sum())
    mild = started(RepeatFactorBatchSampler(threshold=0.01, exponential=True))
    factors = np.exp(2 * np.sqrt(0.01 / (np.array([700, 200, 60]) / 960)))
    mass = factors * [700, 200, 60]
    assert mild.effective_priors() == pytest.approx(mass / mass.sum())


# ---- episodes


@pytest.mark.parametrize(
    ("way", "shot", "size", "expected"),
    [
        (None, None, 20, (6, 3)),
        (None, None, 8, (4, 2)),
        (None, 5, 20, (4, 5)),
        (None, 2, 20, (6, 2)),
        (3, None, 20, (3, 6)),
        (2, 3, 20, (2, 3)),
        (99, None, 20, (6, 3)),
    ],
)
def test_episodes_have_way_classes_with_shot_rows_each(way, shot, size, expected):
    y = np.repeat(np.arange(6), [300, 100, 50, 20, 7, 1])
    sampler = started(EpisodicBatchSampler(way=way, shot=shot), y=y, batch_size=size)
    counts = per_batch(sampler, y, epochs=5)
    assert set(counts.ravel()) <= {0, expected[1]}
    assert ((counts > 0).sum(axis=1) == expected[0]).all()
    turns = (counts > 0).sum(axis=0)
    assert np.ptp(turns) <= 5 * expected[0]
    assert sampler.effective_priors() == pytest.approx([1 / 6] * 6)


def test_classes_meet_different_classes():
    y = np.arange(300) % 10
    sampler = started(EpisodicBatchSampler(way=2, shot=3), y=y, batch_size=6)
    pairs = {tuple(np.unique(y[b])) for e in range(40) for b in sampler.batches(e)}
    assert len(pairs) == 45


def test_halves_each_have_all_classes_of_the_batch():
    sampler = started(EpisodicBatchSampler(way=2, shot=5, halves=True), batch_size=10)
    for batch in sampler.batches(0):
        half = sampler.groups_of(batch)
        assert np.bincount(half).tolist() == [4, 6]
        for side, rows in ((0, 2), (1, 3)):
            assert np.unique(Y[batch[half == side]], return_counts=True)[1].tolist() == [rows] * 2
    assert sampler.serves == {"pairs", "group"}
    assert started(EpisodicBatchSampler()).groups_of(np.arange(3)) is None


@pytest.mark.parametrize(
    ("params", "size"), [({"way": 3, "shot": 4}, 11), ({"shot": 12}, 11), ({"halves": True}, 1)]
)
def test_episodes_that_do_not_fit_are_refused(params, size):
    with pytest.raises(InvalidParameterError, match="batch_size must hold way times shot"):
        started(EpisodicBatchSampler(**params), batch_size=size)


# ---- positives and negatives


@pytest.mark.parametrize(("fraction", "positive"), [(0.5, 16), (0.1, 3), (0.0001, 1), (0.9999, 31)])
def test_dual_has_the_same_positives_in_every_batch(fraction, positive):
    sampler = started(DualBatchSampler(pos_fraction=fraction))
    assert (per_batch(sampler, BINARY)[:, 1] == positive).all()
    assert sampler.effective_priors() == pytest.approx([1 - positive / 32, positive / 32])


def test_dual_has_one_label_a_batch_and_leaves_unknown_rows_out():
    y = LABELS.astype(float)
    y[:200, 2], y[200:300, 2] = np.nan, -1
    sampler = started(DualBatchSampler(pos_fraction=0.25), y=y)
    made_for = []
    for batch in sampler.batches(0):
        fits = [c for c in range(4) if (y[batch, c] == 1).sum() == 8]
        fits = [c for c in fits if (y[batch, c] == 0).sum() == 24]
        assert fits
        made_for += fits[:1] if len(fits) == 1 else []
    assert set(made_for) == {0, 1, 2, 3}
    known = np.concatenate([y[drawn(sampler, first=e)] for e in range(60)])
    assert sampler.effective_priors() == pytest.approx((known == 1).mean(axis=0), abs=0.01)


def test_a_label_that_all_rows_have_gets_no_batches():
    y = LABELS.copy()
    y[:, 1] = 1
    with pytest.warns(SmallClassWarning, match="labels at 1"):
        sampler = started(DualBatchSampler(), y=y)
    assert sampler.effective_priors()[1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("y", "error"), [(Y, InvalidParameterError), (np.zeros(9, int), DataError)]
)
def test_dual_needs_two_kinds_of_rows(y, error):
    with pytest.raises(error, match="DualBatchSampler: needs"):
        started(DualBatchSampler(), y=y, n_classes=max(2, y.max() + 1))


# ---- levels of difficulty


def test_levels_have_equal_shares_and_the_largest_value_a_place():
    values = np.r_[np.zeros(800), np.linspace(0.01, 1, 150), np.full(9, np.nan), 1.0]
    sampler = started(DifficultyBatchSampler(), values=values, batch_size=60)
    edges = np.log1p(5 * np.arange(1, 5) / 5) / np.log(6)
    level = np.where(np.isnan(values), 5, np.searchsorted(edges, values, side="right"))
    counts = per_batch(sampler, level)
    assert (counts == 10).all()
    assert 959 in drawn(sampler, 12)
    mixed = np.array(
        [np.bincount(Y[level == g], minlength=3) / (level == g).sum() for g in range(6)]
    )
    assert sampler.effective_priors() == pytest.approx(mixed.mean(axis=0))


def test_rare_labels_make_a_row_difficult_and_no_label_is_a_level():
    sampler = started(DifficultyBatchSampler(), y=LABELS, batch_size=120)
    score = (LABELS * (1 - 2 * LABELS.mean(axis=0))).mean(axis=1)
    none = LABELS.sum(axis=1) == 0
    low, high = score[~none].min(), score[~none].max()
    edges = low + (high - low) * np.log1p(5 * np.arange(1, 5) / 5) / np.log(6)
    level = np.where(none, 5, np.searchsorted(edges, score, side="right"))
    filled = np.unique(level)
    counts = per_batch(sampler, np.searchsorted(filled, level))
    assert (np.abs(counts - 120 / len(filled)) < 1).all()
    rates = LABELS[drawn(sampler, 60)].mean(axis=0)
    assert sampler.effective_priors() == pytest.approx(rates, abs=0.01)


def test_a_constant_value_is_a_single_level():
    sampler = started(DifficultyBatchSampler(), values=np.ones(960))
    assert np.array_equal(np.sort(drawn(sampler)), np.arange(960))


# ---- bags


def test_bags_are_never_cut():
    sizes = RNG.integers(1, 30, 80)
    bags = RNG.permutation(np.repeat(np.arange(80), sizes)).astype(str)
    sampler = started(BagBatchSampler(), y=np.zeros(len(bags), int), groups=bags, batch_size=64)
    assert len(sampler) == -(-len(bags) // 64)
    for epoch in range(3):
        assert np.array_equal(np.sort(drawn(sampler, first=epoch)), np.arange(len(bags)))
        for batch in sampler.batches(epoch):
            assert abs(len(batch) - len(bags) / len(sampler)) < 30
            assert len(batch) == sum((bags == bag).sum() for bag in np.unique(bags[batch]))
            names = np.unique(bags)
            assert np.array_equal(names[sampler.groups_of(batch)], bags[batch])


@pytest.mark.parametrize("sizes", [[1, 1, 98], [98, 1, 1], [100], [1] * 5])
def test_no_batch_is_empty_however_large_a_bag_is(sizes):
    bags = np.repeat(np.arange(len(sizes)), sizes)
    sampler = started(BagBatchSampler(), y=np.zeros(len(bags), int), groups=bags, batch_size=10)
    batches = [b for e in range(5) for b in sampler.batches(e)]
    assert len(batches) == 5 * len(sampler)
    assert min(map(len, batches)) > 0


def test_bags_need_groups_and_serve_targets_that_are_no_classes():
    with pytest.raises(InvalidParameterError, match="needs groups"):
        started(BagBatchSampler(), groups=None)
    for sampler in (BagBatchSampler(), InstanceBatchSampler()):
        groups = np.arange(20) // 3
        sampler.start(np.linspace(0, 1, 20), n_classes=0, batch_size=6, seed=0, groups=groups)
        assert np.array_equal(np.sort(drawn(sampler)), np.arange(20))
        assert sampler.effective_priors().shape == (0,)


# ---- the parts


@pytest.mark.parametrize("seed", range(20))
def test_places_are_shared_out_exactly(seed):
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(7, 0.3))
    slots = quota_slots(shares, 40, 25, rng)
    counts = np.array([np.bincount(row, minlength=7) for row in slots])
    assert (np.abs(counts - 25 * shares) < 1).all()
    assert (np.abs(counts.sum(axis=0) - 1000 * shares) < 1).all()


@pytest.mark.parametrize("n", [1, 2, 7, 50])
@pytest.mark.parametrize("expected", [1, 13, 5000])
def test_a_cycle_has_each_row_once_a_pass_from_wherever_it_is_read(n, expected):
    cycles = ClassCycles(0, [n], lambda j: np.arange(n), [expected])
    whole = cycles.read(np.array([0]), np.array([12 * n]))
    assert (np.sort(whole.reshape(12, n), axis=1) == np.arange(n)).all()
    for start, count in ((0, 1), (n, n), (3 * n - 1, 5), (n // 2, 9 * n)):
        part = cycles.read(np.array([start]), np.array([count]))
        assert np.array_equal(part, whole[start : start + count])
    if n == 50:
        assert len({tuple(each) for each in whole.reshape(12, n)}) == 12


@pytest.mark.parametrize("n", [100_001, 120_120])  # the second has many divisors
def test_a_long_list_is_read_in_pieces_with_each_row_once_a_pass(n):
    cycles = ClassCycles(0, [n], lambda j: np.arange(n), [100])
    assert cycles.pieces[0] < n
    whole = cycles.read(np.array([0]), np.array([2 * n]))
    assert (np.sort(whole.reshape(2, n), axis=1) == np.arange(n)).all()
    assert np.array_equal(cycles.read(np.array([n - 7]), np.array([50])), whole[n - 7 : n + 43])
    assert abs(np.corrcoef(np.arange(n), whole[:n])[0, 1]) < 0.05
    # Any part of it is spread over the list as rows drawn at random are.
    counts = np.bincount(whole[:4000] * 20 // n, minlength=20)
    assert counts.min() > 100


def test_rows_in_proportion_have_the_count_asked_for():
    rng = np.random.default_rng(0)
    for count in (1, 17, 1000):
        weight = rng.random(50) ** 3
        found = in_proportion(np.arange(50) + 5, weight, count, rng)
        assert len(found) == count
        counts = np.bincount(found - 5, minlength=50)
        assert np.abs(counts - count * weight / weight.sum()).max() < 1


# ---- names and bad input


def test_samplers_have_names():
    assert set(batch_sampler_names()) == {
        "bags", "class_balanced", "dual", "episodic", "grouped", "instance", "irfs", "power",
        "progressive", "rfs",
    }  # fmt: skip
    for name in batch_sampler_names():
        assert isinstance(get_batch_sampler(name), BaseBatchSampler)
    assert get_batch_sampler("Class-Balanced", per_class=3).per_class == 3
    assert get_batch_sampler("irfs", threshold=0.2).by == "instances"
    assert get_batch_sampler(PowerBatchSampler, q=0.1).q == 0.1
    given = started(PowerBatchSampler(q=0.2, length=9))
    made = get_batch_sampler(given, q=0.3)
    assert repr(made) == "PowerBatchSampler(q=0.3, length=9, use_weight=False)"
    assert made is not given


@pytest.mark.parametrize(
    ("given", "params", "text"),
    [
        ("class_balance", {}, "Did you mean 'class_balanced'"),
        ("zzz", {}, "Names are 'bag'"),
        ("episodic", {"shots": 3}, "Did you mean 'shot'"),
        (3, {}, "must be a name or a batch sampler"),
        (dict, {}, "must be a name or a batch sampler"),
    ],
)
def test_unknown_names_are_refused_with_near_ones(given, params, text):
    with pytest.raises(InvalidParameterError, match=text):
        get_batch_sampler(given, **params)


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (InstanceBatchSampler, {"length": "long"}),
        (InstanceBatchSampler, {"length": 0}),
        (InstanceBatchSampler, {"length": 2.5}),
        (InstanceBatchSampler, {"use_weight": "yes"}),
        (ClassBalancedBatchSampler, {"per_class": 0}),
        (PowerBatchSampler, {"q": 1.5}),
        (PowerBatchSampler, {"q": -0.1}),
        (RepeatFactorBatchSampler, {"threshold": 0.0}),
        (RepeatFactorBatchSampler, {"threshold": "large"}),
        (RepeatFactorBatchSampler, {"by": "boxes"}),
        (RepeatFactorBatchSampler, {"exponential": 1}),
        (EpisodicBatchSampler, {"way": 0}),
        (EpisodicBatchSampler, {"shot": 1.0}),
        (EpisodicBatchSampler, {"halves": None}),
        (DualBatchSampler, {"pos_fraction": 0.0}),
        (DualBatchSampler, {"pos_fraction": 1.0}),
        (DifficultyBatchSampler, {"n_bins": 0}),
    ],
)
def test_bad_parameters_are_refused(cls, params):
    with pytest.raises(InvalidParameterError, match=f"^{cls.__name__}: {next(iter(params))} must"):
        cls(**params)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"y": np.zeros(0, int), "n_classes": 1}, DataError, "at least one training row"),
        ({"y": np.array([0.5, 1.0]), "n_classes": 2}, DataError, "class positions from 0 to 1"),
        ({"y": np.array([0, 3]), "n_classes": 2}, DataError, "class positions from 0 to 1"),
        ({"y": np.array([-1, 1]), "n_classes": 2}, DataError, "class positions from 0 to 1"),
        ({"batch_size": 0}, InvalidParameterError, "batch_size must be an integer"),
        ({"max_epochs": 0}, InvalidParameterError, "max_epochs must be an integer"),
        ({"groups": [1, 2]}, DataError, "groups must have a value for each of the 960"),
        ({"values": [1, 2]}, DataError, "values must have a value for each"),
        ({"sample_weight": np.zeros(960)}, DataError, "not all 0"),
        ({"sample_weight": -WEIGHT}, DataError, "none below 0"),
        ({"sample_weight": WEIGHT * np.nan}, DataError, "finite numbers"),
        ({"seed": -1}, InvalidParameterError, "a seed must be"),
    ],
)
def test_bad_rows_are_refused(given, error, text):
    with pytest.raises(error, match=text):
        started(InstanceBatchSampler(), **given)


@pytest.mark.parametrize("epoch", [-1, 1.5, None])
def test_a_bad_epoch_is_refused(epoch):
    with pytest.raises(InvalidParameterError, match="epoch must be an integer"):
        started(InstanceBatchSampler()).batches(epoch)


@pytest.mark.parametrize("cls", CLASSES)
def test_targets_that_a_sampler_does_not_know_are_refused(cls):
    if "multilabel" in cls.tasks:
        assert len(started(cls(), y=LABELS).effective_priors()) == 4
    else:
        with pytest.raises(InvalidParameterError, match="needs one class for each row"):
            started(cls(), y=LABELS)
    if "aggregate" not in cls.tasks:
        with pytest.raises(InvalidParameterError, match="needs classes or labels"):
            cls().start(np.linspace(0, 1, 9), n_classes=0, batch_size=3, seed=0)


def test_a_failed_start_leaves_no_rows_of_another():
    sampler = started(ClassBalancedBatchSampler())
    with pytest.raises(InvalidParameterError):
        started(sampler, batch_size=2)
    with pytest.raises(InvalidParameterError, match="Call start first"):
        len(sampler)
    assert issubclass(SmallClassWarning, ImbkitWarning)
