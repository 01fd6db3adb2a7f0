"""Pictures with matplotlib, for notebooks and papers.

A display is a class like scikit-learn's: its constructor takes the plain arrays that are drawn,
a class method such as ``from_sampler`` computes them, and ``plot(ax=None)`` draws them, sets
``ax_`` and ``figure_`` and returns the display. matplotlib is imported inside ``plot`` only, so
that arrays can be made and kept without it.

To add one: a file with the class, its import below, and its name in ``__all__``. A display
learns nothing and needs no card. How a table is laid out in a plane stands in ``_plane.py``.
"""

from imbkit.displays._sampling_map import SamplingMapDisplay

__all__ = ["SamplingMapDisplay"]
