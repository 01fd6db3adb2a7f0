import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score

from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import shot_report

RNG = np.random.default_rng(0)
TRAIN = np.repeat(np.arange(6), [500, 101, 100, 20, 19, 1])
Y = RNG.integers(0, 6, 200)
GUESS = np.where(RNG.random(200) < 0.6, Y, RNG.integers(0, 6, 200))


def test_groups_are_those_of_the_benchmarks():
    report = shot_report(Y, GUESS, y_train=TRAIN)
    assert report.shot.tolist() == ["many", "many", "medium", "medium", "few", "few"]
    each = recall_score(Y, GUESS, average=None)
    np.testing.assert_allclose(report.recall, each)
    assert report.many == pytest.approx(each[:2].mean())
    assert report.medium == pytest.approx(each[2:4].mean())
    assert report.few == pytest.approx(each[4:].mean())
    assert report.overall == pytest.approx(balanced_accuracy_score(Y, GUESS))
    assert report.train_rows.tolist() == [500, 101, 100, 20, 19, 1]


def test_limits_can_be_set_and_numbers_given():
    counts = {0: 500, 1: 101, 2: 100, 3: 20, 4: 19, 5: 1}
    report = shot_report(Y, GUESS, y_train=counts, many=19, few=20)
    assert report.shot.tolist() == ["many"] * 4 + ["few"] * 2
    assert np.isnan(report.medium)


def test_names_weights_and_classes_of_one_side():
    names = np.array(["f", "e", "d", "c", "b", "a"])
    report = shot_report(names[Y], names[GUESS], y_train=names[TRAIN])
    assert report.classes.tolist() == list("abcdef")
    assert report.few == pytest.approx(shot_report(Y, GUESS, y_train=TRAIN).few)
    times = RNG.integers(0, 3, 200)
    weighted = shot_report(Y, GUESS, y_train=TRAIN, sample_weight=times)
    repeated = shot_report(np.repeat(Y, times), np.repeat(GUESS, times), y_train=TRAIN)
    np.testing.assert_allclose(weighted.recall, repeated.recall)
    unseen = shot_report([0, 7], [0, 0], y_train=TRAIN)
    assert unseen.classes.tolist() == [0, 7]  # 7 was never trained, 1 to 6 are not tested
    assert unseen.shot.tolist() == ["many", "few"]
    assert unseen.train_rows.tolist() == [500, 0]


def test_bad_limits():
    for options in ({"many": -1}, {"few": np.inf}, {"many": "x"}):
        with pytest.raises(InvalidParameterError, match="shot_report: (many|few) must be"):
            shot_report(Y, GUESS, y_train=TRAIN, **options)
    with pytest.raises(InvalidParameterError, match="few must not be above many"):
        shot_report(Y, GUESS, y_train=TRAIN, many=10, few=12)
    with pytest.raises(InvalidParameterError, match="numbers of rows, not negative"):
        shot_report(Y, GUESS, y_train={0: -1})
