"""Which prior fills the space between the slices."""

import pytest

from recon.orex.priors import _best


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
