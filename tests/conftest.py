"""What every test shares: one thread a library, repeatable examples, the folder of real tables."""

import os
from pathlib import Path

# Before numpy is imported: several workers on few cores must not each start a thread pool.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config):
    """Compile the kernels once, before pytest-xdist starts workers that would all do it."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        import imbkit

        imbkit.warmup()


def pytest_collection_modifyitems(items):
    """Be strict here, and not in a peer's tests that are run on our classes.

    Warnings are errors, and a known failure that passes is one.
    """
    for item in items:
        if ROOT not in item.path.parents:
            continue
        # Put first, so that a test's own filters win.
        item.own_markers.insert(0, pytest.mark.filterwarnings("error").mark)
        for mark in list(item.iter_markers("xfail")):
            strict = {**mark.kwargs, "strict": True}
            item.add_marker(pytest.mark.xfail(*mark.args, **strict), append=False)


settings.register_profile("imbkit", deadline=None, derandomize=True, database=None)
settings.load_profile("imbkit")


@pytest.fixture(scope="session")
def root():
    """The folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def data_folder():
    """The folder of real tables; the test skips where it is absent."""
    folder = Path(os.environ.get("IMBKIT_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "manifest.csv").is_file():
        pytest.skip(f"no real tables at {folder}; set IMBKIT_DATA to their folder")
    return folder
