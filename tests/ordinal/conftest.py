"""What the tests of ordered classes share: the family written out plainly, as an oracle."""

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def oracle():
    """The module that knows the objective from its definition, and imports nothing of imbkit."""
    name = "ordinal_oracle"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("oracle.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
