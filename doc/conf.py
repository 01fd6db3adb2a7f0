"""Sphinx settings. Pages under api/ are made from the catalogue before the build starts."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
os.environ.setdefault("MPLBACKEND", "Agg")

import _generate  # noqa: E402

import imbkit  # noqa: E402

_generate.write_pages(HERE / "api")

project = "imbkit"
author = "The imbkit developers"
copyright = "2026, The imbkit developers"
release = imbkit.__version__
version = ".".join(release.split(".")[:2])

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/*.ipynb"]
html_title = "imbkit"
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_toc_level": 2}
html_show_sourcelink = False
default_role = "literal"

autodoc_typehints = "none"  # types stand in the docstrings
numpydoc_show_class_members = False  # api/ lists the members that imbkit wrote
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

sphinx_gallery_conf = {
    "examples_dirs": [str(HERE.parent / "examples")],
    "gallery_dirs": ["gallery"],
    "copyfile_regex": r"GALLERY_HEADER\.rst",
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
}
