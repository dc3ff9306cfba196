"""What prompts for a whole scene mean: a table, and that nothing that is typed breaks it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.dn2n.editors import parse_prompt
from recon.dn2n.editors.materials import LOOKS
from recon.dn2n.editors.operations import EFFECTS
from recon.dn2n.editors.prompt_words import PHRASES
from recon.errors import InputError

UNDERSTOOD = [
    ("make it autumn", "autumn", "", ""),
    ("a night scene", "night", "", ""),
    ("A NIGHT SCENE!", "night", "", ""),
    ("at night", "night", "", ""),
    ("an oil painting", "oil", "", ""),
    ("van gogh style", "oil", "", ""),
    ("the fox is bronze", "bronze", "fox", ""),
    ("bronze fox", "bronze", "fox", ""),
    ("a bronze fox", "bronze", "fox", ""),
    ("turn the fox into a bronze statue", "bronze", "fox", ""),
    ("turn the fox into a statue", "stone", "fox", ""),
    ("turn the horse to gold", "gold", "horse", ""),
    ("make the stone horse golden", "gold", "stone horse", ""),
    ("make the fox's ears red", "tint", "fox's ears", ""),
    ("add dense fog and a little snow", "fog snow", "", ""),
    ("make the wall blue", "tint", "wall", ""),
    ("blue the wall", "tint", "wall", ""),
    ("the walls painted blue", "tint", "walls", ""),
    ("make the red chair blue", "tint", "red chair", ""),
    ("make the wall #ff8800", "tint", "wall", ""),
    ("the wall and the floor are blue", "tint", "wall floor", ""),
    ("make the fox bronze and the wall dark red", "bronze tint", "fox wall", ""),
    ("warmer", "warm", "", ""),
    ("make it much brighter and a little warmer", "bright warm", "", ""),
    ("in the style of a pencil sketch", "pencil", "", ""),
    ("as a water-colour", "watercolour", "", ""),
    ("sunset, slightly foggy", "sunset fog", "", ""),
    ("slightly foggy sunset", "fog sunset", "", ""),
    ("as a wooden sculpture at sunset", "wood sunset", "", ""),
    ("remove the colours", "mono", "", ""),
    ("no colour", "mono", "", ""),
    ("black and white", "mono", "", ""),
    ("B&W", "mono", "", ""),
    ("b/w", "mono", "", ""),
    ("a bit darker but not blue", "dark", "", ""),
    ("not too dark", "dark", "", ""),
    ("make it 30% darker", "dark", "", ""),
    ("less colourful", "faded", "", ""),
    ("less fog", "clear", "", ""),
    ("remove the fog", "clear", "", ""),
    ("more light", "bright", "", ""),
    ("less light", "dark", "", ""),
    ("lit by red light", "colored light", "", ""),
    ("light snow on the roof", "snow", "roof", ""),
    ("fog 50 %", "fog", "", ""),
    ("winter", "winter snow", "", ""),
    ("winter without snow", "winter", "", ""),
    ("foggy, no snow", "fog", "", ""),
    ("without fog, sunny", "sunny", "", ""),
    ("a snowy forest", "snow", "", ""),
    ("what if it had just snowed?", "snow", "", ""),
    ("it's raining", "rain", "", ""),
    ("a thunderstorm", "overcast rain", "", ""),
    ("turn day into night", "night", "", ""),
    ("the fox at night", "night", "", ""),
    ("a wooden horse in the snow", "wood snow", "horse", ""),
    ("an oil painting of a bronze fox", "oil bronze", "fox", ""),
    ("make everything look frozen", "ice", "", ""),
    ("green marble", "marble", "", ""),
    ("invert the colors", "negative", "", ""),
    ("golden hour", "sunset", "", ""),
    ("pop art", "poster", "", ""),
    ("covered in snow", "snow", "", ""),
    ("underwater", "underwater", "", ""),
    ("a dusty old photo", "dust sepia", "", ""),
    ("make it sunset blorf", "sunset", "", "blorf"),
    ("make it sunset with dragons", "sunset", "", "dragons"),
    ("blau and snow", "snow", "", "blau"),
    ("snow 日本", "snow", "", "日本"),
    ("make it warm 🦊", "warm", "", "🦊"),
    ("a vintage photo", "sepia faded", "", ""),
    ("could you please make it look like a comic book", "cartoon", "", ""),
    ("mosaic", "mosaic", "", ""),
    ("pointillism by Seurat", "pointillism", "", ""),
    ("change the color of the sofa from red to green", "tint", "sofa", ""),
    ("from summer to winter", "winter snow", "", ""),
    ("replace stone with wood", "wood", "stone", ""),
    ("turn night into day", "sunny", "", ""),
    ("turn the wall into a brick wall", "brick", "wall", ""),
    ("like a comic book page", "cartoon", "", ""),
    ("as a 3D cartoon", "cartoon", "", "3d"),
    ("water colour painting", "watercolour", "", ""),
    ("a jade horse on a wooden floor", "jade wood", "horse floor", ""),
    ("fox: gold; wall: silver", "gold silver", "fox wall", ""),
    ("give the room blue walls and a wooden floor", "tint wood", "walls floor", ""),
    ("darken the background", "dark", "background", ""),
    ("wet floor", "rain", "floor", ""),
    ("white fur", "tint", "fur", ""),
    ("make the statue look like it's made of marble", "marble", "statue", ""),
    ("turn the brightness down", "dark", "", ""),
    ("half as bright", "dark", "", ""),
    ("turn off the lights", "night", "", ""),
    ("no fog", "clear", "", ""),
    ("-20% brightness", "dark", "", ""),
    ("a bluish tint", "tinge", "", ""),
    ("remove the yellow tint", "tinge", "", ""),
    ("golden autumn", "warm autumn", "", ""),
    ("metallic blue car", "steel", "car", ""),
    ("dust it with snow", "snow", "", ""),
    ("turn teh fox into bronze", "bronze", "fox", ""),
    ("1. autumn 2. fog", "autumn fog", "", ""),
    ("a summer's day", "summer", "", ""),
    ("make it ❄️", "snow", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "effects", "targets", "unknown"), UNDERSTOOD, ids=[row[0] for row in UNDERSTOOD]
)
def test_a_prompt_means_what_it_says(text: str, effects: str, targets: str, unknown: str) -> None:
    prompt = parse_prompt(text)
    names = [operation.name for operation in prompt.operations]
    assert " ".join(names) == effects
    assert " ".join(prompt.targets) == targets
    assert " ".join(prompt.unknown) == unknown


@pytest.mark.parametrize(
    ("text", "sentence", "advice"),
    [
        ("", "is empty", "make it autumn"),
        ("  \n ", "is empty", "make it autumn"),
        ("asdf qwer", "“asdf”, “qwer”", "autumn"),
        ("autum", "“autum”", "Did you mean “autumn”?"),
        ("make the wall bleu", "“wall”, “bleu”", "Did you mean “blue”?"),
        ("wihte", "“wihte”", "Did you mean “white”?"),
        ("give him a cowboy hat", "“cowboy hat” needs a generative model", "another editor"),
        ("give the fox a golden hat", "“hat” needs a generative model", "another editor"),
        ("put sunglasses on the fox", "“sunglasses” needs a generative model", "another editor"),
        ("remove the fox", "“fox” needs a generative model", "another editor"),
        ("turn it into a wolf", "“wolf” needs a generative model", "another editor"),
        ("replace the fox with a dog", "“fox” and “dog” needs a generative model", "another editor"),
        ("don't make it blue", "what not to do", "autumn"),
        ("日本語", "Nothing in the prompt is understood", "read in English"),
        ("mach es Herbst", "“mach”, “es”, “herbst”", "read in English"),
        ("make the horse a zebra", "“zebra” needs a generative model", "another editor"),
        ("anything but blue", "what not to do", "autumn"),
        ("a " * 2500, "4,999 characters", "sentence"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_a_reason_and_advice(
    text: str, sentence: str, advice: str
) -> None:
    with pytest.raises(InputError) as refusal:
        parse_prompt(text)
    assert sentence in refusal.value.sentence
    assert advice in refusal.value.advice


def test_degrees_are_heard() -> None:
    def amount(text: str) -> float:
        return parse_prompt(text).operations[0].amount

    assert amount("slightly foggy") == amount("a bit foggy") == amount("foggy, slightly") == 0.5
    assert amount("dense fog") == 1.5 > amount("fog") == 1 > amount("fog 30 %") == 0.3
    assert amount("extremely very dense fog") == 2


def test_what_is_to_be_left_alone_is_said() -> None:
    prompt = parse_prompt("a bit darker but not blue")
    assert prompt.excluded == ("blue",)
    assert prompt.plan.notes == ("Left alone, as asked: blue.",)


@pytest.mark.parametrize(
    ("text", "effects"),
    [
        ("everything but the fox should be black and white", "mono"),
        ("remove the colour from everything except the fox", "mono"),
        ("make everything blue but the fox", "tint"),
        ("don't change the fox, make it night", "night"),
        ("leave the fox as it is and make the floor white", "tint"),
    ],
)  # fmt: skip
def test_what_is_spared_is_no_target(text: str, effects: str) -> None:
    prompt = parse_prompt(text)
    assert " ".join(operation.name for operation in prompt.operations) == effects
    assert prompt.spared == ("fox",) and "fox" not in prompt.targets and not prompt.unknown
    assert all("fox" not in operation.target for operation in prompt.operations)


def test_a_chip_says_how_much_of_what_where() -> None:
    assert parse_prompt("make the wall slightly dark red").plan.operations == (
        "dark red (slight) on the wall",
    )
    assert parse_prompt("dense fog, green marble").plan.operations == ("fog (strong)", "green marble")


def test_every_phrase_stands_for_effects_that_exist() -> None:
    assert {name for meaning in PHRASES.values() for name, _ in meaning} <= set(EFFECTS)
    assert {name for name, effect in EFFECTS.items() if effect.kind == "material"} == set(LOOKS)
    for phrase in PHRASES:
        assert parse_prompt(phrase).operations, phrase


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=120),
        st.lists(
            st.sampled_from(
                ["make", "the", "a", "wall", "fox", "is", "not", "no", "but", "and", "with", "into", "turn", "add", "remove", "give", "blue", "gold", "light", "slightly", "very", "less", "more", "snow", "fog", "night", "of", "on", "colours", ",", ".", "#ff0", "50%", "without", "replace", "statue", "zork", "like", "to", "be", "oil", "painting"]
            ),
            max_size=14,
        ).map(" ".join),
    )
)  # fmt: skip
def test_nothing_that_is_typed_breaks_the_reading(text: str) -> None:
    try:
        prompt = parse_prompt(text)
    except InputError as refusal:
        assert refusal.sentence and refusal.advice
    else:
        assert prompt.operations and all(0 <= each.amount <= 2 for each in prompt.operations)
        assert parse_prompt(text) == prompt


def test_reading_a_prompt_loads_no_heavy_package_and_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "import sys; from recon.dn2n.editors import parse_prompt;"
        "print(parse_prompt('a foggy blorf night with zork, the wall and floor dark red but not blue').plan);"
        "print([name for name in ('torch', 'cv2', 'numba', 'scipy') if name in sys.modules])"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed, "PATH": ""}
        ).stdout
        for seed in ("1", "77")
    ]  # fmt: skip
    assert answers[0] == answers[1]
    assert answers[0].endswith("[]\n")
