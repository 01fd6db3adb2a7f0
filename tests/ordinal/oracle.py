"""The family's objective written out from its definition: dense, slow, apart from the package.

Nothing here imports imbkit. Rows i of weight w_i and class c_i in 0..K-1; the boundary k lies
between the classes k and k + 1; P(y <= k | z) = F(a_k + z @ B[k]) for standardised columns z.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_expit, log_ndtr

STRUCTURES = ("adjacent", "shared", "free")
LINKS = ("logit", "probit", "cloglog")
# Below such a distance of two boundaries the loss is extended by a tangent, so that a line search
# may cross; solved from wide to narrow, as steep walls stop L-BFGS-B.
DISTANCES = (0.1, 0.01, 1e-3, 1e-5, 1e-7)


# --- links: log F, log (1 - F), log density


def log_cdf(link, eta):
    if link == "logit":
        return log_expit(eta)
    if link == "probit":
        return log_ndtr(eta)
    hazard = np.exp(np.minimum(eta, 700.0))  # F = 1 - exp(-exp(eta))
    with np.errstate(divide="ignore"):
        return np.where(hazard < 1e-300, eta, np.log(-np.expm1(-hazard)))


def log_survival(link, eta):
    if link == "logit":
        return log_expit(-eta)
    if link == "probit":
        return log_ndtr(-eta)
    return -np.exp(np.minimum(eta, 700.0))


def log_density(link, eta):
    if link == "logit":
        return log_expit(eta) + log_expit(-eta)
    if link == "probit":
        return -0.5 * eta**2 - 0.5 * np.log(2 * np.pi)
    return eta - np.exp(np.minimum(eta, 700.0))


def quantile(link, share):
    """The point where F is `share`, by bisection."""
    low, high = np.full(np.shape(share), -60.0), np.full(np.shape(share), 60.0)
    for _ in range(200):
        middle = (low + high) / 2
        below = log_cdf(link, middle) < np.log(share)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def log_between(link, upper, lower):
    """log(F(upper) - F(lower)) for upper > lower, from the tail where it is small."""
    left = log_cdf(link, upper) + _log_rest(log_cdf(link, lower) - log_cdf(link, upper))
    right = log_survival(link, lower) + _log_rest(
        log_survival(link, upper) - log_survival(link, lower)
    )
    in_right_tail = log_survival(link, lower) < log_cdf(link, upper)
    return np.where(in_right_tail, right, left)


def exp(log_ratio):
    """exp that stays finite: far outside of the domain a line search only needs to turn back."""
    return np.exp(np.clip(log_ratio, -700.0, 200.0))


def _log_rest(log_share):
    """log(1 - exp(log_share)) for log_share <= 0."""
    with np.errstate(divide="ignore"):
        return np.log(-np.expm1(np.minimum(log_share, 0.0)))


# --- the problem


def spread(structure, theta, n_classes):
    """The weights of every boundary that the penalised coordinates stand for."""
    if structure == "adjacent":
        return np.array([theta[: k + 1].sum(axis=0) for k in range(n_classes - 1)])
    if structure == "shared":
        return np.array([theta[0]] * (n_classes - 1))
    return theta.copy()


def gather(structure, slopes):
    """The gradient by the coordinates, from the gradient by the boundaries' weights."""
    if structure == "adjacent":
        return np.array([slopes[k:].sum(axis=0) for k in range(len(slopes))])
    if structure == "shared":
        return slopes.sum(axis=0)[None]
    return slopes.copy()


@dataclass
class Problem:
    """Rows, what is asked of them, and the loss and penalty that follow from it."""

    X: np.ndarray
    codes: np.ndarray
    n_classes: int
    structure: str = "adjacent"
    link: str = "logit"
    alpha: float = 0.1
    l1_ratio: float = 1.0
    level_penalty: float = 1.0
    weights: np.ndarray | None = None
    standardize: bool = True
    Z: np.ndarray = field(init=False, repr=False)

    def __post_init__(self):
        X = np.asarray(self.X.toarray() if hasattr(self.X, "toarray") else self.X, dtype=float)
        weights = np.ones(len(X)) if self.weights is None else np.asarray(self.weights, float)
        self.share = weights / weights.sum()
        self.mean = self.share @ X
        self.scale = np.ones(X.shape[1])
        heavy = X[weights > 0]
        constant = (heavy == heavy[0]).all(axis=0)
        if self.standardize:
            self.scale = np.where(constant, 1.0, np.sqrt(self.share @ (X - self.mean) ** 2))
        self.Z = (X - self.mean) / self.scale
        deviation = np.sqrt(self.share @ self.Z**2)
        self.deviation = np.where(constant, 1.0, deviation)
        self.factor = np.ones((1 if self.structure == "shared" else self.n_classes - 1, X.shape[1]))
        if self.structure == "adjacent":
            self.factor[0] = self.level_penalty

    def but(self, **changes):
        return replace(self, **changes)

    def scores(self, intercepts, theta):
        return intercepts + self.Z @ spread(self.structure, theta, self.n_classes).T

    def loss_and_slopes(self, intercepts, theta, close=DISTANCES[-1]):
        """The weighted mean of -log p, and its derivative by each score (n, K-1)."""
        eta, last = self.scores(intercepts, theta), self.n_classes - 1
        loss, slopes = 0.0, np.zeros_like(eta)
        for k in range(self.n_classes):
            rows = (self.codes == k) & (self.share > 0)
            share = self.share[rows]
            if k == 0:
                log_p = log_cdf(self.link, eta[rows, 0])
                slopes[rows, 0] = -share * exp(log_density(self.link, eta[rows, 0]) - log_p)
            elif k == last:
                log_p = log_survival(self.link, eta[rows, k - 1])
                ratio = exp(log_density(self.link, eta[rows, k - 1]) - log_p)
                slopes[rows, k - 1] = share * ratio
            else:
                upper, lower = eta[rows, k], eta[rows, k - 1]
                missing = np.maximum(close - (upper - lower), 0.0)
                upper, lower = upper + missing / 2, lower - missing / 2
                log_p = log_between(self.link, upper, lower)
                by_upper = -exp(log_density(self.link, upper) - log_p)
                by_lower = exp(log_density(self.link, lower) - log_p)
                # Two close boundaries: -log p is about -log of their distance.
                mean, steep = (by_upper + by_lower) / 2, 1 / close
                slopes[rows, k] = share * np.where(missing > 0, mean - steep, by_upper)
                slopes[rows, k - 1] = share * np.where(missing > 0, mean + steep, by_lower)
                log_p = log_p - steep * missing
            loss -= share @ log_p
        return loss, slopes

    def penalty(self, theta):
        a = self.l1_ratio
        return self.alpha * np.sum(self.factor * (a * np.abs(theta) + (1 - a) * theta**2 / 2))

    def objective(self, intercepts, theta):
        return self.loss_and_slopes(intercepts, theta)[0] + self.penalty(theta)

    def gradient(self, intercepts, theta):
        """The gradient of the mean loss, without the penalty."""
        slopes = self.loss_and_slopes(intercepts, theta)[1]
        return slopes.sum(axis=0), gather(self.structure, slopes.T @ self.Z)

    def violation(self, intercepts, theta):
        """The largest distance of 0 from the subdifferential, over all coordinates.

        That of a weight is per standard deviation of its column, whatever the columns' units.
        """
        by_intercepts, by_theta = self.gradient(intercepts, theta)
        worst = np.abs(by_intercepts).max()
        for index, value in np.ndenumerate(theta):
            slope, level = by_theta[index], self.alpha * self.factor[index]
            if value == 0:
                miss = max(abs(slope) - level * self.l1_ratio, 0.0)
            else:
                sign = np.sign(value)
                pull = self.l1_ratio * sign + (1 - self.l1_ratio) * value
                miss = abs(slope + level * pull)
            worst = max(worst, miss / self.deviation[index[1]])
        return worst

    def smallest_gap(self, intercepts, theta):
        eta = self.scores(intercepts, theta)
        gaps = [1.0]
        for k in range(1, self.n_classes - 1):
            rows = (self.codes == k) & (self.share > 0)
            gaps.append((eta[rows, k] - eta[rows, k - 1]).min(initial=1.0))
        return min(gaps)

    # --- from and to what an estimator shows

    def of(self, model):
        """The intercepts and coordinates behind a model's public coefficients."""
        weights = -np.asarray(model.coef_, dtype=float)
        intercepts = -np.asarray(model.intercept_, dtype=float) + weights @ self.mean
        B = weights * self.scale
        if self.structure == "adjacent":
            # Equal public weights are a difference of exactly 0.
            B = np.vstack([B[:1], np.diff(B, axis=0)])
        return intercepts, B

    def public(self, intercepts, theta):
        """The public coefficients and intercepts of a solution."""
        B = spread(self.structure, theta, self.n_classes) / self.scale
        return -B, -(intercepts - B @ self.mean)

    def null_intercepts(self):
        shares = np.array([self.share[self.codes == k].sum() for k in range(self.n_classes)])
        return quantile(self.link, np.cumsum(shares)[:-1])

    def alpha_max(self):
        """The smallest alpha at which every penalised coordinate is 0."""
        theta = np.zeros_like(self.factor)
        intercepts, free = self.null_intercepts(), self.factor == 0
        if free.any():
            # alpha so large that only the coordinates without a penalty move
            null = self.but(structure="shared", alpha=0.0)
            intercepts, shared = solve(null)
            theta[0] = shared[0]
        slope = np.abs(self.gradient(intercepts, theta)[1][~free])
        levels = max(self.l1_ratio, 0.01) * self.factor[~free]
        return (slope / levels).max(initial=0.0)


# --- solvers


def solve(problem, rounds=4):
    """Minimise by L-BFGS-B over theta = plus - minus, in units of each column's deviation."""
    shape, m = problem.factor.shape, problem.n_classes - 1
    unit = 1 / problem.deviation
    ridge = problem.alpha * (1 - problem.l1_ratio) * problem.factor
    lasso = problem.alpha * problem.l1_ratio * problem.factor

    def parts(x):
        plus, minus = x[m:].reshape(2, *shape)
        return x[:m], unit * (plus - minus)

    def value(x, close):
        intercepts, theta = parts(x)
        loss, slopes = problem.loss_and_slopes(intercepts, theta, close)
        by_theta = gather(problem.structure, slopes.T @ problem.Z) + ridge * theta
        halves = unit * np.array([lasso + by_theta, lasso - by_theta])
        total = (
            loss + np.sum(lasso * unit * x[m:].reshape(2, *shape)) + np.sum(ridge * theta**2) / 2
        )
        return total, np.concatenate([slopes.sum(axis=0), halves.ravel()])

    x = np.concatenate([problem.null_intercepts(), np.zeros(2 * problem.factor.size)])
    bounds = [(None, None)] * m + [(0, None)] * (2 * problem.factor.size)
    options = {"maxiter": 20_000, "maxfun": 40_000, "maxcor": 30, "ftol": 1e-15, "gtol": 1e-10}
    for close in DISTANCES:
        for _ in range(rounds):
            before = value(x, close)[0]
            settings = {"jac": True, "method": "L-BFGS-B", "bounds": bounds, "options": options}
            x = minimize(value, x, args=(close,), **settings).x
            # what both halves share only costs
            halves = x[m:].reshape(2, *shape)
            x[m:] = (halves - halves.min(axis=0)).ravel()
            if before - value(x, close)[0] < 1e-14 * abs(before):
                break
        if problem.smallest_gap(*parts(x)) > close:
            return parts(x)  # nothing was extended
    raise AssertionError("the oracle ended outside of the domain")


def solve_by_cones(problem):
    """Minimise by cvxpy and Clarabel's exponential cones; the logit only."""
    import cvxpy as cp

    assert problem.link == "logit"
    m = problem.n_classes - 1
    intercepts, theta = cp.Variable(m), cp.Variable(problem.factor.shape)
    rows_of = {"adjacent": np.tril(np.ones((m, m))), "shared": np.ones((m, 1)), "free": np.eye(m)}
    B = rows_of[problem.structure] @ theta
    terms = []
    for k in range(problem.n_classes):
        rows = (problem.codes == k) & (problem.share > 0)
        Z, share = problem.Z[rows], problem.share[rows]
        if k < m:
            upper = Z @ B[k] + intercepts[k]
            terms.append(share @ cp.logistic(-upper))
        if k > 0:
            lower = Z @ B[k - 1] + intercepts[k - 1]
            terms.append(share @ cp.logistic(lower))
        if 0 < k < m:
            terms.append(-share @ cp.log(1 - cp.exp(lower - upper)))
    a = problem.l1_ratio
    absolute = cp.sum(cp.multiply(problem.factor, cp.abs(theta)))
    squares = cp.sum(cp.multiply(problem.factor, cp.square(theta))) / 2
    penalty = problem.alpha * (a * absolute + (1 - a) * squares)
    exact = {f"tol_{name}": 1e-11 for name in ("gap_abs", "gap_rel", "feas")}
    cp.Problem(cp.Minimize(cp.sum(cp.hstack(terms)) + penalty)).solve(solver="CLARABEL", **exact)
    return intercepts.value, theta.value.reshape(problem.factor.shape)


def gap_of_lasso(problem, intercepts, theta):
    """Objective less a value of the dual (spec's conjugate); valid once the intercepts are best."""
    _, by_theta = problem.gradient(intercepts, theta)
    slopes = problem.loss_and_slopes(intercepts, theta)[1]
    held = problem.factor > 0
    most = (np.abs(by_theta[held]) / problem.factor[held]).max(initial=0.0)
    shrink = min(1.0, problem.alpha / most) if most > 0 else 1.0
    total = 0.0
    for i in np.flatnonzero(problem.share > 0):
        k, per_row = problem.codes[i], slopes[i] / problem.share[i] * shrink
        t = -per_row[k] if k < problem.n_classes - 1 else 0.0
        s = per_row[k - 1] if k > 0 else 0.0
        total += problem.share[i] * conjugate(s, t, k == 0, k == problem.n_classes - 1)
    return problem.objective(intercepts, theta) + total


def conjugate(s, t, first, last):
    """sup over a < b of s a - t b - l(a, b); the boundary beyond the first or last class is absent.

    At the best (a, b): F(a) = A and F(b) = C where A + r = s, 1 - C + r = t, r = h(A, C).
    """
    if first or last:
        u = t if first else s
        return sum(v * np.log(v) for v in (u, 1 - u) if v > 0)
    q = np.sqrt(1 + 4 * s * t)
    A, C = (1 + 2 * s - q) / 2, (1 - 2 * t + q) / 2
    return s * np.log(A / (1 - A)) - t * np.log(C / (1 - C)) + np.log(C - A)


# --- random problems


def draw(seed, n=200, p=4, n_classes=4, *, weighted=True, rare=5, link="logit"):
    """Rows of a cumulative model with unequal slopes, correlated uncentred columns, a rare end."""
    rng = np.random.default_rng(seed)
    mix = np.eye(p) + 0.6 * rng.normal(size=(p, p)) / np.sqrt(p)
    X = rng.normal(size=(n, p)) @ mix * rng.uniform(0.3, 5.0, p) + rng.normal(0, 8.0, p)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    latent = Z @ (rng.normal(size=p) * (rng.random(p) < 0.7)) + rng.logistic(size=n)
    latent += 0.5 * np.abs(latent) * Z[:, 0]  # no proportional odds
    order = np.argsort(latent)
    sizes = np.full(n_classes, (n - rare) // (n_classes - 1))
    sizes[0] += n - rare - sizes[:-1].sum()
    sizes[-1] = rare
    codes = np.empty(n, dtype=int)
    codes[order] = np.repeat(np.arange(n_classes), sizes)
    flip = rng.random(n) < 0.15
    codes[flip] = rng.permutation(codes[flip])
    weights = None
    if weighted:
        weights = rng.choice([0.0, 0.5, 1.0, 2.0, 3.7], size=n)
        for k in range(n_classes):
            weights[np.flatnonzero(codes == k)[0]] = 1.0
    return X, codes, weights
