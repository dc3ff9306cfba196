"""Names of parts, kept in a cloud's comments as lines such as "part 3 torso"."""

from __future__ import annotations

from collections.abc import Sequence

from render.gaussians import GaussianCloud


def comments_with_names(
    comments: Sequence[str], part_ids: Sequence[int], names: Sequence[str]
) -> tuple[str, ...]:
    """The comments with these names of parts in place of older ones; names: of the ids, "" for none."""
    lines = [f"part {number} {name}" for number, name in zip(part_ids, names, strict=False) if name]
    return (*(line for line in comments if not line.startswith("part ")), *lines)


def name_of_part(cloud: GaussianCloud, number: int) -> str:
    """What a part is called; "" where nobody said."""
    lines = (line.split(maxsplit=2) for line in cloud.comments)
    return next((words[2] for words in lines if words[:2] == ["part", str(number)] and len(words) == 3), "")
