# SPDX-License-Identifier: MIT
"""Plots as SVG, by hand: bars side by side, and lines over a logarithmic axis.

Rule: a plot follows from its numbers alone; the same numbers give the same bytes."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 56, 56
COLORS = ("#2f6f9f", "#d08a2e", "#5a9a5a", "#9a5a8a", "#777777")
FONT = 'font-family="sans-serif" font-size="12" fill="#222222"'


def nice_ceiling(value):
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    if value <= 0:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * 0.999999)


def _short(value):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _text(x, y, text, anchor="middle", more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {FONT}{more}>{escape(text)}'
            '</text>')


def _line(x1, y1, x2, y2, color="#dddddd", width=1):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{color}" stroke-width="{width}"/>')


class Frame:
    """Title, legend and vertical axis; the plots add what is inside."""

    def __init__(self, title, unit, highest, names):
        self.top = nice_ceiling(highest)
        self.parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
                      _text(LEFT, 20, title, "start", ' font-weight="bold"')]
        x = LEFT
        for name, color in zip(names, COLORS):
            self.parts.append(f'<rect x="{x}" y="30" width="10" height="10" fill="{color}"/>')
            self.parts.append(_text(x + 15, 39, name, "start"))
            x += 30 + 7 * len(name)
        for part in range(5):
            value = self.top * part / 4
            y = self.y(value)
            self.parts.append(_line(LEFT, y, WIDTH - RIGHT, y))
            self.parts.append(_text(LEFT - 6, y + 4, _short(value), "end"))
        self.parts.append(_text(LEFT - 6, TOP - 8, unit, "end" if len(unit) < 8 else "start"))

    def y(self, value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top

    def finish(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                f'width="{WIDTH}" height="{HEIGHT}">\n' + "\n".join(self.parts) + "\n</svg>\n")


def bars(title, unit, groups, names):
    """`groups`: (label, values), a value for each of `names`, or None. A Spread shows its whole
    interval."""
    values = [value for _label, group in groups for value in group if value]
    frame = Frame(title, unit, max((v.high for v in values), default=1), names)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(groups))
    width = min(60, room * 0.8 / len(names))
    for g, (label, group) in enumerate(groups):
        middle = LEFT + room * (g + 0.5)
        for i, (value, color) in enumerate(zip(group, COLORS)):
            if not value:
                continue
            x = middle + (i - len(names) / 2) * width
            y = frame.y(value.median)
            center = x + width / 2
            frame.parts.append(f'<rect x="{x + 1:.1f}" y="{y:.1f}" width="{width - 2:.1f}" '
                               f'height="{HEIGHT - BOTTOM - y:.1f}" fill="{color}"/>')
            if value.count > 1:
                frame.parts.append(_line(center, frame.y(value.low), center, frame.y(value.high),
                                         "#222222"))
            frame.parts.append(_text(center, frame.y(value.high) - 4, _rounded(value.median)))
        frame.parts.append(_text(middle, HEIGHT - BOTTOM + 18, label))
    return frame.finish()


def _rounded(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def stacks(title, unit, groups, names):
    """Bars of parts on top of each other; `groups`: (label, numbers)."""
    frame = Frame(title, unit, max((sum(group) for _l, group in groups), default=1), names)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(groups))
    width = min(70, room * 0.6)
    for g, (label, group) in enumerate(groups):
        middle = LEFT + room * (g + 0.5)
        below = 0
        for value, color in zip(group, COLORS):
            y = frame.y(below + value)
            frame.parts.append(f'<rect x="{middle - width / 2:.1f}" y="{y:.1f}" '
                               f'width="{width:.1f}" height="{frame.y(below) - y:.1f}" '
                               f'fill="{color}"/>')
            below += value
        frame.parts.append(_text(middle, frame.y(below) - 4, _rounded(below)))
        frame.parts.append(_text(middle, HEIGHT - BOTTOM + 18, label))
    return frame.finish()


def curve(title, unit, axis, points):
    """`points`: (x, Spread); the horizontal axis is logarithmic, and 0 stands at its start."""
    frame = Frame(title, unit, max((s.high for _x, s in points), default=1), ())
    places = _places([x for x, _s in points])
    previous = None
    for (x, spread), place in zip(points, places):
        y = frame.y(spread.median)
        if previous:
            frame.parts.append(_line(*previous, place, y, COLORS[0], 2))
        if spread.count > 1:
            frame.parts.append(_line(place, frame.y(spread.low), place, frame.y(spread.high),
                                     "#222222"))
        frame.parts.append(f'<circle cx="{place:.1f}" cy="{y:.1f}" r="4" fill="{COLORS[0]}"/>')
        frame.parts.append(_text(place, frame.y(spread.high) - 8, _rounded(spread.median)))
        frame.parts.append(_text(place, HEIGHT - BOTTOM + 18, _short(x)))
        previous = (place, y)
    frame.parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, axis))
    return frame.finish()


def _places(xs):
    """From left to right by the logarithm; what has none, 0, stands a decade before the first."""
    positive = [x for x in xs if x > 0]
    logs = [math.log10(x) if x > 0 else math.log10(min(positive, default=1)) - 1 for x in xs]
    low, high = min(logs), max(logs)
    inner = WIDTH - LEFT - RIGHT - 80
    return [LEFT + 40 + (inner * (log - low) / (high - low) if high > low else inner / 2)
            for log in logs]
