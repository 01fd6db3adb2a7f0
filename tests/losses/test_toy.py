"""Three Gaussian clouds of 1,000, 100 and 10 rows: what the losses are for."""

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from imbkit.losses import (
    ClassStats,
    CrossEntropyLoss,
    Deferred,
    EffectiveNumber,
    FocalLoss,
    LDAMLoss,
    LogitAdjustedLoss,
    LossContext,
    Reweighted,
    VectorScalingLoss,
)

CENTRES = torch.tensor([[0.0, 0.0], [1.8, 0.0], [0.0, 1.8]])
COUNTS = (1000, 100, 10)
SEEDS = (0, 1, 2)
STEPS = 400
LOSSES = {
    "CE": CrossEntropyLoss(),
    "LA": LogitAdjustedLoss(),
    "VS": VectorScalingLoss(gamma=0.3, tau=1.0),
    "LDAM-DRW": Reweighted(LDAMLoss(scale=10.0), Deferred(EffectiveNumber(), start=0.8)),
    "CB+focal": Reweighted(FocalLoss(gamma=2.0), EffectiveNumber(beta=0.999)),
}


class Nets(nn.Module):
    """A net for each seed, side by side: a hidden layer, and a head of scores or of cosines."""

    def __init__(self, cosine):
        super().__init__()
        layers = []
        for seed in SEEDS:
            torch.manual_seed(seed)
            layers.append((nn.Linear(2, 32), nn.Linear(32, 3)))
        self.cosine = cosine
        self.body, self.bias, self.head, self.shift = (
            nn.Parameter(torch.stack([getattr(pair[k], name).detach() for pair in layers]))
            for k in (0, 1)
            for name in ("weight", "bias")
        )

    def forward(self, X):
        """Map rows of shape (seeds, n, 2) to logits of shape (seeds, n, 3)."""
        e = torch.relu(X @ self.body.mT + self.bias[:, None])
        if self.cosine:
            return normalize(e, dim=2) @ normalize(self.head, dim=2).mT
        return e @ self.head.mT + self.shift[:, None]


def rows(counts, seed):
    """Draw rows of each cloud, for each of the seeds."""
    y = torch.repeat_interleave(torch.arange(3), torch.tensor(counts))
    drawn = [torch.Generator().manual_seed(seed + each) for each in SEEDS]
    noise = torch.stack([torch.randn(len(y), 2, generator=rng) for rng in drawn])
    return CENTRES[y] + noise, y


def fitted(loss):
    """Return nets that have learned from all rows at once, each from its own."""
    X, y = rows(COUNTS, 0)
    loss.setup(ClassStats.from_labels(y.numpy()))
    with torch.random.fork_rng():
        nets = Nets("cosine_head" in loss.needs)
    optimizer = torch.optim.Adam(nets.parameters(), lr=1e-2)
    own = y.repeat(len(SEEDS))
    for step in range(STEPS):
        optimizer.zero_grad()
        batch = LossContext(nets(X).flatten(0, 1), own, epoch=step, max_epochs=STEPS)
        (len(SEEDS) * loss.value(batch)).backward()
        optimizer.step()
    return nets.requires_grad_(False)


@pytest.fixture(scope="module")
def nets():
    """Nets by the name of their loss."""
    return {name: fitted(loss) for name, loss in LOSSES.items()}


@pytest.fixture(scope="module")
def scores(nets):
    """Mean balanced accuracy by the name of a loss, on rows of which each cloud has as many."""
    X, y = rows((1000, 1000, 1000), 100)
    return {name: float((each(X).argmax(2) == y).double().mean()) for name, each in nets.items()}


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "CE"])
def test_losses_for_rare_classes_separate_what_cross_entropy_does_not(scores, name):
    assert scores[name] >= scores["CE"] + 0.10, scores


def test_cross_entropy_gives_the_rare_classes_up(scores):
    assert 1 / 3 < scores["CE"] < 0.55


@pytest.mark.parametrize("counts", [COUNTS, (1000, 1000, 1000)])
def test_logit_adjustment_gives_the_posterior_back(nets, counts):
    """What it learns is made for equal shares; the log shares lead back to those of the rows."""
    log_prior = torch.tensor(COUNTS, dtype=torch.float64).div(sum(COUNTS)).log()
    X, _ = rows(counts, 200)
    z = nets["LA"](X).double()
    distance = ((X.double()[:, :, None] - CENTRES) ** 2).sum(3)
    truth = (log_prior - distance / 2).softmax(2)
    error = ((z + log_prior).softmax(2) - truth).abs().mean()
    assert error < 0.05
    assert (z.softmax(2) - truth).abs().mean() > 2 * error
