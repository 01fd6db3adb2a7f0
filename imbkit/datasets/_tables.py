"""What each shipped table holds: one entry here, and one file beside it, add a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["TABLES", "Column", "Kind", "Label", "Table"]

Label = str | int | bool
Kind = Literal["real", "count", "flag", "nominal", "ordinal"]


@dataclass(frozen=True, slots=True)
class Column:
    """Name and meaning of one column.

    Parameters
    ----------
    name : str
        Name as the source documents it; the file has the same.
    kind : {"real", "count", "flag", "nominal", "ordinal"}
        A measurement; a whole number; true or false, stored as ``t`` and ``f``; one of
        `levels`; one of `levels`, which are then in ascending order. Only measurements and
        nominal columns may have missing values, stored as empty cells.
    levels : tuple of str, int or bool
        The values a nominal or ordinal column can take.
    """

    name: str
    kind: Kind
    levels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One shipped table.

    Parameters
    ----------
    title : str
        Full title at the source.
    creators : str
        Who made it.
    year : int
        Year of the source's citation.
    uci : int
        Number in the UCI Machine Learning Repository.
    doi : str
        Its doi there.
    columns : tuple of Column
        The features, in the order of the file.
    target : Column
        The last column of the file.
    counts : tuple of int
        Rows of each of the target's levels.
    positive : str, int or bool, default=None
        The customary positive class where the target has two classes.
    notes : str
        What a reader must know: differences from the source, traps.
    """

    title: str
    creators: str
    year: int
    uci: int
    doi: str
    columns: tuple[Column, ...]
    target: Column
    counts: tuple[int, ...]
    positive: Label | None = None
    notes: str = ""


def _columns(kind: Kind, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name in names)


def _levels(kind: Kind, **levels: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind, tuple(words.split())) for name, words in levels.items())


def _wine(colour: str, counts: Mapping[int, int]) -> Table:
    return Table(
        title=f"Wine Quality ({colour})",
        creators="P. Cortez, A. Cerdeira, F. Almeida, T. Matos and J. Reis",
        year=2009,
        uci=186,
        doi="10.24432/C56S3T",
        columns=_columns(
            "real",
            "fixed acidity",
            "volatile acidity",
            "citric acid",
            "residual sugar",
            "chlorides",
            "free sulfur dioxide",
            "total sulfur dioxide",
            "density",
            "pH",
            "sulphates",
            "alcohol",
        ),
        target=Column("quality", "ordinal", tuple(counts)),
        counts=tuple(counts.values()),
        notes="Many wines stand in the table more than once: keep equal rows in one fold.",
    )


def _measured(name: str) -> tuple[Column, ...]:
    """A blood value of the thyroid table: whether it was measured, then the value."""
    return (Column(f"{name} measured", "flag"), Column(name, "real"))


TABLES: Mapping[str, Table] = {
    "sick": Table(
        title="Thyroid Disease (file sick)",
        creators="R. Quinlan; records of the Garavan Institute, Sydney",
        year=1986,
        uci=102,
        doi="10.24432/C5D010",
        columns=(
            Column("age", "real"),
            Column("sex", "nominal", ("F", "M")),
            *_columns(
                "flag",
                "on thyroxine",
                "query on thyroxine",
                "on antithyroid medication",
                "sick",
                "pregnant",
                "thyroid surgery",
                "I131 treatment",
                "query hypothyroid",
                "query hyperthyroid",
                "lithium",
                "goitre",
                "tumor",
                "hypopituitary",
                "psych",
            ),
            *_measured("TSH"),
            *_measured("T3"),
            *_measured("TT4"),
            *_measured("T4U"),
            *_measured("FTI"),
            *_measured("TBG"),
            Column("referral source", "nominal", ("STMW", "SVHC", "SVHD", "SVI", "other")),
        ),
        target=Column("class", "nominal", ("negative", "sick")),
        counts=(3541, 231),
        positive="sick",
        notes=(
            "The source's training (2800 rows) and test part (972 rows) in one table. The feature "
            "'sick' is what the patient reports, not the diagnosis in 'class'. 'TBG' was never "
            "measured: 'TBG measured' is constant and 'TBG' always missing, as at the source. "
            "One age is 455, a slip of the source that was left as it is."
        ),
    ),
    "wine_quality_red": _wine("red", {3: 10, 4: 53, 5: 681, 6: 638, 7: 199, 8: 18}),
    "wine_quality_white": _wine("white", {3: 20, 4: 163, 5: 1457, 6: 2198, 7: 880, 8: 175, 9: 5}),
    "online_shoppers": Table(
        title="Online Shoppers Purchasing Intention Dataset",
        creators="C. O. Sakar and Y. Kastro",
        year=2018,
        uci=468,
        doi="10.24432/C5F88Q",
        columns=(
            *_columns(
                "real",
                "Administrative",
                "Administrative_Duration",
                "Informational",
                "Informational_Duration",
                "ProductRelated",
                "ProductRelated_Duration",
                "BounceRates",
                "ExitRates",
                "PageValues",
                "SpecialDay",
            ),
            *_levels(
                "nominal",
                Month="Feb Mar May June Jul Aug Sep Oct Nov Dec",
                OperatingSystems="1 2 3 4 5 6 7 8",
                Browser="1 2 3 4 5 6 7 8 9 10 11 12 13",
                Region="1 2 3 4 5 6 7 8 9",
                TrafficType="1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
                VisitorType="New_Visitor Returning_Visitor Other",
            ),
            Column("Weekend", "flag"),
        ),
        target=Column("Revenue", "flag", (False, True)),
        counts=(10422, 1908),
        positive=True,
        notes=(
            "Made from an earlier public copy, in which 14 sessions lack their first eight "
            "values (112 cells) and 33 sessions have durations of -1; the present UCI file is "
            "described as complete. Both were left as they are in the copy. 'PageValues' is "
            "computed from completed purchases, so it may tell the target."
        ),
    ),
    "yeast": Table(
        title="Yeast",
        creators="K. Nakai",
        year=1991,
        uci=110,
        doi="10.24432/C5KG68",
        columns=_columns("real", "mcg", "gvh", "alm", "mit", "erl", "pox", "vac", "nuc"),
        target=Column(
            "localization_site",
            "nominal",
            ("CYT", "NUC", "MIT", "ME3", "ME2", "ME1", "EXC", "VAC", "POX", "ERL"),
        ),
        counts=(463, 429, 244, 163, 51, 44, 35, 30, 20, 5),
        notes=(
            "The sequence name was dropped. The source's description counts 37 rows of EXC, its "
            "file and this table have 35."
        ),
    ),
    "page_blocks": Table(
        title="Page Blocks Classification",
        creators="D. Malerba",
        year=1994,
        uci=78,
        doi="10.24432/C5J590",
        columns=(
            *_columns("count", "height", "length", "area"),
            *_columns("real", "eccen", "p_black", "p_and", "mean_tr"),
            *_columns("count", "blackpix", "blackand", "wb_trans"),
        ),
        target=Column(
            "class",
            "nominal",
            ("text", "horizontal line", "graphic", "vertical line", "picture"),
        ),
        counts=(4913, 329, 28, 87, 115),
        notes=(
            "One row short of the source: 5472 rows instead of 5473, and 87 vertical lines "
            "instead of 88, because the table was made from the copy of the KEEL repository."
        ),
    ),
    "glass": Table(
        title="Glass Identification",
        creators="B. German",
        year=1987,
        uci=42,
        doi="10.24432/C5WW2P",
        columns=_columns("real", "RI", "Na", "Mg", "Al", "Si", "K", "Ca", "Ba", "Fe"),
        target=Column(
            "type",
            "nominal",
            (
                "building_windows_float_processed",
                "building_windows_non_float_processed",
                "vehicle_windows_float_processed",
                "containers",
                "tableware",
                "headlamps",
            ),
        ),
        counts=(70, 76, 17, 13, 9, 29),
        notes=(
            "The row number was dropped and the type's number replaced by its name. The source "
            "names a seventh type, vehicle windows not float processed, of which it has no row."
        ),
    ),
    "car_evaluation": Table(
        title="Car Evaluation",
        creators="M. Bohanec",
        year=1988,
        uci=19,
        doi="10.24432/C5JP48",
        columns=_levels(
            "ordinal",
            buying="low med high vhigh",
            maint="low med high vhigh",
            doors="2 3 4 5more",
            persons="2 4 more",
            lug_boot="small med big",
            safety="low med high",
        ),
        target=Column("class", "ordinal", ("unacc", "acc", "good", "vgood")),
        counts=(1210, 384, 69, 65),
        notes="Every combination of the six features stands in the table exactly once.",
    ),
}
