import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import recall_score

from imbkit.metrics import sweep, worst_class_recall_score

ROWS = st.lists(st.tuples(*[st.integers(0, 3)] * 2, st.integers(1, 3)), min_size=1, max_size=20)


@settings(max_examples=60)
@given(ROWS)
def test_it_is_the_smallest_recall_of_scikit_learn(rows):
    truth, guess, times = (np.array(column) for column in zip(*rows, strict=True))
    each = recall_score(truth, guess, labels=np.unique(truth), average=None, sample_weight=times)
    got = worst_class_recall_score(truth, guess, sample_weight=times)
    assert np.isclose(got, each.min())
    repeated = worst_class_recall_score(np.repeat(truth, times), np.repeat(guess, times))
    assert np.isclose(got, repeated)


def test_it_is_an_objective_over_cut_offs():
    truth, score = [0, 0, 0, 1, 1], [0.1, 0.2, 0.7, 0.6, 0.9]
    cuts, counts = sweep(truth, score)
    values = worst_class_recall_score.of(counts)
    assert values.max() == 2 / 3
    assert 0.2 < cuts[values.argmax()] < 0.6


def test_a_class_of_no_weight_is_no_class():
    assert worst_class_recall_score([0, 1], [0, 0], sample_weight=[1, 0]) == 1.0
