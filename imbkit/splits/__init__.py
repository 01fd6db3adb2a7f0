"""Split rows as the future will: train on what was known, test on what came later.

A splitter is what scikit-learn takes for ``cv=``: an object with two methods,

- ``split(X, y, groups=None, ...)``: yields (training, test) positions of rows;
- ``get_n_splits(X, y, groups)``: says how many pairs that will be.

Values of the rows that are no features (times, groups) come as arguments of ``split``, or as
the names of columns of `X` that the constructor takes, so that the splitter works wherever
nothing but `X` and `y` is handed on. Everything is checked before the first pair is yielded.

To add a splitter: one file with a subclass of scikit-learn's ``BaseCrossValidator``
(``_prequential_split.py`` is the smallest member), and its name below. Times are read by
``_times.py``, groups by ``_groups.py``.
"""

from imbkit.splits._prequential_split import PrequentialSplit

__all__ = ["PrequentialSplit"]
