import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from imbkit.exceptions import DataError
from imbkit.metrics import per_group_ranking_report

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 3), st.sampled_from("abc")),
    min_size=2,
    max_size=30,
)


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


@settings(max_examples=60)
@given(ROWS)
def test_each_group_alone_and_their_mean_among_all(rows):
    truth, score, _, groups = columns(rows)
    assume(0 < truth.sum() < truth.size)
    report = per_group_ranking_report(truth, score, groups=groups)
    assert report.groups.tolist() == sorted(set(groups))
    for k, group in enumerate(report.groups):
        mine = groups == group
        assert report.rows[k] == mine.sum()
        assert report.positives[k] == truth[mine].sum()
        assert report.prevalence[k] == pytest.approx(truth[mine].mean())
        if not 0 < truth[mine].sum() < mine.sum():
            assert np.isnan(report.roc_auc[k])
            assert np.isnan(report.average_precision_skill[k])
            continue
        assert report.roc_auc[k] == pytest.approx(roc_auc_score(truth[mine], score[mine]))
        precision = average_precision_score(truth[mine], score[mine])
        base = truth[mine].mean()
        assert report.average_precision[k] == pytest.approx(precision)
        assert report.average_precision_skill[k] == pytest.approx((precision - base) / (1 - base))
        chosen = mine | (truth == 0)
        keep = (mine & (truth == 1)) | (truth == 0)
        assert chosen.any()
        expected = roc_auc_score(truth[keep], score[keep])
        assert report.roc_auc_among_all[k] == pytest.approx(expected)
    some = report.positives > 0
    for name, whole in (
        ("roc_auc_among_all", roc_auc_score(truth, score)),
        ("average_precision_among_all", average_precision_score(truth, score)),
    ):
        values = getattr(report, name)
        mean = np.average(values[some], weights=report.positives[some])
        assert mean == pytest.approx(whole)
        assert np.isnan(values[~some]).all()


@settings(max_examples=40)
@given(ROWS)
def test_weights_are_repetitions(rows):
    truth, score, times, groups = columns(rows)
    assume(times.any())
    weighted = per_group_ranking_report(truth, score, groups=groups, sample_weight=times)
    repeated = per_group_ranking_report(
        *(np.repeat(column, times) for column in (truth, score)), groups=np.repeat(groups, times)
    )
    for name, value in dataclasses.asdict(repeated).items():
        if name == "groups":
            assert weighted.groups.tolist() == value.tolist()
        else:
            np.testing.assert_allclose(getattr(weighted, name), value)


def test_average_precision_favours_the_group_with_more_positive_rows():
    # The same pair of neighbours is put right, once in each group: the areas under the ROC
    # curve gain alike, the precision gains more where the rows stand higher.
    truth = np.array([1, 0, 1, 0, 1, 0, 0, 1, 0, 0])
    score = -np.arange(10.0)
    groups = np.array(["dense"] * 5 + ["sparse"] * 5)
    gains = {}
    for group, pair in (("dense", [1, 2]), ("sparse", [6, 7])):
        swapped = score.copy()
        swapped[pair] = score[pair[::-1]]
        assert (groups[pair] == group).all()
        gains[group] = (
            roc_auc_score(truth, swapped) - roc_auc_score(truth, score),
            average_precision_score(truth, swapped) - average_precision_score(truth, score),
        )
    assert gains["dense"][0] == pytest.approx(gains["sparse"][0])
    assert gains["dense"][1] > 2 * gains["sparse"][1]
    before = per_group_ranking_report(truth, score, groups=groups)
    assert before.prevalence.tolist() == [0.6, 0.2]


def test_one_class_alone():
    report = per_group_ranking_report([0, 0], [1, 2], groups=[1, 2], zero_division=0.5)
    assert report.roc_auc.tolist() == report.roc_auc_among_all.tolist() == [0.5, 0.5]
    report = per_group_ranking_report([1, 1], [1, 2], groups=[1, 2], zero_division=0.5)
    assert report.roc_auc_among_all.tolist() == [0.5, 0.5]
    assert report.average_precision_among_all.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([1], "groups must hold one value for each of the 2 rows"),
        ([1.0, np.nan], "missing values"),
        (["a", None], "missing values"),
        (np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"), "missing values"),
        (np.array(["a", 1], dtype=object), "of one kind"),
    ],
)
def test_bad_groups(groups, words):
    with pytest.raises(DataError, match=f"per_group_ranking_report: .*{words}"):
        per_group_ranking_report([0, 1], [1, 2], groups=groups)
