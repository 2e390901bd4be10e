#!/usr/bin/env python3
"""Checks that people who see red or green less than others can tell the colours of the states apart.

Each two colours, and each colour and the background of Grafana's themes, must differ by a Delta E (CIE 1976) of at least 20 in
normal sight, in protanopia and in deuteranopia, as Machado, Oliveira and Fernandes (2009) simulate them. A colour by name, which Grafana
draws as its theme likes, cannot be computed and is a failure.
"""

import itertools
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAST = 20
# What stands for nothing: the text of the theme, and a grey through which one sees the background.
NEUTRAL = re.compile(r"text|rgba\(142, 142, 142, 0\.1[05]\)")
BACKGROUNDS = {"dark theme": "#181B1F", "light theme": "#FFFFFF"}

SIGHT = {
    "normal sight": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}
XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
WHITE = (0.95047, 1.0, 1.08883)


def times(matrix, vector):
    return tuple(sum(a * b for a, b in zip(row, vector)) for row in matrix)


def linear(colour):
    """The linear light of an sRGB colour, as in `#FA4942`."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return tuple(one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)


def lab(light):
    x, y, z = (part / white for part, white in zip(times(XYZ, light), WHITE))
    x, y, z = (part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116 for part in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(one, other, sight):
    seen = (tuple(min(max(part, 0), 1) for part in times(SIGHT[sight], linear(colour))) for colour in (one, other))
    return sum((a - b) ** 2 for a, b in zip(*(lab(light) for light in seen))) ** 0.5


def colours(value):
    """Every colour that stands for a value or a series, with the text for it."""
    if isinstance(value, dict):
        if isinstance(value.get("color"), str):
            yield value["color"], value.get("text", "threshold")
        if value.get("mode") in ("fixed", "shades") and "fixedColor" in value:
            yield value["fixedColor"], "series"
        for one in value.values():
            yield from colours(one)
    elif isinstance(value, list):
        for one in value:
            yield from colours(one)


def main():
    names, nameless = {}, set()
    for path in sorted((ROOT / "dashboards").glob("*.json")):
        for colour, text in colours(json.loads(path.read_text())["panels"]):
            if re.fullmatch("#[0-9A-F]{6}", colour):
                names.setdefault(colour, set()).add(text)
            elif not NEUTRAL.fullmatch(colour):
                nameless.add(f"{path.name}: {colour} for {text} is no colour that can be computed")
    named = {colour: "/".join(sorted(texts)) for colour, texts in names.items()} | {value: name for name, value in BACKGROUNDS.items()}
    found = [
        (difference(one, other, sight), f"{named[one]} {one} and {named[other]} {other} in {sight}")
        for one, other in itertools.combinations(named, 2)
        for sight in SIGHT
    ]
    least, which = min(found)
    print(f"{len(named)} colours, at least Delta E {least:.1f} apart: {which}")
    for value, pair in sorted(found):
        if value < LEAST:
            print(f"{pair} differ by Delta E {value:.1f} only", file=sys.stderr)
    for mistake in sorted(nameless):
        print(mistake, file=sys.stderr)
    sys.exit(1 if least < LEAST or nameless else 0)


main()
