"""The words of an instruction, in lower case, and what they mean."""

from __future__ import annotations

from recon.romap.changes import Adjust, Direction
from render.frame import METRES_PER_UNIT

FILLERS = frozenset([
    "a", "an", "the", "it", "its", "it's", "this", "that", "his", "her", "their", "my", "our", "your",
    "please", "can", "could", "you", "would", "make", "made", "turn", "paint", "color", "colour",
    "coloured", "colored", "dye", "recolor", "recolour", "tint", "give", "set", "change", "let", "have",
    "get", "into", "in", "to", "as", "of", "on", "with", "be", "become", "look", "looks", "like", "from",
    "for", "by", "so", "some", "all", "entire", "whole", "part", "region", "area", "piece", "thing",
    "object", "one", "is", "are", "them", "they", "itself", "just", "very", "completely", "fully", "around",
    "about", "texture", "textured", "material", "pattern", "surface", "colour's", "size", "sized", "big",
    "large", "much", "again", "degrees", "degree", "units", "unit", "along", "axis", "direction", "bit",
    "little", "slightly", "an'", "more", "wards", "towards", "toward", "transform", "convert", "replace",
    "cover", "covered", "apply", "use", "using", "style", "times", "than", "now", "how", "many",
])  # fmt: skip
DETERMINERS = frozenset(["the", "his", "her", "its", "their", "my", "our", "this", "that"])
DELETE = frozenset([
    "delete", "remove", "erase", "hide", "cut", "drop", "eliminate", "discard", "clear", "vanish",
    "disappear",
])  # fmt: skip
MOVE = frozenset([
    "move", "shift", "push", "pull", "slide", "raise", "lift", "lower", "drag", "translate", "put",
])  # fmt: skip
ROTATE = frozenset(["rotate", "turn", "spin", "twist", "tilt", "roll"])
SCALE_UP = {
    "bigger": 1.25, "larger": 1.25, "enlarge": 1.25, "grow": 1.25, "double": 2.0, "doubled": 2.0,
    "twice": 2.0, "triple": 3.0, "thrice": 3.0, "huge": 2.0, "giant": 2.5,
}  # fmt: skip
SCALE_DOWN = {"smaller": 0.8, "shrink": 0.8, "half": 0.5, "halve": 0.5, "tiny": 0.4, "quarter": 0.25}
SCALE = frozenset({"scale", "resize", "scaled", *SCALE_UP, *SCALE_DOWN})
ADJUST = {
    "darker": Adjust(brightness=0.7), "darken": Adjust(brightness=0.7), "dim": Adjust(brightness=0.6),
    "brighter": Adjust(brightness=1.3), "brighten": Adjust(brightness=1.3), "lighter": Adjust(brightness=1.3),
    "lighten": Adjust(brightness=1.3), "greyscale": Adjust(saturation=0), "grayscale": Adjust(saturation=0),
    "desaturate": Adjust(saturation=0.4), "desaturated": Adjust(saturation=0.4), "colorless": Adjust(saturation=0),
    "colourless": Adjust(saturation=0), "saturate": Adjust(saturation=1.5), "saturated": Adjust(saturation=1.5),
    "colorful": Adjust(saturation=1.6), "colourful": Adjust(saturation=1.6), "vivid": Adjust(saturation=1.5),
    "contrasty": Adjust(contrast=1.4), "transparent": Adjust(opacity=0.4), "translucent": Adjust(opacity=0.5),
    "invisible": Adjust(opacity=0.0),
}  # fmt: skip
DIRECTIONS: dict[str, Direction] = {
    "up": "up", "upward": "up", "upwards": "up", "higher": "up", "raise": "up", "lift": "up", "down": "down",
    "downward": "down", "downwards": "down", "lower": "down", "left": "left", "right": "right",
    "forward": "forward", "forwards": "forward", "front": "forward", "back": "back", "backward": "back",
    "backwards": "back", "x": "x", "y": "y", "z": "z", "+x": "x", "+y": "y", "+z": "z", "-x": "-x", "-y": "-y",
    "-z": "-z", "vertical": "up", "vertically": "up",
}  # fmt: skip
NUMBERS = {
    "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0,
    "nine": 9.0, "ten": 10.0, "half": 0.5, "ninety": 90.0, "hundred": 100.0,
}  # fmt: skip
UNITS = {
    "m": "m", "meter": "m", "meters": "m", "metre": "m", "metres": "m", "cm": "cm", "centimeter": "cm",
    "centimeters": "cm", "centimetre": "cm", "centimetres": "cm", "mm": "mm", "millimeter": "mm",
    "millimeters": "mm", "millimetre": "mm", "millimetres": "mm", "inch": "in", "inches": "in", "ft": "ft",
    "feet": "ft", "foot": "ft",
}  # fmt: skip
KNOWN = frozenset({*FILLERS, *DELETE, *MOVE, *ROTATE, *SCALE, *ADJUST, *DIRECTIONS, *NUMBERS, *UNITS})
assert set(UNITS.values()) <= set(METRES_PER_UNIT)
