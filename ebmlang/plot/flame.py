"""A flame graph: where time went, as nested bars, in an SVG picture or a file for speedscope.

The picture is written by hand, as that of the tree of terms is. In a browser the pointer shows the
full words, the time and the share of a bar.

Sources: Gregg, The Flame Graph (2016), for the picture; speedscope's file format specification,
https://www.speedscope.app/file-format-schema.json, for the file.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

WIDTH = 1200
"""Of the picture [px]."""

ROW = 18
"""Height of a bar [px]."""

HEAD = 28
"""Height of the title [px]."""

LETTER = 6.2
"""Width of a letter of the font [px]."""

NARROWEST = 0.3
"""Bars narrower than this are left out [px]."""

COLORS = ("#f2b366", "#9cc5e8", "#b8d8a8", "#dcb8d8")
"""One for each question at the bottom; black text is legible on all."""

STYLE = (
    "text{font-family:'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:10px;fill:#000}"
    "rect{stroke:#fff;stroke-width:0.5}"
)

Stacks = Mapping[tuple[str, ...], float]
"""Frames from the bottom up, and the time spent there [s]."""


@dataclass(slots=True)
class _Frame:
    """A bar and what stands on it; lives inside one picture."""

    name: str
    seconds: float = 0.0
    above: "dict[str, _Frame]" = field(default_factory=dict)

    def depth(self) -> int:
        return 1 + max((frame.depth() for frame in self.above.values()), default=0)


def _build(name: str, stacks: Stacks) -> _Frame:
    root = _Frame(name)
    for stack, seconds in stacks.items():
        frame = root
        frame.seconds += seconds
        for part in stack:
            frame = frame.above.setdefault(part, _Frame(part))
            frame.seconds += seconds
    return root


def draw_flame(name: str, stacks: Stacks) -> str:
    """Return the picture, as the text of an SVG file.

    Args:
        name: Of what was measured: the bar at the bottom.
        stacks: Where the time went.

    >>> text = draw_flame("spec", {("energy", "a<b"): 1.0, ("energy", "c"): 3.0})
    >>> "a&lt;b" in text, "75.0%" in text
    (True, True)
    """
    root = _build(name, stacks)
    height = HEAD + root.depth() * ROW + ROW
    bars = "\n".join(_draw(root, 0.0, WIDTH, 0, height, root.seconds, "#dddddd"))
    title = escape(f"{name}: {_show(root.seconds)} in all; the width of a bar is its time")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}">\n<style>{STYLE}</style>\n'
        f'<text x="4" y="18">{title}</text>\n{bars}\n</svg>\n'
    )


def _draw(
    frame: _Frame, x: float, width: float, level: int, height: int, whole: float, color: str
) -> Iterator[str]:
    y = height - (level + 2) * ROW
    share = frame.seconds / whole if whole else 0.0
    title = escape(f"{frame.name}: {_show(frame.seconds)}, {share:.1%}")
    fits = int(width / LETTER) - 1
    word = frame.name if len(frame.name) <= fits else frame.name[: max(0, fits - 1)] + "…"
    shown = f'<text x="{x + 3:.1f}" y="{y + 13}">{escape(word)}</text>' if fits >= 3 else ""
    yield (
        f'<g><title>{title}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" '
        f'height="{ROW}" fill="{color}"/>{shown}</g>'
    )
    for place, above in enumerate(frame.above.values()):
        wide = width * above.seconds / frame.seconds if frame.seconds else 0.0
        own = COLORS[place % len(COLORS)] if level == 0 else color
        if wide >= NARROWEST:
            yield from _draw(above, x, wide, level + 1, height, whole, own)
        x += wide


def _show(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"


def write_speedscope(name: str, stacks: Stacks) -> str:
    """Return the file that https://www.speedscope.app opens.

    >>> found = json.loads(write_speedscope("spec", {("energy", "a"): 1.0}))
    >>> found["profiles"][0]["weights"], found["shared"]["frames"][1]["name"]
    ([1.0], 'a')
    """
    frames = list(dict.fromkeys(part for stack in stacks for part in stack))
    places = {frame: place for place, frame in enumerate(frames)}
    return json.dumps(
        {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "name": name,
            "exporter": "ebmlang",
            "activeProfileIndex": 0,
            "shared": {"frames": [{"name": frame} for frame in frames]},
            "profiles": [
                {
                    "type": "sampled",
                    "name": name,
                    "unit": "seconds",
                    "startValue": 0,
                    "endValue": sum(stacks.values()),
                    "samples": [[places[part] for part in stack] for stack in stacks],
                    "weights": list(stacks.values()),
                }
            ],
        }
    )
