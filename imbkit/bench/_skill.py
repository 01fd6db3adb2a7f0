"""Skill: which part of the loss of a constant probability a model saves."""

from imbkit.bench._schema import MetricCard

__all__ = ["SKILLS", "with_skills"]

SKILLS = {"log_loss_skill": "log_loss", "brier_skill": "brier"}
"""Skill -> the loss that it is about. Skills stand in no row: they follow from those of the
constant, cell by cell."""
TITLES = {"log_loss_skill": "Log-loss skill", "brier_skill": "Brier skill"}
LOSSES = {"log_loss_skill": "log-loss", "brier_skill": "Brier score"}


def with_skills(cards: dict[str, MetricCard]) -> dict[str, MetricCard]:
    """Return the cards with each loss in front, and its skill beside it."""
    first: dict[str, MetricCard] = {}
    for skill, loss in SKILLS.items():
        first[loss] = cards[loss]
        first[skill] = MetricCard(
            name=skill,
            title=TITLES[skill],
            greater_is_better=True,
            low=None,
            high=1.0,
            meaning=f"The part of the {LOSSES[skill]} of the constant that is saved: 0 is no "
            "better than the share of the last stage, 1 is perfect, below 0 is worse.",
        )
    return first | cards
