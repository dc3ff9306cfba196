"""Pictures turned into noise and back: SLaMP, null-text inversion, prompt-to-prompt."""

from __future__ import annotations

import numpy as np
import pytest

from recon.diffusion import PaintOptions
from recon.errors import SettingsError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def flow(tiny_pipeline):
    from diffusers import StableDiffusion3Pipeline

    from recon.diffusion.flow import Flow

    pipeline = StableDiffusion3Pipeline.from_pretrained(
        tiny_pipeline("sd3"), text_encoder_3=None, tokenizer_3=None
    )
    return Flow(pipeline)


@pytest.fixture(scope="module")
def ddim(tiny_pipeline):
    from diffusers import StableDiffusionPipeline

    from recon.diffusion.ddim import Ddim

    pipeline = StableDiffusionPipeline.from_pretrained(tiny_pipeline("sd"))
    pipeline.unet.requires_grad_(False)
    return Ddim(pipeline, 5)


def _random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _slamp(flow, **options):
    from recon.diffusion.slamp import slamp

    original, part = _random(1, 8, 8, 8), torch.zeros(8, 8)
    part[2:6, 2:6] = 1
    generator = torch.Generator().manual_seed(1)
    made = slamp(flow, original, part, "a red hat", PaintOptions.of(options), 6, 4.0, generator)
    change = (made - original).abs()[0].mean(0)
    return change[part == 1], change[part == 0]


def test_mixing_changes_at_the_step_that_the_paper_calls_t_s() -> None:
    from recon.diffusion.slamp import Mixing

    assert [Mixing(0.1, 0.9, 2, 6).share(step) for step in range(1, 7)] == [0.1] * 4 + [0.9] * 2
    assert {Mixing(0.1, 0.9, 0, 6).share(step) for step in range(1, 7)} == {0.1}
    assert {Mixing(0.1, 0.9, 6, 6).share(step) for step in range(1, 7)} == {0.9}


def test_the_longer_mixing_lasts_the_less_changes_around_the_part(flow) -> None:
    shares = {"alpha_base": 0.0, "alpha_last": 0.7, "eta": 0.0}
    changes = [_slamp(flow, mix_steps=share, **shares) for share in (0.0, 0.34, 1.0)]
    outside = [float(around.mean()) for _, around in changes]
    assert outside[0] > 2 * outside[1] > 2 * outside[2] * 1.01
    assert min(float(inside.mean()) for inside, _ in changes) > 0.1, "the part itself is never held"
    _, kept = _slamp(flow, mix_steps=1.0, alpha_base=0.0, alpha_last=1.0, eta=0.0)
    assert float(kept.max()) == 0, "all of the original stands around the part in the end"


def test_a_full_pull_to_the_original_brings_it_back(flow) -> None:
    inside, around = _slamp(flow, eta=1.0, eta_share=1.0, mix_steps=0.0, alpha_base=0.0)
    assert float(inside.max()) < 1e-4 and float(around.max()) < 1e-4


def test_inversion_ends_where_it_is_sent_and_keeps_every_step(flow) -> None:
    from recon.diffusion.flow import invert

    latents, noise, times = _random(1, 8, 8, 8), _random(1, 8, 8, 8, seed=1), flow.times(5)
    kept = invert(flow, latents, flow.words(""), noise, times, 1.0)
    assert len(kept) == len(times) == 6 and kept[-1] is latents
    torch.testing.assert_close(kept[0], noise, atol=1e-4, rtol=1e-4)
    for here, time in zip(kept, times, strict=True):
        torch.testing.assert_close(here, (1 - time) * latents + time * noise, atol=1e-4, rtol=1e-4)


def test_ddim_steps_back_undo_steps_forth(ddim) -> None:
    from recon.diffusion.ddim import invert

    latents = _random(1, 4, 8, 8)
    noise = _random(1, 4, 8, 8, seed=1)
    for time in ddim.times:
        torch.testing.assert_close(ddim.back(noise, time, ddim.forth(noise, time, latents)), latents)
    kept = invert(ddim, latents, ddim.words("a cat"))
    assert len(kept) == len(ddim.times) + 1 and kept[-1] is latents
    rule = ddim.rule(ddim.times[0], latents)
    torch.testing.assert_close(rule.prediction(rule.clean(noise)), noise, atol=1e-3, rtol=1e-3)


def test_fitted_words_for_nothing_lead_back_better_than_plain_inversion(ddim) -> None:
    from recon.diffusion.attention_control import PromptToPrompt
    from recon.diffusion.ddim import invert
    from recon.diffusion.null_text import edited, fitted_nothing

    latents, words = (
        ddim.encode(torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))),
        ddim.words("a cat"),
    )
    kept = invert(ddim, latents, words)
    idle = PromptToPrompt(torch.zeros(77, 77), torch.ones(77), 0, 0, 0)
    errors = []
    for steps in (0, 12):
        nothing = fitted_nothing(ddim, kept, words, ddim.words(""), 4.0, steps)
        made = edited(ddim, kept, (words, words), nothing, 4.0, idle, torch.ones(8, 8))
        errors.append(float((made - latents).square().mean()))
    assert errors[1] < 0.8 * errors[0]


def test_with_the_same_words_the_picture_stays_itself_under_prompt_to_prompt(ddim) -> None:
    from recon.diffusion.attention_control import PromptToPrompt, matched_tokens
    from recon.diffusion.ddim import invert
    from recon.diffusion.null_text import edited

    words, other = ddim.words("a cat"), ddim.words("a dog")
    kept = invert(ddim, _random(1, 4, 8, 8), words)
    nothing = [ddim.words("")] * len(ddim.times)
    same = torch.tensor(matched_tokens(range(77), range(77)))
    part = torch.zeros(8, 8)
    part[2:5, 2:5] = 1

    def made(target, steps, where=None):
        control = PromptToPrompt(same, torch.ones(77), steps, steps, 64)
        return edited(
            ddim, kept, (words, target), nothing, 3.0, control, torch.ones(8, 8) if where is None else where
        )

    source = made(words, 0)
    free, held = ((made(other, steps) - source).abs().mean() for steps in (0, 5))
    assert float(held) < float(free)
    around = (made(other, 0, part) - source).abs()[..., part == 0]
    assert float(around.max()) < 1e-4, "outside the part it is the source's"


def test_tokens_find_their_own_in_other_words() -> None:
    from recon.diffusion.attention_control import matched_tokens

    shares = matched_tokens([0, 5, 6, 7, 9, 9], [0, 5, 8, 7, 3, 9])
    assert shares[0, 0] == shares[1, 1] == shares[3, 3] == 1 and shares[2, 2] == 1
    longer = matched_tokens([0, 5, 9], [0, 4, 5, 9])
    np.testing.assert_array_equal(longer[:, 1], 0), "an added word keeps its own map"
    swapped = matched_tokens([0, 1, 2, 9], [0, 3, 9])
    np.testing.assert_allclose(swapped[:, 1], [0, 0.5, 0.5, 0])


def test_words_of_a_prompt_can_count_more(ddim) -> None:
    from recon.diffusion.attention_control import word_weights

    tokenizer = ddim._pipeline.tokenizer
    weights = word_weights("snow:2", "a snow day", tokenizer)
    assert weights.shape == (77,) and set(weights) == {1.0, 2.0} and (weights == 2).sum() == len("snow")
    for wrong in ("rain:2", "snow:much", "snow"):
        with pytest.raises(SettingsError, match="not one of a word"):
            word_weights(wrong, "a snow day", tokenizer)


def test_guide_and_rescale_holds_the_layout(ddim) -> None:
    from recon.diffusion.ddim import invert
    from recon.diffusion.null_text import guided_and_rescaled

    words, other = ddim.words("a cat"), ddim.words("a dog")
    kept = invert(ddim, _random(1, 4, 8, 8), words)
    part = torch.ones(8, 8)
    part[:4] = 0
    made = guided_and_rescaled(ddim, kept, words, other, 4.0, PaintOptions(), part)
    assert torch.equal(made[..., :4, :], kept[-1][..., :4, :]) and torch.isfinite(made).all()
    freer = guided_and_rescaled(ddim, kept, words, other, 4.0, PaintOptions(guide_share=2.0), part)
    assert not torch.equal(made, freer)
