import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import expected_cost, savings_score

MONEY = st.floats(-5, 100)
ROWS = st.lists(
    st.tuples(
        st.booleans(), st.booleans(), MONEY, MONEY, MONEY, MONEY, st.sampled_from([0.5, 2.0])
    ),
    min_size=1,
    max_size=12,
)
Y, P = [0, 0, 0, 1, 1], [0, 0, 1, 1, 0]


@settings(max_examples=100)
@given(ROWS)
def test_costs_a_row_equal_a_loop(rows):
    truth, guess, fp, fn, tp, tn, weight = (np.array(c) for c in zip(*rows, strict=True))
    total = 0.0
    for t, g, *costs, w in rows:
        total += (
            w * dict(zip(["fp", "fn", "tp", "tn"], costs, strict=True))[f"{'ft'[t == g]}{'np'[g]}"]
        )
    costs = {"fp": fp, "fn": fn, "tp": tp, "tn": tn, "sample_weight": weight}
    assert expected_cost(truth, guess, normalize=None, **costs) == pytest.approx(total, abs=1e-9)
    mean = expected_cost(truth, guess, **costs)
    assert mean == pytest.approx(total / weight.sum(), abs=1e-9)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), min_size=1),
    st.lists(MONEY, min_size=9, max_size=9),
    st.permutations([0, 1, 2]),
)
def test_matrix_is_prediction_by_truth_in_the_order_of_labels(rows, costs, order):
    truth, guess, times = (np.array(c) for c in zip(*rows, strict=True))
    times[0] += 1
    matrix = np.reshape(costs, (3, 3))
    expected = np.mean(
        [matrix[g, t] for t, g, n in zip(truth, guess, times, strict=True) for _ in range(n)]
    )
    shuffled = matrix[np.ix_(order, order)]
    got = expected_cost(truth, guess, cost_matrix=shuffled, labels=order, sample_weight=times)
    assert got == pytest.approx(expected, abs=1e-9)


def test_a_matrix_of_two_classes_says_the_same_as_the_outcomes():
    same = {"cost_matrix": [[0.5, 7.0], [2.0, -1.0]]}
    names = {"tn": 0.5, "fn": 7.0, "fp": 2.0, "tp": -1.0}
    for normalize in ("row", None, "constant"):
        assert expected_cost(Y, P, **same, normalize=normalize) == pytest.approx(
            expected_cost(Y, P, **names, normalize=normalize)
        )


@pytest.mark.parametrize("constant", [0, 1])
def test_the_cheaper_constant_decision_saves_nothing(constant):
    fp = 1.0 if constant else 100.0
    guess = [constant] * 5
    assert expected_cost(Y, guess, fp=fp, fn=10.0, normalize="constant") == 1.0
    assert savings_score(Y, guess, fp=fp, fn=10.0) == 0.0
    assert savings_score(Y, Y, fp=fp, fn=10.0) == 1.0
    assert savings_score(Y, [1 - constant] * 5, fp=fp, fn=10.0) < 0


def test_scaling_all_costs_changes_no_savings():
    fn = np.array([0, 0, 0, 500.0, 20.0])
    one = savings_score(Y, P, fp=2.0, fn=fn)
    assert savings_score(Y, P, fp=6.0, fn=3 * fn) == pytest.approx(one)


def test_labels_are_strings():
    assert expected_cost(["n", "y"], ["y", "n"], fp=3.0, fn=5.0, pos_label="y") == 4.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fn": [1.0, 2.0]}, "fn must be one number, or one for each of the 5 rows"),
        ({"fp": np.nan}, "fp must be finite"),
        ({"tp": [0, 0, 0, 0, np.inf]}, "tp must be finite"),
        ({"pos_label": 7}, "pos_label must be"),
        ({"sample_weight": [-1, 1, 1, 1, 1]}, "not negative"),
        ({"sample_weight": [0] * 5}, "zero for every row"),
        ({"fn": 0.0, "normalize": "constant"}, "must cost something"),
        ({"cost_matrix": np.eye(2), "labels": [0, 5]}, "must name every class"),
    ],
)
def test_bad_data(options, words):
    with pytest.raises(DataError, match=f"expected_cost: .*{words}"):
        expected_cost(Y, P, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"normalize": "all"}, "normalize must be"),
        ({"labels": [0, 1]}, "belongs to cost_matrix"),
        ({"cost_matrix": np.eye(3)}, "2 x 2"),
        ({"cost_matrix": [[0, np.nan], [1, 0]]}, "finite"),
        ({"cost_matrix": np.eye(2), "fn": 2.0}, "either cost_matrix"),
        ({"cost_matrix": np.eye(2), "fn": [2.0] * 5}, "either cost_matrix"),
    ],
)
def test_bad_parameters(options, words):
    with pytest.raises(InvalidParameterError, match=words):
        expected_cost(Y, P, **options)


@pytest.mark.parametrize(
    ("truth", "guess", "words"),
    [([], [], "empty"), ([0, 1], [0], "same length"), ([0, np.nan], [0, 1], "missing")],
)
def test_bad_labels(truth, guess, words):
    with pytest.raises(DataError, match=words):
        savings_score(truth, guess)
