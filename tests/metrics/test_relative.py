import numpy as np
import pytest

from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.metrics import balanced_reference_rows, relative_score

Y = np.repeat(["a", "b", "c"], [50, 20, 8])


def test_relative_to_the_best_reference():
    assert relative_score(0.6, [0.7, 0.8]) == pytest.approx(0.75)
    assert relative_score(0.6, 0.5) == pytest.approx(1.2)
    assert relative_score(0.0, 0.0, zero_division=0.5) == 0.5


@pytest.mark.parametrize(("score", "references"), [(0.5, []), (-1, [1]), (0.5, [np.nan])])
def test_bad_scores(score, references):
    with pytest.raises(InvalidParameterError, match="relative_score: "):
        relative_score(score, references)


def test_the_reference_is_balanced_and_drawn_without_replacement():
    rows = balanced_reference_rows(Y, random_state=0)
    assert np.unique(rows).size == rows.size == 24
    assert (np.diff(rows) > 0).all()
    assert np.unique(Y[rows], return_counts=True)[1].tolist() == [8, 8, 8]
    fewer = balanced_reference_rows(Y, n_rows=17, random_state=0)
    assert np.unique(Y[fewer], return_counts=True)[1].tolist() == [5, 5, 5]
    np.testing.assert_array_equal(rows, balanced_reference_rows(Y, random_state=0))
    assert (rows != balanced_reference_rows(Y, random_state=1)).any()


def test_every_row_is_as_likely():
    drawn = [balanced_reference_rows(Y, n_rows=12, random_state=seed) for seed in range(600)]
    times = np.bincount(np.concatenate(drawn), minlength=Y.size) / 600
    np.testing.assert_allclose(times[:50], 4 / 50, atol=0.05)
    np.testing.assert_allclose(times[70:], 4 / 8, atol=0.08)


def test_bad_numbers_of_rows():
    with pytest.raises(DataError, match="every class must have 10 rows. Got 8 rows of 'c'"):
        balanced_reference_rows(Y, n_rows=30)
    for n_rows in (2, 3.5, True):
        with pytest.raises(InvalidParameterError, match="n_rows must be a whole number from 3"):
            balanced_reference_rows(Y, n_rows=n_rows)
