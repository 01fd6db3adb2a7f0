import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import accuracy_score, negative_flip_rate, positive_flip_rate, recall_score

ROWS = st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=1, max_size=25)
BOTH = [negative_flip_rate, positive_flip_rate]


@settings(max_examples=80)
@given(ROWS)
def test_rates_by_class_and_their_difference(rows):
    truth, old, new, times = (np.array(column) for column in zip(*rows, strict=True))
    lost = [(t == o) & (t != n) for t, o, n, _ in rows]
    assert negative_flip_rate(truth, old, new) == pytest.approx(np.mean(lost))
    gain = accuracy_score(truth, new) - accuracy_score(truth, old)
    rates = [metric(truth, old, new) for metric in BOTH]
    assert rates[1] - rates[0] == pytest.approx(gain)
    labels = np.unique(truth)
    per_class = [metric(truth, old, new, average=None) for metric in BOTH]
    gains = [recall_score(truth, guess, labels=labels, average=None).copy() for guess in (old, new)]
    np.testing.assert_allclose(per_class[1] - per_class[0], gains[1] - gains[0], atol=1e-12)
    macro = negative_flip_rate(truth, old, new, average="macro")
    assert macro == pytest.approx(per_class[0].mean())
    assert negative_flip_rate(truth, new, old) == pytest.approx(rates[1])
    assume(times.any())
    repeated = [np.repeat(column, times) for column in (truth, old, new)]
    for metric in BOTH:
        for average in ("micro", "macro"):
            weighted = metric(truth, old, new, average=average, sample_weight=times)
            assert weighted == pytest.approx(metric(*repeated, average=average))


def test_labels_choose_and_order_classes():
    truth, old, new = ["a", "a", "b"], ["a", "b", "b"], ["b", "a", "c"]
    got = negative_flip_rate(truth, old, new, average=None, labels=["b", "c", "a"])
    assert got[[0, 2]].tolist() == [1.0, 0.5]
    assert np.isnan(got[1])
    got = negative_flip_rate(truth, old, new, average="macro", labels=["b", "c"], zero_division=0)
    assert got == 0.5


@pytest.mark.parametrize("metric", BOTH)
def test_bad_input(metric):
    with pytest.raises(DataError, match="same length"):
        metric([0, 1], [0, 1], [0])
    with pytest.raises(DataError, match="both hold strings"):
        metric([0, 1], [0, 1], ["a", "b"])
    with pytest.raises(InvalidParameterError, match="average must be one of 'micro', 'macro'"):
        metric([0, 1], [0, 1], [0, 1], average="weighted")
    with pytest.raises(InvalidParameterError, match="labels needs an average over classes"):
        metric([0, 1], [0, 1], [0, 1], labels=[0])
    with pytest.raises(InvalidParameterError, match="zero_division"):
        metric([0, 1], [0, 1], [0, 1], zero_division=2)
