import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from imbkit.thresholds import Rule


@pytest.fixture
def rule():
    return Rule(threshold=0.1, name="f1", value=0.876543, n_alerts=412, n_rows=5000)


def test_it_reads_as_a_sentence(rule):
    assert repr(rule) == "Rule(score >= 0.1, f1=0.8765, at 412 of 5000 rows)"


def test_it_is_called_on_scores(rule):
    assert rule([0.0, 0.1, 0.2]).tolist() == [False, True, True]
    assert rule(np.zeros((2, 3))).shape == (2, 3)
    assert rule([0.2]).dtype == bool


def test_the_comparison_rounds_neither_side(rule):
    # The nearest float32 to 0.1 is larger than 0.1; the one below is smaller.
    above = np.float32(0.1)
    scores = np.array([np.nextafter(above, np.float32(0)), above], dtype=np.float32)
    assert float(above) > 0.1
    assert rule(scores).tolist() == [False, True]
    # Just above a float32 that it would be rounded to.
    assert Rule(float(above) + 1e-12, "f1", 0.0, 0, 1)(scores).tolist() == [False, False]
    half = Rule(float(above), "f1", 0.0, 0, 1)
    assert half(np.array([0.1])).tolist() == [False]


def test_it_cannot_be_changed_and_can_be_stored(rule):
    with pytest.raises(FrozenInstanceError):
        rule.threshold = 1.0
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert len({rule, rule}) == 1
