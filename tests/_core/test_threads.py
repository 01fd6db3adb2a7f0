"""One thread a library: those that threadpoolctl knows, and torch."""

import sys
import threading
from types import SimpleNamespace

import pytest
from threadpoolctl import threadpool_info

from imbkit._core.threads import one_thread


def in_new_thread(function):
    """Call a function in a thread of its own and return what it returned."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_libraries_have_one_thread_and_get_theirs_back():
    before = [pool["num_threads"] for pool in threadpool_info()]
    with one_thread():
        assert {pool["num_threads"] for pool in threadpool_info()} <= {1}
    assert [pool["num_threads"] for pool in threadpool_info()] == before


@pytest.fixture
def fake(monkeypatch):
    """Something in place of torch that keeps what it was told."""
    torch = SimpleNamespace(told=[4])
    torch.set_num_threads = torch.told.append
    torch.get_num_threads = lambda: torch.told[-1]
    monkeypatch.setitem(sys.modules, "torch", torch)
    return torch


def test_torch_is_told_where_it_is_loaded(fake):
    with one_thread(), one_thread():
        assert fake.told == [4, 1, 1]
    assert fake.told == [4, 1, 1, 1, 4]
    with pytest.raises(ZeroDivisionError), one_thread():
        1 / 0
    assert fake.get_num_threads() == 4


def test_torch_is_not_loaded_for_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with one_thread():
        assert sys.modules["torch"] is None


def test_torch_in_a_thread_that_is_new_to_it():
    torch = pytest.importorskip("torch", reason="torch is not installed (extra: nets)")
    before = torch.get_num_threads()

    def within():
        with one_thread():
            torch.ones(300, 300) @ torch.ones(300, 300)
            return torch.get_num_threads()

    try:
        # What a new thread is given, whatever threadpoolctl has set for this one.
        torch.set_num_threads(2)
        with one_thread():
            assert in_new_thread(within) == 1
            assert in_new_thread(torch.get_num_threads) == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
