"""The package's sources, parsed once for all guards."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Source:
    """One file of the package: dotted module name, path, text and syntax tree."""

    module: str
    path: Path
    text: str

    @property
    def tree(self):
        return ast.parse(self.text)

    @property
    def package(self):
        """The family it belongs to, e.g. ``metrics``; "" for ``imbkit/__init__.py``."""
        return (self.module.split(".") + [""])[1]


@pytest.fixture(scope="session")
def sources(root):
    found = []
    for path in sorted((root / "imbkit").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        found.append(Source(".".join(parts), path, path.read_text("utf-8")))
    assert len(found) > 5
    return found


@pytest.fixture
def plant():
    """Make a source that does not exist, to show that a guard would notice it."""

    def make(text, module="imbkit.metrics._planted", path="imbkit/metrics/_planted.py"):
        return Source(module, Path(path), text)

    return make
