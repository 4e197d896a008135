"""The tree of a spec as an SVG picture: the same text, byte for byte, for the same tree.

It is written by hand rather than by matplotlib, so that it needs nothing, opens in a browser with
all words in full under the pointer, and can be compared as text. All words come from a spec that
a stranger may have written: every one of them is escaped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ebmlang.plot.term_tree import Rank, TreeNode

WIDTH, HEIGHT = 290, 38
"""Of a node [px]."""

GAP_ACROSS, GAP_DOWN = 56, 10
"""Between nodes [px]."""

BORDER = 16
"""Around the picture [px]."""

LEGEND = 44
"""Height of what is said below the tree [px]."""

LONGEST = 45
"""Characters that fit into a node in its font; of a longer text the rest is under the pointer."""

THINNEST, THICKEST = 0.75, 7.0
"""Of lines, for a responsibility of 0 and of 1 [px]."""

EMPTY, FULL = (255, 255, 255), (224, 160, 48)
"""Colors of a share of 0 and of 1: lightness falls with the share, and black text stays legible."""

STYLE = (
    "text{font-family:'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:10px;fill:#000}"
    ".name{font-weight:bold}"
    ".link{fill:none;stroke:#777}"
    ".box{stroke:#333;stroke-width:1}"
    ".required{stroke-width:2.5}"
    ".violated{stroke:#b00;stroke-dasharray:5 2}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A node with its place.

    Attributes:
        node: It.
        x, y: Of its left upper corner [px].
        parts: What is below it.
    """

    node: TreeNode
    x: float
    y: float
    parts: "tuple[Placed, ...]"

    def walk(self) -> Iterator["Placed"]:
        """Yield this and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def draw_tree(tree: TreeNode) -> str:
    """Return the picture of a tree, as the text of an SVG file.

    Args:
        tree: The spec.

    >>> text = draw_tree(TreeNode(name="<b>", rank=Rank.WHOLE))
    >>> "<b>" in text, "&lt;b&gt;" in text
    (False, True)
    """
    placed, rows = _place(tree, 0, 0)
    nodes = list(placed.walk())
    width = max(node.x for node in nodes) + WIDTH + BORDER
    below = BORDER + rows * (HEIGHT + GAP_DOWN)
    height = below + LEGEND
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<title>{_escape(tree.name)}: terms and what they answer for</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
    ]
    # Lines first, so that nodes lie on them.
    lines += [line for node in nodes for line in _draw_links(node)]
    lines += [line for node in nodes for line in _draw_node(node)]
    lines += _draw_legend(tree, below)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _place(tree: TreeNode, depth: int, row: int) -> tuple[Placed, int]:
    """Return a tree with its places, and the first row below it; a parent is beside its middle."""
    parts, following = [], row
    for part in tree.parts:
        placed, following = _place(part, depth + 1, following)
        parts.append(placed)
    y = (parts[0].y + parts[-1].y) / 2 if parts else BORDER + row * (HEIGHT + GAP_DOWN)
    x = BORDER + depth * (WIDTH + GAP_ACROSS)
    return Placed(node=tree, x=x, y=y, parts=tuple(parts)), max(following, row + 1)


def _draw_links(placed: Placed) -> Iterator[str]:
    left, top = placed.x + WIDTH, placed.y + HEIGHT / 2
    middle = left + GAP_ACROSS / 2
    for part in placed.parts:
        right, down = part.x, part.y + HEIGHT / 2
        width = THINNEST + (THICKEST - THINNEST) * _unit(part.node.responsibility)
        curve = f"M{left:g} {top:g}C{middle:g} {top:g} {middle:g} {down:g} {right:g} {down:g}"
        yield f'<path class="link" stroke-width="{width:.2f}" d="{curve}"/>'


def _draw_node(placed: Placed) -> Iterator[str]:
    node, x, y = placed.node, placed.x, placed.y
    classes = ["box"]
    if node.rank is Rank.REQUIRED:
        classes.append("required")
    if node.holds is not None and node.holds < 1:
        classes.append("violated")
    corner = 4 if node.rank is Rank.PIECE else 0
    yield f"<g><title>{_escape(_describe(node))}</title>"
    yield (
        f'<rect class={quoteattr(" ".join(classes))} x="{x:g}" y="{y:g}" width="{WIDTH}" '
        f'height="{HEIGHT}" rx="{corner}" fill="{_color(node.share)}"/>'
    )
    name = ' class="name"' if node.rank not in (Rank.PIECE, Rank.OMITTED) else ""
    yield f'<text{name} x="{x + 7:g}" y="{y + 15:g}">{_escape(_shorten(node.name))}</text>'
    yield f'<text x="{x + 7:g}" y="{y + 30:g}">{_escape(_shorten(_say_numbers(node)))}</text></g>'


def _say_numbers(node: TreeNode) -> str:
    """Return what a node says of itself below its name."""
    words = [node.joint]
    if node.rank is Rank.REQUIRED:
        words.append("required")
    if node.energy is not None:
        words.append(f"E {_show(node.energy)}")
    if node.margin is not None:
        words.append(f"margin {_show(node.margin)}")
    if node.holds is not None and node.holds < 1:
        words.append("violated" if node.holds == 0 else f"holds {node.holds:.0%}")
    said = [word for word in words if word]
    # The parts of a term say how it is written; without any, it does so itself.
    return " · ".join(said if node.parts or not node.words else [*said, node.words])


def _describe(node: TreeNode) -> str:
    """Return all that is known of a node, for whoever points at it."""
    lines = [f"{node.rank.value}: {node.name}", _say_numbers(node)]
    if node.responsibility is not None:
        lines.append(f"answers for {node.responsibility:.1%} of what it is a part of")
    if node.share is not None:
        lines.append(f"and for {node.share:.1%} of E")
    return "\n".join(line for line in lines if line)


def _draw_legend(tree: TreeNode, below: float) -> Iterator[str]:
    y = below + 12
    words = "thick border: required"
    if any(node.energy is not None or node.margin is not None for node in tree.walk()):
        words = (
            "E: energy [nats]; margin [tolerances]; "
            "fill: share of E; line: responsibility among siblings"
        )
        yield (
            f'<text x="{BORDER}" y="{y + 16:g}">thick border: required; '
            "dashed border: violated</text>"
        )
    yield f'<text x="{BORDER}" y="{y:g}">{words}</text>'


def _show(value: float) -> str:
    return f"{value + 0.0:.4g}"


def _unit(value: float | None) -> float:
    """Return a number between 0 and 1, and 0 for none."""
    return min(1.0, max(0.0, value)) if value is not None and value == value else 0.0


def _color(share: float | None) -> str:
    amount = _unit(share)
    mixed = (round(a + (b - a) * amount) for a, b in zip(EMPTY, FULL, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _escape(text: str) -> str:
    """Return text as XML takes it: no markup of its own, and no character that XML has not."""
    known = (letter if letter.isprintable() or letter == "\n" else " " for letter in text)
    return escape("".join(known))
