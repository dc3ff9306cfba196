"""Parts of `render.view_network`: what it sees of a block of pixels, and the colours that come of it.

Numbers of a block lie as (channel, source, pixel), so that every loop's innermost one runs along pixels.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from render.compiled import compiled
from render.view_candidate_kernels import TOLERANCE
from render.view_network_layout import FAINT, SPARED, SPARED_FROM, TINY, VISIBLE
from render.view_sources import NUM_SOURCES

BLOCK = 16  # pixels
MEDIANS = 16  # columns that are sorted together: four colours, and four to spare
UNUSED = 1e9  # sorts behind all colours
NUM_TOLD = 6  # numbers about a pixel: those of `DISCORD` and so on
DISCORD, STRONGEST, SPREAD, SIZE, REST, AROUND = range(NUM_TOLD)


@compiled
def look(disagreement, is_inside, seen, shares):
    """How well sources see a pixel: seen (S,) within 0 and 1, shares (S,) that sum to 1."""
    total = np.float32(0)
    for s in range(len(seen)):
        off = disagreement[s] * np.float32(1 / TOLERANCE)
        agrees = np.exp(np.float32(-0.5) * min(off * off, np.float32(30)))
        seen[s] = agrees if is_inside[s] else np.float32(0)
        total += seen[s] + np.float32(1e-3)
    for s in range(len(seen)):
        shares[s] = (seen[s] + np.float32(1e-3)) / total


@compiled
def _sort(values):
    """Each column of (S, MEDIANS) in order, by exchanging neighbours."""
    count = len(values)
    for turn in range(count):
        for s in range(turn % 2, count - 1, 2):
            low, high = values[s], values[s + 1]
            for k in range(MEDIANS):
                a, b = low[k], high[k]
                low[k] = min(a, b)
                high[k] = max(a, b)


@compiled
def edits_of(p, coarse_colors, coarse_originals, wide_colors, wide_originals, edits):
    """Blurred colours of pixel p less blurred originals into edits (S, 6): coarse, wide."""
    for s in range(len(edits)):
        for c in range(3):
            edits[s, c] = coarse_colors[p, s, c] - coarse_originals[p, s, c]
            edits[s, 3 + c] = wide_colors[p, s, c] - wide_originals[p, s, c]


@compiled
def medians(p, colors, originals, edits, seen, values, middle):
    """Middle (MEDIANS,) of the sources that are seen: colour, original, coarse and wide edit. values: (S, MEDIANS), to
    work in."""
    count = len(values)
    num_used = 0
    for s in range(count):
        num_used += seen[s] > np.float32(VISIBLE)
    is_any = num_used > 0
    for s in range(count):
        row = values[s]
        if is_any and seen[s] <= np.float32(VISIBLE):
            row[:] = np.float32(UNUSED)
            continue
        for c in range(3):
            row[c] = colors[p, s, c]
            row[3 + c] = originals[p, s, c]
        for c in range(6):
            row[6 + c] = edits[s, c]
    _sort(values)
    if not is_any:
        num_used = count
    low, high = values[(num_used - 1) // 2], values[num_used // 2]
    for k in range(MEDIANS):
        middle[k] = np.float32(0.5) * (low[k] + high[k])


@compiled
def _limited(x):
    return min(max(x, np.float32(-2)), np.float32(2))


@compiled
def _strength(edits, first, middle, result):
    """Strength of a source's edit, channels first … first + 2 of edits (6,), along the common one, and what else it
    is, into result (2,)."""
    along, size = np.float32(FAINT), np.float32(FAINT)
    for c in range(3):
        common = middle[6 + first + c]
        along += edits[first + c] * common
        size += common * common
    strength = along / size
    rest = np.float32(0)
    for c in range(3):
        rest += abs(edits[first + c] - strength * middle[6 + first + c])
    result[0], result[1] = strength, rest


@compiled
def weigh_edits(edits, seen, shares, middle, calm, strengths, told):
    """Strengths (S, 4): of the coarse edit and what else it is, of the wide one; told: (NUM_TOLD,) of the pixel."""
    count = len(edits)
    zero = np.float32(0)
    amount, around, mean, rest, is_any = zero, zero, zero, zero, False
    for s in range(count):
        _strength(edits[s], 0, middle, strengths[s, :2])
        _strength(edits[s], 3, middle, strengths[s, 2:])
        off = zero
        for c in range(6):
            off += abs(edits[s, c] - middle[6 + c])
        amount += shares[s] * off
        around += seen[s]
        mean += shares[s] * strengths[s, 2]
        rest += shares[s] * strengths[s, 3]
        is_any = is_any or seen[s] > np.float32(VISIBLE)
    strongest, variance = np.float32(-1e30), zero
    for s in range(count):
        variance += shares[s] * (strengths[s, 2] - mean) * (strengths[s, 2] - mean)
        if seen[s] > np.float32(VISIBLE) or not is_any:
            strongest = max(strongest, strengths[s, 2])
    amount *= np.float32(1 / 6)
    amount *= amount
    told[DISCORD] = amount / (amount + np.float32(calm) * np.float32(calm) + np.float32(TINY))
    told[STRONGEST] = _limited(strongest - np.float32(1))
    told[SPREAD] = min(np.sqrt(variance), np.float32(2))
    told[SIZE] = abs(middle[9]) + abs(middle[10]) + abs(middle[11])
    told[REST] = rest
    told[AROUND] = around / np.float32(count)


@compiled
def describe(
    p, k, colors, originals, coarse_originals, angle, scale, prior, seen, edits, middle, strengths, told, x
):  # fmt: skip
    """What the network sees of each source of pixel p into x (NUM_FEATURES, S · BLOCK), column k of each block."""
    third, three, one = np.float32(1 / 3), np.float32(3), np.float32(1)
    most = prior[p, 0]
    for s in range(1, prior.shape[1]):
        most = max(most, prior[p, s])
    size = abs(middle[6]) + abs(middle[7]) + abs(middle[8])
    for s in range(prior.shape[1]):
        at = s * BLOCK + k
        coarse, wide, before, own, detail = (
            np.float32(0),
            np.float32(0),
            np.float32(0),
            np.float32(0),
            np.float32(0),
        )
        for c in range(3):
            color, original = colors[p, s, c], originals[p, s, c]
            off = three * (color - middle[c])
            before_off = three * (original - middle[3 + c])
            coarse_off = three * (edits[s, c] - middle[6 + c])
            wide_off = three * (edits[s, 3 + c] - middle[9 + c])
            x[c, at] = color
            x[3 + c, at] = off
            x[6 + c, at] = abs(off)
            x[9 + c, at] = before_off
            x[12 + c, at] = coarse_off
            x[15 + c, at] = wide_off
            before += abs(before_off)
            coarse += abs(coarse_off)
            wide += abs(wide_off)
            own += abs(color - original - middle[6 + c])
            detail += abs(coarse_originals[p, s, c] - original)
        x[18, at] = three * min(angle[p, s], one)
        x[19, at] = seen[s]
        x[20, at] = np.float32(0.5) * _limited(scale[p, s])
        x[21, at] = np.float32(0.25) * max(prior[p, s] - most, np.float32(-8))
        x[22, at] = coarse * third
        x[23, at] = wide * third
        x[24, at] = before * third
        x[25, at] = _limited(strengths[s, 0] - one)
        x[26, at] = strengths[s, 1]
        x[27, at] = _limited(strengths[s, 2] - one)
        x[28, at] = strengths[s, 3]
        x[29, at] = own
        x[30, at] = detail
        x[31, at] = size
        x[32, at] = told[SIZE]
        x[33, at] = told[AROUND]
        x[34, at] = told[STRONGEST]
        x[35, at] = told[DISCORD]


@compiled
def _bounded(x, most):
    """Between -most and most, with slope 1 at 0."""
    return x / (np.float32(1) + abs(x) / most)


@compiled
def _common(edits, heads, shares, k, common):
    """The edit (6,) that the sources vote for."""
    count = len(edits)
    most, total = np.float32(-1e30), np.float32(0)
    for s in range(count):
        most = max(most, heads[3, s * BLOCK + k])
    common[:] = np.float32(0)
    for s in range(count):
        vote = shares[s] * np.exp(heads[3, s * BLOCK + k] - most)
        total += vote
        for c in range(6):
            common[c] += vote * edits[s, c]
    total = np.float32(1) / total
    for c in range(6):
        common[c] *= total


@compiled
def _reached(color, before, middle, middle_before, share, reach):
    """A channel toward the median, then farther from what it was before the edit."""
    color += share * (middle - color)
    before += share * (middle_before - before)
    return min(max(color + reach * (color - before), np.float32(0)), np.float32(1))


@compiled
def _log_weight(prior, s, shift, slope, discord, spared):
    """Of source s, of which those beyond the rule's are spared."""
    return prior * slope + discord * shift - (spared if s >= NUM_SOURCES else np.float32(0))


@compiled
def mix(
    p, k, colors, originals, prior, edits, shares, middle, discord, temperature, heads, whole, common, out
):
    """Colour of pixel p: sources by their shifted weights, each drawn to the common tone, then to the median, then
    farther from the original. heads: (NUM_HEADS, S · BLOCK), whole: (2, BLOCK), before their bounds. common: (12,), to
    work in."""
    one, two = np.float32(1), np.float32(2)
    slope = one + discord * (temperature - one)
    spared = np.float32(SPARED) * max(one - discord / np.float32(SPARED_FROM), np.float32(0))
    most = np.float32(-1e30)
    for s in range(prior.shape[1]):
        most = max(most, _log_weight(prior[p, s], s, heads[0, s * BLOCK + k], slope, discord, spared))
    _common(edits, heads, shares, k, common)
    total, blend, before = np.float32(0), common[6:9], common[9:12]
    blend[:] = np.float32(0)
    before[:] = np.float32(0)
    for s in range(prior.shape[1]):
        at = s * BLOCK + k
        weight = np.exp(_log_weight(prior[p, s], s, heads[0, at], slope, discord, spared) - most)
        wide_gate, coarse_gate = discord * _bounded(heads[1, at], two), discord * _bounded(heads[2, at], two)
        total += weight
        for c in range(3):
            coarse, wide = common[c] - edits[s, c], common[3 + c] - edits[s, 3 + c]
            blend[c] += weight * (colors[p, s, c] + wide_gate * wide + coarse_gate * (coarse - wide))
            before[c] += weight * originals[p, s, c]
    share, reach = discord * _bounded(whole[0, k], one), discord * _bounded(whole[1, k], one)
    over = one / total
    for c in range(3):
        out[p, c] = _reached(blend[c] * over, before[c] * over, middle[c], middle[3 + c], share, reach)
