"""Links against arithmetic of up to 350 digits, their identities, tails and ends."""

import pickle
from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imbkit.ordinal import _link
from imbkit.ordinal._link import Link
from imbkit.ordinal._links import LINKS

NAMES = ["logit", "probit", "cloglog"]
# Positions of boundaries; the cloglog loss of the last class is exp of its boundary.
POSITIONS = {
    "logit": [-700.0, -40.0, -3.0, -1e-3, 0.0, 0.7, 5.0, 36.0, 690.0],
    "probit": [-35.0, -12.0, -3.0, -0.3, 0.0, 0.2, 2.5, 9.0, 27.0],
    "cloglog": [-60.0, -30.0, -14.0, -5.0, -0.5, 0.0, 0.4, 1.5, 3.0, 5.0],
}
GAPS = [1e-9, 1e-4, 2e-3, 0.1, 0.24, 0.26, 0.9, 3.0, 8.0, 24.0]
FARTHEST = {"logit": 700.0, "probit": 1e4, "cloglog": 30.0}
# 1 - F(-eta) and 1 - exp(-x) must keep many digits at the farthest position.
DIGITS = {"logit": 150, "probit": 350, "cloglog": 250}
STEP = Decimal("1e-25")


# --- the oracle: minus the logarithm of a difference of two probabilities, in decimals


def decimals(function):
    """Run a function of a link in as many digits as it needs."""

    def run(name, *args):
        with localcontext() as context:
            context.prec = DIGITS[name]
            return function(name, *args)

    return run


def arctan_of_inverse(n):
    """arctan(1 / n) by its series."""
    power, total, k = Decimal(1) / n, Decimal(0), 1
    while abs(power) > Decimal(10) ** -(DIGITS["probit"] + 5):
        total += power / k
        power /= -n * n
        k += 2
    return total


@decimals
def root_of_two_pi(name):
    """In the digits of this link, by Machin's formula."""
    return (8 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))).sqrt()


ROOT_OF_TWO_PI = root_of_two_pi("probit")


@cache
def exact_cdf(name, eta):
    """F."""
    if name == "logit":
        return 1 / (1 + (-eta).exp())
    if name == "cloglog":
        return 1 - (-(eta.exp())).exp()
    # Phi(x) = 1/2 + f(x) (x + x**3 / 3 + x**5 / (3 5) + ...): every term has the same sign.
    term, total, k = eta, eta, 1
    while abs(term) > abs(total) * Decimal(10) ** -DIGITS[name]:
        k += 2
        term = term * eta * eta / k
        total += term
    return Decimal(1) / 2 + total * (-eta * eta / 2).exp() / ROOT_OF_TWO_PI


def exact_loss(name, upper, lower):
    """-log(F(upper) - F(lower)); None stands for no boundary."""
    if name == "cloglog" and upper is None:
        return lower.exp()
    if upper is None:
        upper, lower = -lower, None
    elif name != "cloglog" and lower is not None and lower > 0:
        upper, lower = -lower, -upper  # F is known to more digits where it is small
    return -(exact_cdf(name, upper) - (0 if lower is None else exact_cdf(name, lower))).ln()


@decimals
def exact(name, upper, lower):
    """Loss, slopes and second derivatives: (l, l_u, l_l, l_uu, l_ll, l_ul), None left out."""
    at = [None if side is None else Decimal(float(side)) for side in (upper, lower)]

    def loss(du=0, dl=0):
        shifts = (du * STEP, dl * STEP)
        return exact_loss(
            name, *(s if s is None else s + d for s, d in zip(at, shifts, strict=True))
        )

    middle = loss()
    both = [None if at[0] is None else (loss(1), loss(-1))]
    both += [None if at[1] is None else (loss(0, 1), loss(0, -1))]
    out = [middle]
    out += [(plus - minus) / (2 * STEP) for plus, minus in filter(None, both)]
    out += [(plus - 2 * middle + minus) / STEP**2 for plus, minus in filter(None, both)]
    if None not in at:
        mixed = loss(1, 1) - loss(1, -1) - loss(-1, 1) + loss(-1, -1)
        out.append(mixed / (4 * STEP**2))
    return [float(value) for value in out]


def boundaries(name):
    """Upper and lower boundaries of rows between: each position with each gap."""
    lower, gap = (grid.ravel() for grid in np.meshgrid(POSITIONS[name], GAPS))
    upper = lower + gap
    keep = upper < 700 if name == "logit" else upper < 36
    if name == "cloglog":
        keep = upper < 6
    return upper[keep], lower[keep]


TOLERANCES = [1e-14, 1e-12, 1e-12, 1e-12, 1e-12, 1e-12]


@pytest.mark.parametrize("name", NAMES)
def test_between_has_the_digits_of_exact_arithmetic(name):
    upper, lower = boundaries(name)
    found = LINKS[name].between(upper, lower) + LINKS[name].between_curvature(upper, lower)
    wanted = np.transpose([exact(name, u, x) for u, x in zip(upper, lower, strict=True)])
    for values, right, tolerance in zip(found, wanted, TOLERANCES, strict=True):
        np.testing.assert_allclose(values, right, rtol=tolerance, atol=1e-280)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["first", "last"])
def test_the_ends_have_the_digits_of_exact_arithmetic(name, end):
    eta = np.array(POSITIONS[name])
    link = LINKS[name]
    found = (*getattr(link, end)(eta), getattr(link, f"{end}_curvature")(eta))
    sides = [(e, None) if end == "first" else (None, e) for e in eta]
    wanted = np.transpose([exact(name, *pair) for pair in sides])
    for values, right, tolerance in zip(found, wanted, [1e-13, 1e-13, 2e-12], strict=True):
        np.testing.assert_allclose(values, right, rtol=tolerance, atol=1e-280)


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_have_the_digits_of_exact_arithmetic(name):
    link, eta = LINKS[name], np.array(POSITIONS[name])
    below = [exact(name, e, None)[0] for e in eta]
    above = [exact(name, None, e)[0] for e in eta]
    np.testing.assert_allclose(link.log_cdf(eta), np.negative(below), rtol=1e-13, atol=1e-280)
    np.testing.assert_allclose(link.log_survival(eta), np.negative(above), rtol=1e-13, atol=1e-280)
    np.testing.assert_allclose(link.cdf(eta), np.exp(np.negative(below)), rtol=1e-12, atol=1e-300)
    survival = np.exp(np.negative(above))
    np.testing.assert_allclose(link.survival(eta), survival, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", NAMES)
def test_quantile_inverts_the_distribution_function(name):
    link = LINKS[name]
    p = np.concatenate([10.0 ** -np.arange(1, 250, 7), np.linspace(0.01, 0.99, 25)])
    np.testing.assert_allclose(link.cdf(link.quantile(p)), p, rtol=1e-11)
    np.testing.assert_allclose(link.survival(link.quantile(1 - 2.0**-40)), 2.0**-40, rtol=1e-10)
    np.testing.assert_array_equal(link.quantile(np.array([0.0, 1.0])), [-np.inf, np.inf])


@pytest.mark.parametrize("name", NAMES)
def test_classes_share_out_the_probability(name):
    link = LINKS[name]
    rng = np.random.default_rng(0)
    for _ in range(50):
        eta = np.sort(rng.normal(scale=2.0, size=rng.integers(1, 9)))
        total = np.exp(-link.first(eta[:1])[0]) + np.exp(-link.last(eta[-1:])[0])
        if len(eta) > 1:
            total = total + np.exp(-link.between(eta[1:], eta[:-1])[0]).sum()
        assert total == pytest.approx(1.0, abs=1e-14)
        np.testing.assert_allclose(link.cdf(eta) + link.survival(eta), 1.0, rtol=1e-15)


@pytest.mark.parametrize("name", ["logit", "probit"])
def test_symmetric_links_are_equal_in_the_mirror(name):
    link = LINKS[name]
    upper, lower = boundaries(name)
    (loss, by_upper, by_lower), mirrored = link.between(upper, lower), link.between(-lower, -upper)
    for one, other in zip((loss, -by_lower, -by_upper), mirrored, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)
    uu, ll, ul = link.between_curvature(upper, lower)
    for one, other in zip((ll, uu, ul), link.between_curvature(-lower, -upper), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)
    np.testing.assert_array_equal(link.first(upper)[0], link.last(-upper)[0])
    np.testing.assert_array_equal(link.first(upper)[1], -link.last(-upper)[1])
    np.testing.assert_array_equal(link.first_curvature(upper), link.last_curvature(-upper))


def test_cloglog_is_a_proportional_hazard():
    """Stopping in a stage is surviving the earlier ones, then not the stage's own hazard."""
    link = LINKS["cloglog"]
    upper, lower = boundaries("cloglog")
    stage = np.log(np.expm1(upper - lower)) + lower
    whole = link.last(lower)[0] + link.first(stage)[0]
    np.testing.assert_allclose(link.between(upper, lower)[0], whole, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_far_out_everything_is_finite_and_nothing_warns(name):
    link, far = LINKS[name], FARTHEST[name]
    left = -1000.0 if name == "cloglog" else -far
    upper = np.array([far, left, far, 0.0, far / 2, left, far])
    lower = np.array([left, left - 1, far - 1, -1e-140, far / 2 - 1e-9, left - 1e-3, 0.0])
    results = [
        *link.first(upper),
        *link.last(lower),
        *link.between(upper, lower),
        *link.between_curvature(upper, lower),
        link.first_curvature(upper),
        link.last_curvature(lower),
        *(each(upper) for each in (link.cdf, link.survival, link.log_cdf, link.log_survival)),
    ]
    for values in results:
        assert np.isfinite(values).all()
    with np.errstate(all="raise", under="ignore"):
        link.between(upper, lower)
        link.between_curvature(upper, lower)


@pytest.mark.parametrize("name", NAMES)
def test_classes_far_apart_share_out_the_probability(name):
    link = LINKS[name]
    lower = np.array([-4e6, -2e6, -1.0, -5000.0, -800.0])
    upper = np.array([1e6, -1e6, 2000.0, 5000.0, 0.0])
    between = np.exp(-link.between(upper, lower)[0])
    np.testing.assert_allclose(link.cdf(lower) + between + link.survival(upper), 1, rtol=1e-12)
    for values in link.between_curvature(upper, lower):
        assert np.isfinite(values).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_row_without_a_gap_has_no_probability(name):
    link = LINKS[name]
    upper, lower = np.array([1.0, 1.0, -3.0, 600.0, 0.0]), np.array([1.0, 1.5, 4.0, 700.0, 1e-200])
    loss, *slopes = link.between(upper, lower)
    np.testing.assert_array_equal(loss, np.inf)
    for values in (*slopes, *link.between_curvature(upper, lower)):
        assert np.isfinite(values).all()
    mixed = link.between(np.array([2.0, 0.0, 3.0]), np.array([1.0, 1.0, -4.0]))[0]
    alone = link.between(np.array([2.0, 3.0]), np.array([1.0, -4.0]))[0]
    np.testing.assert_array_equal(mixed, [alone[0], np.inf, alone[1]])


@pytest.mark.parametrize("name", NAMES)
@given(
    position=st.floats(-1, 1),
    log_gap=st.floats(-16, 1),
)
def test_curvature_is_positive_semidefinite(name, position, log_gap):
    reach = {"logit": 700, "probit": 36, "cloglog": 6}[name]
    lower = np.array([reach * position])
    upper = lower + 10.0**log_gap
    uu, ll, ul = LINKS[name].between_curvature(upper, lower)
    # Diagonally dominant for these links: stronger, and exact in spite of rounding.
    assert ul <= 0
    assert min(uu, ll) >= -ul
    assert LINKS[name].first_curvature(lower) >= 0
    assert LINKS[name].last_curvature(lower) >= 0


@pytest.mark.parametrize("name", NAMES)
@given(
    scores=st.lists(st.floats(-6, 2), min_size=4, max_size=4),
    share=st.floats(0, 1),
)
def test_loss_is_convex_and_lies_above_its_tangents(name, scores, share):
    upper, lower = np.maximum(scores[:2], scores[2:]) + 1e-3, np.minimum(scores[:2], scores[2:])
    loss, by_upper, by_lower = LINKS[name].between(upper, lower)
    chord = share * loss[0] + (1 - share) * loss[1]
    blend = [np.array([share * side[0] + (1 - share) * side[1]]) for side in (upper, lower)]
    assert LINKS[name].between(*blend)[0] <= chord + 1e-9
    tangent = loss[0] + by_upper[0] * (upper[1] - upper[0]) + by_lower[0] * (lower[1] - lower[0])
    assert loss[1] >= tangent - 1e-9 * (1 + abs(tangent))


@pytest.mark.parametrize("name", NAMES)
def test_blocks_of_rows_change_nothing(name, monkeypatch):
    link, rng = LINKS[name], np.random.default_rng(1)
    lower = rng.normal(size=100) - 1
    upper = lower + rng.exponential(size=100)
    lower.flags.writeable = upper.flags.writeable = False  # a link writes to no input

    def everything():
        curves = link.first_curvature(upper), link.last_curvature(lower)
        both = *link.between(upper, lower), *link.between_curvature(upper, lower)
        return (*link.first(upper), *link.last(lower), *curves, *both)

    whole = everything()
    monkeypatch.setattr(_link, "_BLOCK", 7)
    for values, blocked in zip(whole, everything(), strict=True):
        assert blocked.shape == (100,)
        np.testing.assert_allclose(blocked, values, rtol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_no_rows_are_no_rows(name):
    link, none = LINKS[name], np.empty(0)
    results = [*link.first(none), *link.last(none), *link.between(none, none)]
    assert all(values.shape == (0,) for values in results)


def test_links_are_found_by_name_and_survive_pickling():
    assert list(LINKS) == NAMES
    for name, link in LINKS.items():
        assert isinstance(link, Link)
        assert link.name == name
        assert vars(pickle.loads(pickle.dumps(link))) == vars(link) == {}
