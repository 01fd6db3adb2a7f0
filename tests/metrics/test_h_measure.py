import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from imbkit.exceptions import InvalidParameterError
from imbkit.metrics import h_measure_score

ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(1, 3)), min_size=2, max_size=15
)
# The example of the R package's translation to Python (hmeasure on PyPI, its README), whose
# default distribution is Beta(2, 1 + pi_0 / pi_1).
Y = np.array([1, 1, 0, 1, 1, 0, 1, 1, 1, 0])
S = np.array(
    [
        0.84901876,
        0.10282827,
        0.43752488,
        0.46004468,
        0.90878931,
        0.79177719,
        0.5297229,
        0.13803906,
        0.73166264,
        0.22959056,
    ]
)


def test_the_authors_own_code():
    assert h_measure_score(Y, S, severity=(2, 1 + 3 / 7)) == pytest.approx(0.18889596344769588)


@settings(max_examples=15, deadline=None)
@given(ROWS, st.sampled_from(["prior", "symmetric", (1.0, 1.0), (3.0, 1.5)]))
def test_it_is_the_integral_over_costs(rows, severity):
    truth, score, weight = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < truth.sum() < truth.size)
    share = np.average(truth, weights=weight)
    shapes = {"prior": (1 + share, 2 - share), "symmetric": (2, 2)}.get(severity, severity)
    grid = (np.arange(20_000) + 0.5) / 20_000
    density = beta(*shapes).pdf(grid)
    cuts = np.r_[np.inf, np.unique(score)]
    alert = score[None, :] >= cuts[:, None]
    alarms = alert @ (weight * (truth == 0)) / weight.sum()
    misses = ~alert @ (weight * (truth == 1)) / weight.sum()
    best = (grid * alarms[:, None] + (1 - grid) * misses[:, None]).min(axis=0)
    nothing = np.minimum(grid * (1 - share), (1 - grid) * share)
    expected = 1 - (best @ density) / (nothing @ density)
    got = h_measure_score(truth, score, severity=severity, sample_weight=weight)
    assert got == pytest.approx(expected, abs=1e-5)


def test_the_loss_of_knowing_nothing_is_the_integral():
    # Half of the positive rows are certain, the rest are like the others.
    truth, score = np.repeat([0, 1, 1], [8, 1, 1]), np.repeat([0, 0, 1], [8, 1, 1])

    def loss(share, weight):
        def integrand(c):
            return min(c * (1 - share), (1 - c) * share) * beta(2, 2).pdf(c)

        return weight * quad(integrand, 0, 1, points=[share])[0]

    expected = 1 - loss(1 / 9, 0.9) / loss(0.2, 1.0)
    assert h_measure_score(truth, score, severity="symmetric") == pytest.approx(expected)


@pytest.mark.parametrize("severity", ["prior", "symmetric", (1, 5)])
def test_chance_and_perfection(severity):
    truth = np.repeat([0, 1], [97, 3])
    assert h_measure_score(truth, truth, severity=severity) == pytest.approx(1.0)
    assert h_measure_score(truth, np.zeros(100), severity=severity) == pytest.approx(0.0)
    assert h_measure_score(truth, -truth, severity=severity) == pytest.approx(0.0)
    rng = np.random.default_rng(0)
    truth = rng.random(50_000) < 0.2
    value = h_measure_score(truth, rng.random(truth.size), severity=severity)
    assert 0 <= value < 0.005


@pytest.mark.parametrize("severity", ["beta", None, 2, (1,), (1, 0), (np.inf, 1), ("a", "b")])
def test_bad_severity(severity):
    with pytest.raises(InvalidParameterError, match="h_measure_score: severity must be"):
        h_measure_score(Y, S, severity=severity)
