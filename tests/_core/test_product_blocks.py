"""Blocks whose products run on one thread each."""

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from imbkit._core.product_blocks import run_product_blocks


def blas_threads():
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]


def test_the_library_has_one_thread_meanwhile_and_its_own_again_afterwards():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        seen = run_product_blocks(lambda low, high: blas_threads(), 4, n_jobs=2, block=1)
        assert set(np.ravel(seen)) == {1}
        assert blas_threads() == before


def test_results_are_in_order_and_a_single_block_is_left_alone():
    found = run_product_blocks(lambda low, high, plus: low + plus, 5, 10, n_jobs=2, block=2)
    assert found == [10, 12, 14]
    with threadpool_limits(2, user_api="blas"):
        (seen,) = run_product_blocks(lambda low, high: blas_threads(), 4, block=4)
        assert seen == blas_threads()
    assert run_product_blocks(lambda low, high: low, 0) == []
