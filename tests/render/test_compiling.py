"""Compiling is told of while it lasts, once for all kernels that it takes."""

import numba

from render.compiling import telling


def test_compiling_is_told_of_once_with_all_that_a_kernel_calls() -> None:
    told: list[bool] = []
    part = numba.njit(lambda x: x + 1)
    whole = numba.njit(lambda x: part(x) * 2)
    with telling(told.append):
        assert whole(3) == 8
        assert told == [True, False]
        assert whole(4) == 10
        assert told == [True, False], "what is compiled is not told of again"
    whole(1.5)
    assert told == [True, False], "nobody listens any more"
