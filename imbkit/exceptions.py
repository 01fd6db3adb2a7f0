"""Every error and warning class that imbkit raises.

Errors about data and parameters are ``ValueError`` subclasses, so code written for
scikit-learn catches them unchanged.
"""

__all__ = [
    "ColumnTypeError",
    "DataError",
    "FetchError",
    "ImbkitWarning",
    "InvalidParameterError",
    "LeakWarning",
    "MissingExtraError",
    "NoEnemyError",
    "OrderWarning",
    "OutputError",
    "SmallClassWarning",
    "ThresholdWarning",
]


class InvalidParameterError(ValueError, TypeError):
    """A parameter has a value that no data could make valid.

    It has the same bases as the error that scikit-learn's parameter validation raises.
    """


class DataError(ValueError):
    """The data cannot be used for what was asked."""


class ColumnTypeError(DataError, TypeError):
    """A column holds objects that are neither numbers, text nor times."""


class FetchError(OSError):
    """A table could not be downloaded and is not on this machine."""


class NoEnemyError(DataError, RuntimeError):
    """No row of a class has a neighbour in another class, so new rows have no place to be.

    It is a RuntimeError as well, which is what imbalanced-learn raises then.
    """


class OutputError(OSError):
    """Results cannot be written, or do not belong to the present run."""


class MissingExtraError(ImportError):
    """A feature needs packages that an optional extra installs."""


class ImbkitWarning(UserWarning):
    """Base class of imbkit's warnings: the result may differ from what was asked for."""


class LeakWarning(ImbkitWarning):
    """A column or a split lets information about the label into the features."""


class OrderWarning(ImbkitWarning):
    """The order of the classes was guessed, so that the last one may not be the rare one."""


class SmallClassWarning(ImbkitWarning):
    """A class has too few rows for the method to work as asked."""


class ThresholdWarning(ImbkitWarning):
    """A threshold could not be chosen as asked; the message says what was done instead."""
