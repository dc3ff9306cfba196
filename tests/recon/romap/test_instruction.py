"""Instructions in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon.errors import InputError
from recon.romap.changes import Adjust, Cover, Delete, Instruction, Move, Recolor, Rotate, Scale
from recon.romap.color_names import color_of, named_colors
from recon.romap.instruction import parse_instruction


def _changes(text: str) -> tuple:
    return parse_instruction(text).changes


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("delete it", Delete()),
        ("Please remove the chair.", Delete()),
        ("twice as big", Scale(2.0)),
        ("make it half as big", Scale(0.5)),
        ("scale by 1.5", Scale(1.5)),
        ("scale to 80%", Scale(0.8)),
        ("shrink it by 30 %", Scale(0.7)),
        ("20% larger", Scale(1.2)),
        ("three times as big", Scale(3.0)),
        ("double its size", Scale(2.0)),
        ("move up 10 cm", Move("up", 10, "cm")),
        ("raise by 5 centimetres", Move("up", 5, "cm")),
        ("shift 0.5 along -z", Move("-z", 0.5, "unit")),
        ("move it to the left by 3 inches", Move("left", 3, "in")),
        ("push it back", Move("back", 0.25, "size")),
        ("rotate 30 degrees", Rotate(30, "up")),
        ("rotate it 45° clockwise around x", Rotate(-45, "x")),
        ("turn 90 degrees", Rotate(90, "up")),
        ("upside down", Rotate(180, "forward")),
        ("make the jacket denim", Cover("denim")),
        ("blue wood", Cover("wood", (0, 0, 1))),
        ("darker", Adjust(brightness=0.7)),
        ("50% transparent", Adjust(opacity=0.5)),
        ("greyscale", Adjust(saturation=0)),
    ],
)  # fmt: skip
def test_a_sentence_means_one_change(text, change) -> None:
    (found,) = _changes(text)
    if isinstance(change, Scale):
        assert isinstance(found, Scale) and found.factor == pytest.approx(change.factor)
    else:
        assert found == change


@pytest.mark.parametrize(
    ("text", "rgb"),
    [
        ("make the sleeves dark red", (139, 0, 0)),
        ("paint it light sky blue", (135, 206, 250)),
        ("turn it red", (255, 0, 0)),
        ("#ff8800", (255, 136, 0)),
        ("recolour to burgundy", (97, 0, 35)),
        ("grey", (128, 128, 128)),
        ("navy", (0, 0, 128)),
    ],
)
def test_a_colour_is_told_by_its_name(text, rgb) -> None:
    (found,) = _changes(text)
    assert isinstance(found, Recolor)
    assert tuple(round(channel * 255) for channel in found.color) == rgb


def test_several_changes_keep_their_order() -> None:
    changes = _changes("make her hair red, 20% larger and move it up 2 cm, then rotate 10 degrees")
    assert [type(change) for change in changes] == [Recolor, Scale, Move, Rotate]


def test_what_the_part_is_called_is_no_unknown_word_but_others_are_named() -> None:
    assert parse_instruction("make the sleeves dark red") == Instruction(
        (Recolor(color_of("dark red"), "dark red"),), (), "sleeves"
    )
    assert parse_instruction("make it red with glitter and sequins").unknown == ("glitter", "sequins")
    assert parse_instruction("make hair blond", "long hair").unknown == ()


def test_a_prompt_that_means_nothing_names_its_words_and_what_could_be_meant() -> None:
    with pytest.raises(InputError, match="croissant"):
        parse_instruction("replace the nose with a croissant")
    with pytest.raises(InputError, match="Did you mean “denim”"):
        parse_instruction("make it denimm")
    with pytest.raises(InputError, match="empty"):
        parse_instruction("  ")
    with pytest.raises(InputError, match="where to move"):
        parse_instruction("move it 10 cm")
    with pytest.raises(InputError, match="times as large"):
        parse_instruction("scale by 0")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_sentence(text) -> None:
    try:
        assert parse_instruction(text).changes
    except InputError as error:
        assert error.sentence and error.advice


@pytest.mark.parametrize("name", sorted(named_colors())[::7])
def test_every_named_colour_can_be_asked_for(name) -> None:
    (found,) = _changes(f"make it {name}")
    assert isinstance(found, (Recolor, Cover))


def test_what_is_not_understood_of_a_long_text_is_told_briefly() -> None:
    for text in ("very " * 1000, " ".join(f"gizmo{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(500))):
        with pytest.raises(InputError) as told:
            parse_instruction(text)
        assert len(told.value.sentence) < 400
        assert "…" in told.value.sentence


@pytest.mark.parametrize("word", ["a" * 5000, "🦄" * 50])
def test_a_word_without_an_end_is_no_more_than_begun(word) -> None:
    with pytest.raises(InputError) as told:
        parse_instruction(word)
    assert f"“{word[:23]}…”" in told.value.sentence
