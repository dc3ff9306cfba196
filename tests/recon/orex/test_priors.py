"""Which prior fills the space between the slices."""

import pytest

from recon.method import RunContext
from recon.orex import OrexSettings
from recon.orex.priors import _best, choose_prior
from recon.orex.reconstruct import prepare
from tests.stepping import finish
from tests.synthetic import SPHERE, slices_of


@pytest.mark.parametrize(
    ("errors", "chosen"),
    [
        ({"none": 0.14, "cubic": 0.11, "neural": 0.19}, "neural"),
        ({"none": 0.14, "cubic": 0.11, "neural": 0.60}, "neural"),
        ({"none": 0.14, "cubic": 0.03, "neural": 0.19}, "cubic"),
        ({"none": 0.14, "cubic": 0.03}, "cubic"),
        ({"neural": 0.2}, "neural"),
    ],
)
def test_held_out_slices_overrule_the_usual_prior_only_where_one_is_clearly_better_than_all(errors, chosen):
    assert _best(errors, "neural") == chosen


def test_slices_as_dense_as_the_grid_leave_nothing_to_learn():
    dense, sparse = (
        finish(
            choose_prior(
                prepare(
                    slices_of(SPHERE, n, resolution=33), OrexSettings(resolution=33, steps=10), RunContext()
                )
            )
        )
        for n in (40, 5)
    )
    assert dense.prior == "none" and not dense.errors and "dense" in dense.reason
    assert sparse.prior == "neural"
