"""Small real tables with a rare class, a generator of transactions, and two larger downloads.

Every loader is called ``load_<table>(*, return_X_y=False, as_frame=True)`` and returns a Bunch
with ``data``, ``target``, ``frame``, ``feature_names``, ``target_names`` (the classes in order),
``positive_label`` (where there are two classes), ``categories`` and ``DESCR``. Frames need
pandas; with ``as_frame=False`` a table is one float64 matrix in which a category is its position
in ``categories``, a flag 0 or 1, and a missing cell NaN. Labels are the same either way. No
loader needs a network; the two ``fetch_`` functions do.

To add a table: put ``data/<name>.csv.gz`` (a header, empty cells for missing values, ``t`` and
``f`` for flags, the target last), describe it by one entry in ``_tables.py``, give it a
function in ``_loaders.py`` and a section in ``data/ATTRIBUTION.md``, and list the function here.
Only tables whose licence allows it may be shipped.
"""

from imbkit.datasets._fetch import fetch_credit_card_fraud, fetch_kddcup99
from imbkit.datasets._loaders import (
    load_car_evaluation,
    load_glass,
    load_online_shoppers,
    load_page_blocks,
    load_sick,
    load_wine_quality,
    load_yeast,
)
from imbkit.datasets._transactions import make_transactions

__all__ = [
    "fetch_credit_card_fraud",
    "fetch_kddcup99",
    "load_car_evaluation",
    "load_glass",
    "load_online_shoppers",
    "load_page_blocks",
    "load_sick",
    "load_wine_quality",
    "load_yeast",
    "make_transactions",
]
