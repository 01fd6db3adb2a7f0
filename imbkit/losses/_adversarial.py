"""A loss at the worst inputs nearby."""

from collections.abc import Sequence

from torch import Tensor

from imbkit._core.card import Card
from imbkit._core.messages import message
from imbkit.exceptions import InvalidParameterError
from imbkit.losses._base import BaseLoss
from imbkit.losses._checks import check_choice, check_number
from imbkit.losses._combination import Combination, loss_or_complain
from imbkit.losses._context import LossContext
from imbkit.losses._perturbation import Norm, passed_again, worst_inputs

__all__ = ["Adversarial"]


class Adversarial(Combination):
    """A loss of rows as they are, and of the worst rows near them.

    Choose it where inputs are inexact, or somebody may bend them, and the answer must not hang on
    it; it costs some skill on exact rows, and about as many passes as `steps`. With `KLDRO` as
    weights of its rows it minds rare kinds of rows as well. Probabilities become more cautious
    than the data ask for: calibrate.

    Parameters
    ----------
    base : BaseLoss
        The loss.
    eps : float, default=0.1
        How far a row may move, 0 or more, in the units of the inputs: standardise columns.
    steps : int, default=5
        Steps of the search.
    norm : {"linf", "l2"}, default="linf"
        What is at most `eps`: each column's change, or the length of the row's.
    step : float, default=None
        Length of a step, above 0; None for ``2.5 * eps / steps``.
    columns : sequence of int, default=None
        Columns that may change, such as those that are not 0/1; None for all.
    share : float, default=0.5
        Of the moved rows in the loss, from 0 to 1; the rest is that of the rows as they are.

    See Also
    --------
    KLDRO : Worst mix of rows instead of worst rows.

    Notes
    -----
    Projected steps along the sign of the gradient (or along the gradient, for ``"l2"``) of the
    loss by the inputs, from the rows themselves. Meanwhile the model is in evaluation mode, its
    parameters gather no gradient, and the loss keeps its memory. The rows found are then passed
    through the model as it is, in training. ``model=`` must be a module of torch, or a method of
    one, for that; any other function is called as it stands. It maps ``inputs=``, a tensor or a
    mapping with one under "X", to logits or to logits and embedding; nothing but "X" is changed.
    Where nothing is learned it is the loss of rows as they are.

    Different from the paper: the search begins at the rows and not near them, and half of the
    loss is that of the rows as they are.

    References
    ----------
    A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu, "Towards deep learning models
    resistant to adversarial attacks", ICLR, 2018, doi:10.48550/arXiv.1706.06083.

    Examples
    --------
    >>> import torch
    >>> from imbkit.losses import Adversarial, CrossEntropyLoss
    >>> model, X, y = torch.nn.Flatten(0), torch.zeros(2, 1), torch.tensor([0, 1])
    >>> loss = Adversarial(CrossEntropyLoss(), eps=1.0, share=1.0)
    >>> loss(model(X), y, model=model, inputs=X)  # log(1 + e), instead of log(2)
    tensor(1.3133)
    """

    card = Card(paper="Madry et al. (2018), doi:10.48550/arXiv.1706.06083")
    names = ("adversarial",)

    def __init__(
        self,
        base: BaseLoss,
        eps: float = 0.1,
        steps: int = 5,
        norm: Norm = "linf",
        step: float | None = None,
        columns: Sequence[int] | None = None,
        share: float = 0.5,
    ) -> None:
        super().__init__()
        who = "Adversarial"
        self.base = loss_or_complain(base, who, "base")
        self.eps = check_number(eps, who, "eps", low=0.0)
        self.steps = int(check_number(steps, who, "steps", low=1))
        if self.steps != steps:
            raise InvalidParameterError(message(who, "steps must be a whole number", steps))
        self.norm: Norm = check_choice(norm, ("linf", "l2"), who, "norm")
        self.step = check_number(step, who, "step", low=0.0, open_low=True, none=True)
        self.columns = None if columns is None else [_column(each) for each in columns]
        self.share = check_number(share, who, "share", low=0.0, high=1.0)
        self._take_after(base)
        self.needs |= {"model"}
        self.link = base.link
        self.level = base.level  # type: ignore[misc]

    def _main(self) -> BaseLoss:
        """Return the loss."""
        return self.base

    def per_item(self, batch: LossContext) -> Tensor:
        """Return the loss of each row, of rows as they are and moved.

        Parameters
        ----------
        batch : LossContext
            The batch, with `model` and `inputs`.

        Returns
        -------
        Tensor of shape (n,), (n, n_labels) or ()
            As the base.
        """
        if self.share == 0 or self.eps == 0:
            return self.base.per_item(batch)
        found = worst_inputs(
            batch,
            self._at,
            eps=self.eps,
            steps=self.steps,
            norm=self.norm,
            step=self.step,
            columns=self.columns,
        )
        worst = self._at(passed_again(batch, found))
        if self.share == 1:
            return worst
        return (1 - self.share) * self.base.per_item(batch) + self.share * worst

    def eval_item(self, batch: LossContext) -> Tensor:
        """Return the loss of rows as they are.

        Parameters
        ----------
        batch : LossContext
            The batch.

        Returns
        -------
        Tensor of shape (n,), (n, n_labels) or ()
            That of the base.
        """
        return self.base.eval_item(batch)

    def _at(self, batch: LossContext) -> Tensor:
        """Return the loss of a batch that the model has just passed."""
        return self.base.per_item(self.base.checked(batch))


def _column(given: object) -> int:
    """Return the position of a column, or complain."""
    number = getattr(given, "__index__", None)
    if number is None or isinstance(given, bool):
        rule = "columns must be positions of columns"
        raise InvalidParameterError(message("Adversarial", rule, given))
    return int(number())
