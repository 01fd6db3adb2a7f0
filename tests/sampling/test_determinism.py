"""Same seed, same rows: for any threads, blocks, processes, and whatever runs beside."""

import json
import os
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import imbkit

# Every process says the hashes that it found; a spawned one imports this file anew.
PROCESSES = """
import importlib.util
import json
import multiprocessing
import sys

spec = importlib.util.spec_from_file_location("made", sys.argv[-1])
made = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made)


def tell(results):
    results.put(made.digests(2))


if __name__ == "__main__":
    import imbkit

    imbkit.warmup()
    # Threads have run in the parent, and left nothing behind that a fork could break.
    found = {"parent": made.digests(2)}
    for method in ("fork", "spawn"):
        if method in multiprocessing.get_all_start_methods():
            context = multiprocessing.get_context(method)
            results = context.Queue()
            process = context.Process(target=tell, args=(results,))
            process.start()
            found[method] = results.get(timeout=120)
            process.join()
    print(json.dumps(found))
"""


@pytest.fixture(autouse=True)
def _quiet():
    """Numbers of rows are told of elsewhere; one filter for all threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("d", [2, 20])
@pytest.mark.parametrize("what", ["numpy", "kernels"])
def test_any_number_of_threads_gives_the_same(what, d, name, hashes, working_with):
    with working_with(what):
        expected = hashes.one(name, d, 1)
        for n_jobs in (2, 5, -1, None):
            assert hashes.one(name, d, n_jobs) == expected
        with threadpool_limits(1):
            assert hashes.one(name, d) == expected
        with joblib.parallel_config(n_jobs=3):
            assert hashes.one(name, d) == expected


@pytest.mark.parametrize("block", [1, 7, 10_000])
def test_any_size_of_blocks_gives_the_same(block, name, hashes, working_with, monkeypatch):
    imbkit.warmup()
    with working_with("kernels"):
        expected = hashes.one(name)
        changed = 0
        for module in list(sys.modules.values()):
            own = getattr(module, "__name__", "").startswith("imbkit.")
            if own and hasattr(module, "run_blocks") and module.__name__ != "imbkit._core.parallel":
                call = partial(in_blocks, module.run_blocks, block)
                monkeypatch.setattr(module, "run_blocks", call)
                changed += 1
        assert changed
        for n_jobs in (1, 2):
            assert hashes.one(name, n_jobs=n_jobs) == expected


def in_blocks(run_blocks, size, *args, block=None, **options):
    """Run a kernel in blocks of another size than its caller asked for."""
    return run_blocks(*args, block=size, **options)


def test_repeating_a_call_gives_the_same(name, build, table):
    X, y = table(name)
    sampler = build(name)
    first, second = sampler.fit_resample(X, y), sampler.fit_resample(X, y)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["RandomOverSampler", "RandomUnderSampler", "SMOTE", "SMOTENC"])
def test_another_seed_gives_something_else(name, build, table):
    X, y = table(name)
    first, second = (build(name, random_state=seed).fit_resample(X, y)[0] for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_forked_and_spawned_processes_give_the_same(hashes, tmp_path):
    script = tmp_path / "processes.py"
    script.write_text(PROCESSES)
    # Without the limits of this suite, libraries start threads of their own before the fork.
    environment = {key: text for key, text in os.environ.items() if "NUM_THREADS" not in key}
    done = subprocess.run(
        [sys.executable, script, hashes.file],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = hashes.every(1)
    assert set(found) >= {"parent", "spawn"}
    for process, values in found.items():
        assert values == expected, process


@pytest.mark.parametrize("what", ["numpy", "kernels"])
def test_eight_threads_at_once_beside_products_of_matrices(what, hashes, working_with):
    imbkit.warmup()
    at_once(what, hashes, working_with, partial(np.matmul, *np.ones((2, 300, 300))))


@pytest.mark.parametrize("what", ["numpy", "kernels"])
def test_eight_threads_at_once_beside_torch(what, hashes, working_with):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    imbkit.warmup()
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        at_once(what, hashes, working_with, partial(torch.matmul, *torch.ones((2, 300, 300))))
    finally:
        torch.set_num_threads(before)


def at_once(what, hashes, working_with, product):
    """Run every sampler in eight threads at once, and products in another one all the while."""
    names = [*hashes.names]
    with working_with(what):
        expected = [hashes.one(name) for name in names]
        stop = threading.Event()

        def multiply():
            while not stop.is_set():
                product()

        beside = threading.Thread(target=multiply)
        beside.start()
        try:
            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(partial(hashes.one, n_jobs=2), 2 * names))
        finally:
            stop.set()
            beside.join()
    assert found == 2 * expected
