"""Resampled measures equal those of repeated rows; their errors are right and cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score

from imbkit.bench._bootstrap import ResampledMeasures, bootstrap_errors, fold_interval
from imbkit.bench._measures import RANKINGS, decision_values, find_measure, ranking_values
from imbkit.bench._money import Costs
from imbkit.metrics import get_metric, recall_at_fpr, recall_at_precision

ASKED = find_measure("recall_at_precision_0.5")
BINARY = [*RANKINGS, ASKED.card["name"]]
MANY = ["average_precision", "roc_auc", "brier", "log_loss"]
F2 = get_metric("jaccard")


def fold(seed, n=300, share=0.2, decimals=2):
    rng = np.random.default_rng(seed)
    codes = (rng.random(n) < share).astype(np.intp)
    codes[:2] = 0, 1
    raw = rng.normal(size=n) + 1.5 * codes - 1.5
    return codes, np.round(1 / (1 + np.exp(-raw)), decimals)


def many_fold(seed, n=300, k=4):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, k, n)
    codes[:k] = np.arange(k)
    scores = rng.dirichlet(np.ones(k), n) + np.eye(k)[codes] * rng.random((n, 1))
    return codes, scores / scores.sum(axis=1, keepdims=True)


def measures(codes, scores, flags, *, groups=None, costs=None, probabilities=True):
    return ResampledMeasures(
        codes,
        scores,
        flags,
        ranking=BINARY if scores.ndim == 1 else MANY,
        decision=F2,
        probabilities=probabilities,
        groups=groups,
        costs=costs,
    )


def expected(codes, scores, flags):
    """The measures as a comparison reports them, under the keys of `values`."""
    asked = ASKED if scores.ndim == 1 else RANKINGS["roc_auc"]
    n_classes = 2 if scores.ndim == 1 else scores.shape[1]
    values = ranking_values(codes, scores, asked, probabilities=True)
    found = {("", name): value for name, value in values.items()}
    for policy, decided in flags.items():
        decisions = decision_values(codes, decided.astype(np.intp), F2, n_classes)
        found |= {(policy, name): value for name, value in decisions.items()}
    return found


def test_once_each_row_gives_the_reported_measures():
    codes, scores = fold(0)
    flags = {"default": scores >= 0.5, "tuned": scores >= 0.3, "none": scores > 2}
    values = measures(codes, scores, flags).values(np.ones((codes.size, 1)))
    wanted = expected(codes, scores, flags)
    assert set(values) == set(wanted)
    for key, value in wanted.items():
        assert_allclose(values[key], [value], rtol=0, atol=1e-12, err_msg=str(key))


def test_once_each_row_gives_the_reported_measures_of_many_classes():
    codes, scores = many_fold(0)
    flags = {"argmax": scores.argmax(axis=1), "constant": np.zeros(codes.size, dtype=np.intp)}
    values = measures(codes, scores, flags).values(np.ones((codes.size, 1)))
    wanted = expected(codes, scores, flags)
    assert set(values) == set(wanted)
    for key, value in wanted.items():
        assert_allclose(values[key], [value], rtol=0, atol=1e-12, err_msg=str(key))


def test_a_class_that_is_only_predicted_counts_as_in_the_report():
    codes, scores = many_fold(3)
    scores, codes = scores[codes != 2], codes[codes != 2]
    flags = {"argmax": scores.argmax(axis=1)}
    assert (flags["argmax"] == 2).any()
    values = measures(codes, scores, flags).values(np.ones((codes.size, 1)))
    for key, value in expected(codes, scores, flags).items():
        assert_allclose(values[key], [np.nan if value is None else value], atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(0, 2), st.booleans())
def test_weights_are_repetitions(seed, n, decimals, many):
    codes, scores = many_fold(seed, max(n, 4)) if many else fold(seed, n, 0.3, decimals)
    flags = {"p": scores.argmax(axis=1) if many else scores >= np.median(scores)}
    rng = np.random.default_rng(seed + 1)
    times = rng.integers(0, 3, codes.size)
    times[: scores.shape[1] if many else 2] += 1  # the first rows are one of each class
    values = measures(codes, scores, flags).values(times[:, None].astype(float))
    rows = np.repeat(np.arange(codes.size), times)
    repeated = {policy: decided[rows] for policy, decided in flags.items()}
    for key, value in expected(codes[rows], scores[rows], repeated).items():
        assert_allclose(values[key], [value], rtol=0, atol=1e-12, err_msg=str(key))


def test_weights_of_groups_are_those_of_their_rows():
    codes, scores = fold(5)
    flags = {"p": scores >= 0.4}
    groups = np.random.default_rng(0).integers(0, 50, codes.size) * 7
    by_group = measures(codes, scores, flags, groups=groups)
    of_rows = measures(codes, scores, flags)
    weights = by_group.draw(np.random.default_rng(1), 3)
    assert weights.shape == (50, 3)
    place = np.unique(groups, return_inverse=True)[1]
    together, alone = by_group.values(weights), of_rows.values(weights[place])
    for key, value in alone.items():
        assert_allclose(together[key], value, atol=1e-12)


def test_a_class_that_never_occurs_does_not_count():
    codes, scores = many_fold(4)
    keep = codes != 2
    scores, codes = scores[keep], codes[keep]
    flags = {"argmax": np.where(scores.argmax(axis=1) == 2, 1, scores.argmax(axis=1))}
    values = measures(codes, scores, flags).values(np.ones((codes.size, 1)))
    for name, value in decision_values(codes, flags["argmax"], F2, 4).items():
        assert value > 0
        assert_allclose(values["argmax", name], [value], atol=1e-12)


@pytest.mark.parametrize("limit", [0.05, 0.3, 0.9])
def test_limits_are_read_from_the_names(limit):
    codes, scores = fold(13)
    names = [f"recall_at_fpr_{limit}", f"recall_at_precision_{limit}"]
    exact = ResampledMeasures(
        codes,
        scores,
        {},
        ranking=names,
        decision=F2,
        probabilities=True,
        groups=None,
        costs=None,
    ).values(np.ones((codes.size, 1)))
    assert exact["", names[0]] == recall_at_fpr(codes, scores, max_fpr=limit)
    assert exact["", names[1]] == recall_at_precision(codes, scores, min_precision=limit)


def test_errors_are_standard_deviations_over_the_draws():
    codes, scores = fold(14)
    flags = {"p": scores >= 0.4}
    ranking, decisions = errors_of(codes, scores, flags, seed=3, n_resamples=5)
    rule = measures(codes, scores, flags)
    values = rule.values(rule.draw(np.random.Generator(np.random.PCG64(3)), 5))
    for (policy, name), drawn in values.items():
        error = decisions[policy][name] if policy else ranking[name]
        assert error == pytest.approx(np.std(drawn, ddof=1))


def test_costs_per_thousand_rows():
    codes, scores = fold(6)
    rng = np.random.default_rng(2)
    costs = Costs(rng.random(300), rng.random(300), rng.random(300), ("a", "b", "c"), False)
    flags = {"p": scores >= 0.4, "q": scores >= 0.6}
    values = measures(codes, scores, flags, costs=costs).values(np.ones((300, 1)))
    truth = codes == 1
    for policy, alerts in flags.items():
        total, nothing = costs.total(truth, alerts), costs.nothing(truth)
        assert_allclose(values[policy, "cost_per_1000"], 1000 * total / 300)
        assert_allclose(values[policy, "saved_per_1000"], 1000 * (nothing - total) / 300)
        caught = costs.fn[truth & alerts].sum()
        assert_allclose(values[policy, "captured_amount"], caught / costs.fn[truth].sum())


def test_no_amount_has_no_error():
    codes, scores = fold(15)
    free = Costs(np.zeros(300), np.ones(300), np.ones(300), ("0", "1", "1"), True)
    _, decisions = errors_of(codes, scores, {"p": scores >= 0.4}, costs=free, n_resamples=20)
    assert decisions["p"]["captured_amount"] is None
    assert decisions["p"]["cost_per_1000"] > 0


def test_draws_keep_each_class_and_each_kind_of_group():
    codes, scores = fold(7)
    weights = measures(codes, scores, {}).draw(np.random.default_rng(0), 20)
    for k in (0, 1):
        assert_array_equal(weights[codes == k].sum(axis=0), np.count_nonzero(codes == k))
    assert weights.max() > 1

    groups = np.random.default_rng(1).integers(0, 80, codes.size)
    weights = measures(codes, scores, {}, groups=groups).draw(np.random.default_rng(0), 20)
    present = np.unique(groups)
    holds = np.isin(present, groups[codes == 1])
    assert 0 < holds.sum() < present.size
    assert_array_equal(weights[holds].sum(axis=0), holds.sum())
    assert_array_equal(weights[~holds].sum(axis=0), (~holds).sum())


def errors_of(codes, scores, flags, *, seed=0, n_resamples=200, groups=None, costs=None):
    return bootstrap_errors(
        codes,
        scores,
        flags,
        ranking=BINARY if scores.ndim == 1 else MANY,
        decision=F2,
        probabilities=True,
        groups=groups,
        costs=costs,
        seed=seed,
        n_resamples=n_resamples,
    )


def test_means_have_their_stratified_standard_error():
    codes, scores = fold(8, n=500)
    alerts = scores >= 0.4
    ranking, decisions = errors_of(codes, scores, {"p": alerts}, n_resamples=4000)
    n, n1 = codes.size, codes.sum()
    recall, fpr = alerts[codes == 1].mean(), alerts[codes == 0].mean()
    # The error of a standard error from 4,000 resamples is about 1.1 %.
    near = {"rtol": 0.05}
    assert_allclose(decisions["p"]["recall"], np.sqrt(recall * (1 - recall) / n1), **near)
    spread = n1 * recall * (1 - recall) + (n - n1) * fpr * (1 - fpr)
    assert_allclose(decisions["p"]["alert_rate"], np.sqrt(spread) / n, **near)
    unstratified = np.sqrt(alerts.mean() * (1 - alerts.mean()) / n)
    assert unstratified > 1.1 * np.sqrt(spread) / n
    squares = (codes - scores) ** 2
    spread = sum(np.count_nonzero(codes == k) * squares[codes == k].var() for k in (0, 1))
    assert_allclose(ranking["brier"], np.sqrt(spread) / n, **near)


def test_ranks_have_the_standard_error_of_copied_rows():
    codes, scores = fold(9, n=200, share=0.3)
    ranking, _ = errors_of(codes, scores, {}, n_resamples=2000)
    rng = np.random.default_rng(3)
    copies = []
    for _ in range(300):
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(codes == k), np.sum(codes == k)) for k in (0, 1)]
        )
        found = average_precision_score(codes[rows], scores[rows])
        copies.append((found, roc_auc_score(codes[rows], scores[rows])))
    by_copy = np.std(copies, axis=0, ddof=1)
    # The error is 4.1 % for 300 copies and 1.6 % for 2,000 resamples.
    assert_allclose([ranking["average_precision"], ranking["roc_auc"]], by_copy, rtol=0.14)


def test_rows_that_come_in_equal_pairs_have_a_larger_error_as_groups():
    codes, scores = fold(10, n=200, share=0.3)
    twice, pairs = np.repeat(np.arange(200), 2), np.repeat(np.arange(200), 2)
    flags = {"p": scores[twice] >= 0.4}
    alone, _ = errors_of(codes[twice], scores[twice], flags, n_resamples=1000)
    together, decided = errors_of(
        codes[twice], scores[twice], flags, groups=pairs, n_resamples=1000
    )
    single, once = errors_of(codes, scores, {"p": scores >= 0.4}, n_resamples=1000)
    for name in ("average_precision", "roc_auc", "brier"):
        assert_allclose(together[name], single[name], rtol=0.12)
        assert together[name] > 1.2 * alone[name]
    assert_allclose(decided["p"]["mcc"], once["p"]["mcc"], rtol=0.12)


def test_same_seed_same_errors_whatever_the_block(monkeypatch):
    codes, scores = fold(11)
    flags = {"p": scores >= 0.4}
    first = errors_of(codes, scores, flags, seed=4, n_resamples=20)
    assert first == errors_of(codes, scores, flags, seed=4, n_resamples=20)
    assert first != errors_of(codes, scores, flags, seed=5, n_resamples=20)
    monkeypatch.setattr("imbkit.bench._bootstrap._BLOCK", 7 * codes.size)
    again = errors_of(codes, scores, flags, seed=4, n_resamples=20)
    assert again[0].keys() == first[0].keys()
    for name, value in again[0].items():
        assert value == pytest.approx(first[0][name], rel=1e-9)


def test_undefined_measures_have_no_error():
    codes, scores = fold(12)
    ranking, decisions = errors_of(np.zeros_like(codes), scores, {"p": scores >= 0.4})
    assert {name for name, value in ranking.items() if value is None} == {
        "average_precision",
        "roc_auc",
        "recall_at_fpr_0.01",
        "recall_at_fpr_0.001",
        "recall_at_precision_0.5",
    }
    assert ranking["brier"] > 0
    assert decisions["p"]["alert_rate"] > 0
    ranking, _ = bootstrap_errors(
        codes,
        4 * scores,
        {},
        ranking=BINARY,
        decision=F2,
        probabilities=False,
        groups=None,
        costs=None,
        seed=0,
        n_resamples=20,
    )
    assert ranking["brier"] is ranking["log_loss"] is None
    assert ranking["roc_auc"] > 0


def test_interval_of_folds_and_repeats():
    reach = norm.ppf(0.975)
    low, high = fold_interval(0.5, [[0.1, 0.2]], None, None)
    assert_allclose([low, high], 0.5 + np.array([-1, 1]) * reach * np.sqrt(0.05) / 2)
    assert fold_interval(0.5, [[0.1, 0.2], [0.2, 0.1]], None, None) == pytest.approx((low, high))
    assert fold_interval(0.5, [[0.1, None]], None, None) == pytest.approx(
        fold_interval(0.5, [[0.1]], None, None)
    )
    assert fold_interval(0.99, [[0.1]], 0.0, 1.0)[1] == 1.0
    assert fold_interval(0.01, [[0.1]], 0.0, 1.0)[0] == 0.0
    assert fold_interval(0.5, [[None], []], 0.0, 1.0) == (None, None)


def test_intervals_cover():
    rng = np.random.default_rng(20)

    def sample(positives, negatives):
        codes = np.repeat([1, 0], [positives, negatives])
        return codes, rng.normal(size=codes.size) + 1.2 * codes

    # The mean over folds estimates the expected measure of a fold of its size, which for
    # average precision is a little more than that of the whole population.
    hits = np.repeat([1, 0], [40, 360])
    many = rng.normal(size=(10_000, 400)) + 1.2 * hits
    ranked = hits[np.argsort(-many, axis=1)]
    precision = np.cumsum(ranked, axis=1) / np.arange(1, 401)
    truth = {
        "average_precision": (precision * ranked).sum(axis=1).mean() / 40,
        "roc_auc": norm.cdf(1.2 / np.sqrt(2)),
        "recall": norm.sf(1 - 1.2),
    }
    n_runs, n_folds = 120, 5
    covered = dict.fromkeys(truth, 0)
    for run in range(n_runs):
        errors = {name: [] for name in truth}
        values = {name: [] for name in truth}
        for k in range(n_folds):
            codes, scores = sample(40, 360)
            options = {"decision": F2, "probabilities": False, "groups": None, "costs": None}
            names = ["average_precision", "roc_auc"]
            flags = {"p": scores > 1}
            ranking, decisions = bootstrap_errors(
                codes, scores, flags, ranking=names, seed=run * 7 + k, n_resamples=40, **options
            )
            exact = ResampledMeasures(codes, scores, flags, ranking=names, **options)
            found = exact.values(np.ones((400, 1)))
            for name in truth:
                policy = "p" if name == "recall" else ""
                values[name].append(found[policy, name][0])
                errors[name].append((decisions["p"] | ranking)[name])
        for name, true in truth.items():
            low, high = fold_interval(float(np.mean(values[name])), [errors[name]], 0.0, 1.0)
            covered[name] += low <= true <= high
    # Three standard errors of the share of 120 runs are 6 %; if the errors of the folds were
    # averaged instead of shrunk by their number, nearly all runs would be covered.
    for name, count in covered.items():
        assert 0.88 <= count / n_runs <= 0.99, name
    assert sum(covered.values()) / (3 * n_runs) < 0.98
