"""The shipped tables against what UCI documents, and against each other's formats."""

import os
import subprocess
import sys
import zipfile
from collections import Counter
from configparser import ConfigParser
from fnmatch import fnmatch
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from shutil import copytree, ignore_patterns

import numpy as np
import pandas as pd
import pytest

from imbkit import datasets
from imbkit._core import messages
from imbkit.datasets import _read, _tables
from imbkit.exceptions import DataError, InvalidParameterError, MissingExtraError

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("IMBKIT_DATA", ROOT.parent / "shared" / "data"))
DATA = Path(str(files("imbkit.datasets") / "data"))

# Rows of each class as the UCI descriptions count them; exceptions are written out.
UCI = {
    "sick": {"negative": 2629 + 912, "sick": 171 + 60},
    "wine_quality_red": {3: 10, 4: 53, 5: 681, 6: 638, 7: 199, 8: 18},
    "wine_quality_white": {3: 20, 4: 163, 5: 1457, 6: 2198, 7: 880, 8: 175, 9: 5},
    "online_shoppers": {False: 10422, True: 1908},
    "yeast": {
        "CYT": 463,
        "NUC": 429,
        "MIT": 244,
        "ME3": 163,
        "ME2": 51,
        "ME1": 44,
        "EXC": 37 - 2,  # the description counts two more than the file has
        "VAC": 30,
        "POX": 20,
        "ERL": 5,
    },
    "page_blocks": {
        "text": 4913,
        "horizontal line": 329,
        "graphic": 28,
        "vertical line": 88 - 1,  # one row is missing from the copy
        "picture": 115,
    },
    "glass": {
        "building_windows_float_processed": 70,
        "building_windows_non_float_processed": 76,
        "vehicle_windows_float_processed": 17,
        "containers": 13,
        "tableware": 9,
        "headlamps": 29,
    },
    "car_evaluation": {"unacc": 1210, "acc": 384, "good": 69, "vgood": 65},
}
SHAPES = {
    "sick": (3772, 29),
    "wine_quality_red": (1599, 11),
    "wine_quality_white": (4898, 11),
    "online_shoppers": (12330, 17),
    "yeast": (1484, 8),
    "page_blocks": (5472, 10),
    "glass": (214, 9),
    "car_evaluation": (1728, 6),
}
MISSING = {"age": 1, "sex": 150, "TSH": 369, "T3": 769, "TT4": 231, "T4U": 387, "FTI": 385}


def loaded(name, **options):
    if name.startswith("wine_quality_"):
        options["color"] = name.removeprefix("wine_quality_")
        return datasets.load_wine_quality(**options)
    return getattr(datasets, f"load_{name}")(**options)


every_table = pytest.mark.parametrize("name", SHAPES)


def test_the_expectations_cover_every_table():
    assert set(SHAPES) == set(UCI) == set(_tables.TABLES)


@every_table
def test_counts_are_those_of_uci(name):
    bunch = loaded(name)
    assert bunch.data.shape == SHAPES[name]
    assert bunch.frame.shape == (SHAPES[name][0], SHAPES[name][1] + 1)
    assert Counter(bunch.target.tolist()) == UCI[name]
    assert bunch.target_names == list(UCI[name])


@every_table
def test_the_features_do_not_hold_the_target(name):
    bunch = loaded(name)
    assert bunch.data.columns.tolist() == bunch.feature_names == bunch.frame.columns[:-1].tolist()
    assert bunch.target.name == bunch.frame.columns[-1]
    assert bunch.target.name not in bunch.feature_names
    assert bunch.frame.columns.is_unique
    pd.testing.assert_series_equal(bunch.target, bunch.frame.iloc[:, -1])
    codes = bunch.target.factorize()[0]
    for column in bunch.data:
        assert not np.array_equal(bunch.data[column].factorize()[0], codes)


@every_table
def test_dtypes_follow_the_kind_of_column(name):
    frame = loaded(name).frame
    table = _tables.TABLES[name]
    for column in (*table.columns, table.target):
        dtype = frame[column.name].dtype
        match column.kind:
            case "real":
                assert dtype == np.float64
            case "count":
                assert dtype == np.int64
            case "flag":
                assert dtype == np.bool_
            case kind:
                assert isinstance(dtype, pd.CategoricalDtype)
                assert dtype.ordered == (kind == "ordinal")
                assert dtype.categories.tolist() == list(column.levels)
                assert set(frame[column.name].dropna()) == set(column.levels)


@every_table
def test_only_the_documented_cells_are_missing(name):
    missing = loaded(name).frame.isna().sum()
    expected = MISSING | {"TBG": 3772} if name == "sick" else {}
    if name == "online_shoppers":
        expected = dict.fromkeys(loaded(name).feature_names[:8], 14)
    assert missing[missing > 0].to_dict() == expected


@every_table
def test_arrays_say_the_same_as_frames(name):
    bunch, plain = loaded(name), loaded(name, as_frame=False)
    assert plain.frame is None
    assert plain.data.dtype == np.float64
    assert plain.feature_names == bunch.feature_names
    assert plain.target_names == bunch.target_names
    np.testing.assert_array_equal(plain.target, bunch.target.to_numpy())
    for column, values in zip(bunch.feature_names, plain.data.T, strict=True):
        series = bunch.data[column]
        if column in plain.categories:
            present = ~np.isnan(values)
            np.testing.assert_array_equal(present, series.notna())
            levels = np.array(plain.categories[column])
            np.testing.assert_array_equal(
                levels[values[present].astype(int)], series[present].to_numpy()
            )
        else:
            np.testing.assert_array_equal(values, series.to_numpy(dtype=float))


@every_table
@pytest.mark.parametrize("as_frame", [True, False])
def test_the_pair_is_the_bunch_without_the_rest(name, as_frame):
    bunch = loaded(name, as_frame=as_frame)
    data, target = loaded(name, as_frame=as_frame, return_X_y=True)
    if as_frame:
        pd.testing.assert_frame_equal(data, bunch.data)
        pd.testing.assert_series_equal(target, bunch.target)
    else:
        np.testing.assert_array_equal(data, bunch.data)
        np.testing.assert_array_equal(target, bunch.target)


@every_table
def test_the_positive_label_is_the_rare_class_of_two(name):
    counts, label = UCI[name], loaded(name).positive_label
    assert label == (min(counts, key=counts.get) if len(counts) == 2 else None)


def test_both_wines_are_red_then_white_with_a_column_that_says_so():
    both = datasets.load_wine_quality(color="both")
    red, white = (datasets.load_wine_quality(color=c) for c in ("red", "white"))
    assert both.feature_names == [*red.feature_names, "color"]
    assert both.data["color"].tolist() == ["red"] * 1599 + ["white"] * 4898
    np.testing.assert_array_equal(
        both.data.drop(columns="color"), pd.concat([red.data, white.data])
    )
    assert both.target.tolist() == red.target.tolist() + white.target.tolist()
    assert both.target_names == [3, 4, 5, 6, 7, 8, 9]
    plain = datasets.load_wine_quality(color="both", as_frame=False)
    np.testing.assert_array_equal(plain.target, both.target)
    assert np.bincount(plain.data[:, -1].astype(int)).tolist() == [1599, 4898]


@pytest.mark.parametrize("color", ["rose", "Red", None, 1, ["red"]])
def test_an_unknown_colour_is_refused(color):
    with pytest.raises(InvalidParameterError, match=r"load_wine_quality: color must be one of"):
        datasets.load_wine_quality(color=color)


@every_table
def test_frames_need_pandas_and_arrays_do_not(name, monkeypatch):
    def absent(module):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(messages, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"needs the package pandas.*imbkit\[compare\]"):
        loaded(name)
    assert loaded(name, as_frame=False).data.shape == SHAPES[name]


def test_arrays_load_where_pandas_is_not_installed():
    code = """
import sys

class NoPandas:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "pandas":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoPandas())
from imbkit.datasets import load_glass, load_sick, make_transactions
assert load_sick(as_frame=False).data.shape == (3772, 29)
make_transactions(2, 2, 2, as_frame=False)
assert "sklearn.datasets" not in sys.modules
try:
    load_glass()
except ImportError as error:
    assert "imbkit[compare]" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_file_that_does_not_match_its_entry_is_refused(monkeypatch):
    monkeypatch.setitem(_tables.TABLES, "glass", _tables.TABLES["yeast"])
    with pytest.raises(DataError, match=r"glass\.csv\.gz: the file must have 1,484 rows"):
        datasets.load_glass()


@every_table
def test_the_description_names_source_licence_and_counts(name):
    text, table = loaded(name).DESCR, _tables.TABLES[name]
    for word in (table.title, table.doi, table.creators, "CC BY 4.0", str(table.year)):
        assert word in text
    for label, count in UCI[name].items():
        assert f"{label} {count:,}" in text
    assert text == _read.describe(table)


@every_table
def test_the_docstring_gives_counts_and_reference(name):
    loader = "wine_quality" if name.startswith("wine") else name
    text = " ".join(getattr(datasets, f"load_{loader}").__doc__.split())
    assert _tables.TABLES[name].doi in text
    for label, count in UCI[name].items():
        assert f"{label} {count}" in text


def sections():
    text = (DATA / "ATTRIBUTION.md").read_text(encoding="utf-8")
    return {
        part.split("\n", 1)[0].strip(): " ".join(part.split()) for part in text.split("\n## ")[1:]
    }


def test_every_shipped_file_is_attributed_and_nothing_else_is_shipped():
    shipped = {path.name for path in DATA.iterdir()}
    assert shipped == {f"{name}.csv.gz" for name in SHAPES} | {"ATTRIBUTION.md"}
    assert set(sections()) == shipped - {"ATTRIBUTION.md"}
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 800_000


@every_table
def test_the_attribution_is_complete(name):
    text, table = sections()[f"{name}.csv.gz"], _tables.TABLES[name]
    rows, features = SHAPES[name]
    wanted = [
        f"Title: {table.title}",
        f"Year: {table.year}",
        f"UCI data set {table.uci}, https://doi.org/{table.doi}",
        "Licence: CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
        f"Rows: {rows}; features: {features}; classes:",
        "Changes:",
        *(f"{label} {count}" for label, count in UCI[name].items()),
        f"missing cells: {loaded(name).frame.isna().sum().sum()}",
    ]
    assert [word for word in wanted if word not in text] == []
    assert table.creators.split("; ")[0] in text


def test_the_packaging_lists_every_data_file():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    patterns = config["options.package_data"]["imbkit"].split()
    for path in DATA.iterdir():
        assert any(fnmatch(f"datasets/data/{path.name}", pattern) for pattern in patterns)


@pytest.mark.slow
@pytest.mark.skipif(
    int(version("setuptools").split(".")[0]) < 77, reason="building needs setuptools 77 or later"
)
def test_the_wheel_contains_the_data(tmp_path):
    skipped = ignore_patterns(".git", "build", "*.egg-info", "__pycache__", ".*_cache", "doc")
    copytree(ROOT, tmp_path / "src", ignore=skipped)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*command, "-w", tmp_path, tmp_path / "src"], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for path in DATA.iterdir():
            assert archive.read(f"imbkit/datasets/data/{path.name}") == path.read_bytes()


ORIGIN = {
    "sick": "sick",
    "wine_quality_red": "winequality_red",
    "wine_quality_white": "winequality_white",
    "online_shoppers": "online_shoppers",
    "yeast": "yeast_multi",
    "page_blocks": "page_blocks_multi",
    "glass": "glass_multi",
    "car_evaluation": "car_evaluation",
}


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_dir(), reason=f"no folder of real tables at {REAL}")
@every_table
def test_features_equal_the_table_they_were_made_from(name):
    origin = pd.read_parquet(REAL / f"{ORIGIN[name]}.parquet")
    frame = loaded(name).frame
    assert len(origin) == len(frame)
    for position, column in enumerate(frame.columns[:-1]):
        ours, theirs = frame[column], origin.iloc[:, position]
        if isinstance(ours.dtype, pd.CategoricalDtype):
            np.testing.assert_array_equal(ours.isna(), theirs.isna())
            assert ours.dropna().astype(str).tolist() == theirs.dropna().astype(str).tolist()
            continue
        if ours.dtype == bool:
            theirs = theirs.astype(str).map({"f": 0.0, "t": 1.0, "0": 0.0, "1": 1.0})
        theirs = theirs.to_numpy(dtype=float)
        ours = ours.to_numpy(dtype=float)
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_dir(), reason=f"no folder of real tables at {REAL}")
@every_table
def test_targets_are_the_original_labels_one_to_one(name):
    origin = pd.read_parquet(REAL / f"{ORIGIN[name]}.parquet")["target"]
    pairs = set(zip(loaded(name).target, origin, strict=True))
    assert len(pairs) == len(UCI[name]) == origin.nunique()


def test_visits_lack_what_the_attribution_says():
    numbers = datasets.load_online_shoppers().frame.select_dtypes(["number"])
    assert numbers.shape[1] == 10
    assert int(numbers.isna().sum().sum()) == 112
    assert int(numbers.isna().any(axis=1).sum()) == 14
    negative = numbers < 0
    assert (numbers.to_numpy()[negative.to_numpy()] == -1).all()
    assert int(negative.any(axis=1).sum()) == 33


def test_levels_of_cars_ascend():
    # Dearer cars are graded lower, roomier and safer ones higher: an independent order.
    cars = datasets.load_car_evaluation()
    grade = cars.target.cat.codes
    for column in cars.data:
        means = grade.groupby(cars.data[column], observed=False).mean()
        steps = means.diff().dropna() * (-1 if column in {"buying", "maint"} else 1)
        assert steps.sum() > 0
        assert (steps >= -0.02).all()
