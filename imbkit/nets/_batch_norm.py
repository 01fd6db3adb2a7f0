"""Batch normalisation that survives a batch of one row."""

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["BatchNorm"]


class BatchNorm(nn.BatchNorm1d):
    """Torch's batch normalisation, except that a single row has no variance of its own.

    Such a batch, usually what is left at the end of an epoch, is normalised by the running
    statistics, and leaves them as they are.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised rows.

        Parameters
        ----------
        input : Tensor of shape (n, num_features)
            Rows.

        Returns
        -------
        Tensor of shape (n, num_features)
            Of mean 0 and variance 1 in training, then scaled and shifted.
        """
        if self.training and len(input) < 2:
            mean, variance = self.running_mean, self.running_var
            return F.batch_norm(input, mean, variance, self.weight, self.bias, eps=self.eps)
        return super().forward(input)
