"""Licence, attribution, and versions: each stated once, and held against each other."""

import configparser
import re
import tomllib

import pytest

import imbkit


@pytest.fixture(scope="module")
def setup_cfg(root):
    parser = configparser.ConfigParser()
    parser.read(root / "setup.cfg", encoding="utf-8")
    return parser


def requirements(parser):
    """Return {extra: lines}, "" for what is always installed."""
    found = {"": parser["options"]["install_requires"]}
    found.update(parser["options.extras_require"].items())
    return {extra: text.split("\n")[1:] for extra, text in found.items()}


def pins(path):
    lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    return {_plain(name): version for name, version in (x.split("==") for x in lines if x)}


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _split(line):
    name, bounds = re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?(.*)", line).groups()
    return _plain(name), bounds


def _numbers(version):
    return tuple(int(part) for part in re.findall(r"\d+", version))


def unpinned(lines, pinned):
    names = {_split(line)[0] for line in lines} - {"imbkit"}
    return sorted(name for name in names if name not in pinned)


def wrong_lower_bounds(lines, pinned):
    """Return the requirements whose lower bound is not the version that was tested."""
    for line in lines:
        name, bounds = _split(line)
        low = re.search(r">=([\d.]+)", bounds)
        if low and name in pinned:
            size = len(_numbers(low[1]))
            if _numbers(pinned[name])[:size] != _numbers(low[1]):
                yield f"{line}: tested with {pinned[name]}"


def test_every_dependency_is_pinned(root, setup_cfg):
    pinned = pins(root / "constraints.txt")
    for lines in requirements(setup_cfg).values():
        assert unpinned(lines, pinned) == []
    assert pinned["torch"] == "2.13.0"


def test_lower_bounds_are_the_oldest_versions_tested(root, setup_cfg):
    pinned = pins(root / "constraints-oldest.txt")
    stated = requirements(setup_cfg)
    for extra in ("", "compare"):
        assert unpinned(stated[extra], pinned) == []
    for extra in ("", "compare", "test"):
        assert list(wrong_lower_bounds(stated[extra], pinned)) == []


def test_only_those_who_ask_get_a_browser(setup_cfg):
    stated = requirements(setup_cfg)
    browser = {_split(line)[0] for line in stated.pop("browser")}
    assert "playwright" in browser
    for lines in stated.values():
        assert browser.isdisjoint(_split(line)[0] for line in lines)
        assert not any("browser" in line for line in lines)


def test_no_setting_stands_in_two_files(root, setup_cfg):
    assert all(re.match(r"metadata$|options(\.|$)", section) for section in setup_cfg.sections())
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    assert set(settings) == {"build-system", "tool"}
    assert {"setuptools", "distutils"}.isdisjoint(settings["tool"])


def test_licence_and_citation(root, setup_cfg):
    licence = (root / "LICENSE").read_text("utf-8")
    assert setup_cfg["metadata"]["license"] == "BSD-3-Clause"
    assert licence.startswith("BSD 3-Clause License")
    for words in ("Redistributions of source code", "Neither the name", '"AS IS"'):
        assert words in licence
    citation = (root / "CITATION.cff").read_text("utf-8")
    for key in ("cff-version: 1.2.0", "message:", "title: ", "authors:", "license: BSD-3-Clause"):
        assert key in citation
    stated = re.search(r"^version: (.+)$", citation, re.MULTILINE)[1]
    assert imbkit.__version__.startswith(stated)


def test_every_shipped_table_is_attributed(root):
    folder = root / "imbkit/datasets/data"
    tables = [path for path in folder.iterdir() if path.suffix in {".csv", ".gz", ".parquet"}]
    assert tables
    texts = [path.read_text("utf-8") for path in folder.iterdir() if path.suffix in {".md", ".txt"}]
    text = "\n".join(texts)
    assert "CC BY 4.0" in text
    assert [path.name for path in tables if path.name.split(".")[0] not in text] == []


def test_a_typed_package_says_so(root, setup_cfg):
    assert (root / "imbkit/py.typed").is_file()
    assert "py.typed" in setup_cfg["options.package_data"]["imbkit"]


def test_a_missing_pin_or_a_wrong_bound_is_noticed():
    assert unpinned(["numpy>=2.0", "dask[dataframe]>=1"], {"numpy": "2.1"}) == ["dask"]
    assert list(wrong_lower_bounds(["numpy>=2.1"], {"numpy": "2.0.0"}))
    assert not list(wrong_lower_bounds(["numpy>=2.0,<3"], {"numpy": "2.0.0"}))
