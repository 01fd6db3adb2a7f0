"""Smooth adversarial comp-sum losses: a penalty on margins that change with the rows."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from imbkit._core.card import Card, Limit
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._context import LossContext
from imbkit.losses._draws import Draws
from imbkit.losses._perturbation import Norm, passed_again, worst_inputs
from imbkit.losses._stats import ClassStats
from imbkit.losses.functional import comp_sum, margin_gap

__all__ = ["SmoothAdversarialCompSumLoss"]


class SmoothAdversarialCompSumLoss(BaseLoss):
    """A comp-sum loss, and a penalty on how far nearby rows have other margins.

    Choose it where labels must not change with small moves of the columns: by measurement
    error, or by someone who wishes to stay undetected. It costs ``steps + 2`` further passes
    through the model a batch, and some accuracy on the rows as they are. Like
    :class:`CompSumLoss` it knows nothing of rare classes: combine it with class weights.
    Probabilities become more cautious.

    Parameters
    ----------
    tau : float, default=1.7
        Of the comp-sum loss, 0 or more; 1 is cross-entropy.
    nu : float, default=1.0
        Weight of the penalty, 0 or more.
    eps : float, default=0.1
        Radius around each row, 0 or more, in units of the columns: standardise them.
    steps : int, default=5
        Steps of the search for the worst move, 1 or more, each of ``2.5 eps / steps``.
    norm : {"linf", "l2"}, default="linf"
        Whether each column moves by `eps` at most, or the row as a whole.
    columns : sequence of int, default=None
        Columns that may move; None for all. Codes of categories never do.
    seed : int, default=0
        Of the noise that the search starts from.

    Attributes
    ----------
    scale : float
        What logits are multiplied by for probabilities, as of :class:`CompSumLoss`.

    See Also
    --------
    CompSumLoss : The loss without the penalty.

    Notes
    -----
    l(z(x)) + nu max ||D(x + d) - D(x)|| over moves d within the radius, where D holds z_y - z_k
    for the other classes k, and the length is Euclidean. The maximum is looked for by projected
    steps along the gradient (its sign for "linf"), from normal noise of standard deviation
    eps / 10, with the model in evaluation mode; the rows found go through the model once more in
    training mode. Inputs are a tensor of floats, or a mapping with one under "X". For the
    evaluation mode ``model=`` must be a module, or a method of one; another function is called
    as it stands. Where nothing is learned, the loss is that without the penalty.

    Different from the paper: the penalty is not divided by a margin; the search and the defaults
    of `nu`, `eps`, `steps` are this library's.

    References
    ----------
    A. Mao, M. Mohri, Y. Zhong, "Cross-entropy loss functions: theoretical analysis and
    applications", ICML, 2023, doi:10.48550/arXiv.2304.07288.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import SmoothAdversarialCompSumLoss
    >>> model = torch.nn.Linear(1, 2, bias=False)
    >>> model.weight.data = torch.tensor([[0.0], [2.0]])
    >>> x, y = torch.zeros(1, 1), torch.tensor([1])
    >>> SmoothAdversarialCompSumLoss(tau=2.0)(model(x), y, model=model, inputs=x).detach()
    tensor(0.7000)
    """

    card = Card(
        paper="Mao et al. (2023), doi:10.48550/arXiv.2304.07288",
        cases=({}, {"tau": 1.0, "norm": "l2", "steps": 2}),
        limits=(
            Limit(when={"nu": 0.0}, equals="CompSumLoss"),
            Limit(when={"eps": 0.0}, equals="CompSumLoss"),
        ),
    )
    names = ("smooth_adv_comp_sum",)

    def __init__(
        self,
        tau: float = 1.7,
        nu: float = 1.0,
        eps: float = 0.1,
        steps: int = 5,
        norm: Norm = "linf",
        columns: Sequence[int] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        who = "SmoothAdversarialCompSumLoss"
        self.tau = check_number(tau, who, "tau", low=0.0)
        self.nu = check_number(nu, who, "nu", low=0.0)
        self.eps = check_number(eps, who, "eps", low=0.0)
        self.steps = int(check_number(steps, who, "steps", low=1.0))
        if self.steps != steps:
            raise InvalidParameterError(message(who, "steps must be a whole number", steps))
        self.norm: Norm = check_choice(norm, ("linf", "l2"), who, "norm")
        self.columns = columns
        self.seed = seed
        self._draws = Draws(seed, who)
        self.scale = 2.0 - self.tau if self.tau < 2.0 else 1.0
        self._moves = self.nu > 0 and self.eps > 0
        self.needs = frozenset({"model"}) if self._moves else frozenset()

    def setup(self, stats: ClassStats) -> None:
        """Begin the random numbers again.

        Parameters
        ----------
        stats : ClassStats
            Counts of the training part.
        """
        super().setup(stats)
        self._draws.restart()

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row, penalty included where the batch is learned from.

        Parameters
        ----------
        batch : LossContext
            The batch, with `model` and `inputs`.

        Returns
        -------
        Tensor of shape (n,)
            At least 0.
        """
        items = self.eval_item(batch)
        if not (self._moves and batch.training):
            return items
        found = worst_inputs(
            batch,
            _Gap(batch),
            eps=self.eps,
            steps=self.steps,
            norm=self.norm,
            columns=self.columns,
            start=self._start(batch),
        )
        moved = passed_again(batch, found).logits
        return items + self.nu * margin_gap(batch.logits, moved, batch.target)

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the loss without the penalty.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,)
            At least 0.
        """
        return comp_sum(batch.logits, batch.target, tau=self.tau)

    def _start(self, batch: LossContext) -> Tensor:
        """Return small moves to begin with: at the rows themselves the penalty has no slope."""
        rows = batch.inputs.get("X") if isinstance(batch.inputs, Mapping) else batch.inputs
        if not isinstance(rows, Tensor) or not rows.is_floating_point():
            rule = "inputs must be a tensor of floats, or a mapping that has one under 'X'"
            raise InvalidParameterError(message(type(self).__name__, rule, type(rows).__name__))
        width = rows.shape[-1]
        if not all(-width <= each < width for each in self.columns or ()):
            rule = f"columns must be positions of the {width} columns of the inputs"
            raise InvalidParameterError(message(type(self).__name__, rule, self.columns))
        return self.eps / 10 * self._draws.normal(rows)


class _Gap:
    """How far margins are from those of the rows themselves, the model being held."""

    def __init__(self, batch: LossContext) -> None:
        self.inputs = batch.inputs
        self.usual: Tensor | None = None

    def __call__(self, tried: LossContext) -> Tensor:
        """Return it for each row."""
        if self.usual is None:  # not those of the batch: without dropout they are others
            self.usual = passed_again(tried, self.inputs).logits.detach()
        return margin_gap(self.usual, tried.logits, tried.target)
