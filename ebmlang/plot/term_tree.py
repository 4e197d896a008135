"""The tree of a spec: its parts, their terms, and what these are made of, with what each costs.

The parts are those that the paths name: `sky.left.bond` is a term of `left`, a part of `sky`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ebmlang.analysis.composition import Composition, Joint, Piece
from ebmlang.check.program import Role
from ebmlang.runs.explanation import Explanation, Share


class Rank(Enum):
    """What a node of the tree stands for; the values are words for people."""

    WHOLE = "spec"
    PART = "part"
    REQUIRED = "require"
    SOFT = "term"
    PIECE = "piece"
    OMITTED = "more"


WORDS = {
    Joint.LEAF: "",
    Joint.SUM: "AND",
    Joint.MAX: "AND (max)",
    Joint.NOISY_OR: "OR",
    Joint.MIN: "OR (min)",
    Joint.MIXTURE: "OR by mass",
    Joint.SOFTMIN: "softmin",
}
"""What a joint is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeNode:
    """A part of a spec, a term, or a piece of one.

    Attributes:
        name: What it is called, or its words.
        rank: What it stands for.
        words: Of a term, how it is written, where that is known.
        joint: How what is below it makes it, in words; empty where nothing is.
        energy: Its share of E, or its mean over a run [nats]; None without a point, and for what
            is required, which is in no energy.
        margin: Of constraints [tolerances]; None without a point.
        holds: Of constraints, the share of the points where it holds.
        responsibility: Among its siblings, from 0 to 1.
        share: Of all of E, from 0 to 1.
        parts: What is below it.
    """

    name: str
    rank: Rank
    words: str = ""
    joint: str = ""
    energy: float | None = None
    margin: float | None = None
    holds: float | None = None
    responsibility: float | None = None
    share: float | None = None
    parts: "tuple[TreeNode, ...]" = ()

    def walk(self) -> Iterator["TreeNode"]:
        """Yield this and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def build_tree(name: str, found: Explanation) -> TreeNode:
    """Return the tree of a spec at one point, or on average over a run.

    Args:
        name: Of the spec.
        found: What its terms answer for.
    """
    leaves = [(share.name.split("."), _term_node(share)) for share in found.terms]
    # The sum of the means of the terms is the mean of E, but for how numbers are rounded.
    return replace(_group(name, Rank.WHOLE, leaves, None), energy=found.energy.mean)


def build_bare_tree(name: str, composition: Composition) -> TreeNode:
    """Return the tree of a spec without any point: what it is made of.

    Args:
        name: Of the spec.
        composition: Of its terms.
    """
    leaves = []
    for term in composition.terms:
        rank = Rank.REQUIRED if term.term.role is Role.REQUIRE else Rank.SOFT
        node = _bare_node(term.piece, term.path.rpartition(".")[2], rank)
        leaves.append((term.path.split("."), node))
    return _group(name, Rank.WHOLE, leaves, None)


# --- parts, by the paths of the terms ------------------------------------------------


def _group(
    name: str,
    rank: Rank,
    leaves: Sequence[tuple[Sequence[str], TreeNode]],
    above: float | None,
) -> TreeNode:
    """Return a part with the parts and terms below it, in the order of the spec."""
    groups: dict[str, list[tuple[Sequence[str], TreeNode]]] = {}
    for path, node in leaves:
        groups.setdefault(path[0], []).append((path[1:], node))
    soft = [node for _, node in leaves if node.energy is not None]
    share = sum(node.share or 0.0 for node in soft) if soft else None
    parts = []
    for word, inside in groups.items():
        if len(inside) == 1 and not inside[0][0]:
            (_, node), *_ = inside
            parts.append(replace(node, responsibility=_divide(node.share, share)))
        else:
            parts.append(_group(word, Rank.PART, inside, share))
    return TreeNode(
        name=name,
        rank=rank,
        joint=WORDS[Joint.SUM] if len(parts) > 1 else "",
        energy=sum(node.energy or 0.0 for node in soft) if soft else None,
        responsibility=_divide(share, above),
        share=share,
        parts=tuple(parts),
    )


def _divide(share: float | None, above: float | None) -> float | None:
    if share is None or above is None:
        return None
    return share / above if above > 0 else 0.0


# --- terms and their pieces ----------------------------------------------------------


def _term_node(share: Share) -> TreeNode:
    name = share.name.rpartition(".")[2]
    if share.kind == Role.REQUIRE.value:
        return replace(_without_energy(_share_node(share, Rank.REQUIRED)), name=name)
    return replace(_share_node(share, Rank.SOFT), name=name)


def _without_energy(node: TreeNode) -> TreeNode:
    """Return the node of what is required: it is in no energy, and answers for none of it."""
    parts = tuple(_without_energy(part) for part in node.parts)
    return replace(node, energy=None, share=None, parts=parts)


def _share_node(share: Share, rank: Rank) -> TreeNode:
    parts = [_share_node(part, Rank.PIECE) for part in share.parts]
    hidden = 0 if share.elements is None else share.elements - len(share.parts)
    if hidden and parts:
        parts.append(TreeNode(name=f"{hidden} more elements", rank=Rank.OMITTED))
    return TreeNode(
        name=share.name,
        rank=rank,
        joint=WORDS[Joint(share.joint)],
        energy=share.energy.mean,
        margin=None if share.margin is None else share.margin.mean,
        holds=share.satisfied,
        responsibility=share.responsibility.mean,
        share=share.share,
        parts=tuple(parts),
    )


def _bare_node(piece: Piece, name: str, rank: Rank) -> TreeNode:
    each = "each: " if piece.axes is not None else ""
    return TreeNode(
        name=name,
        rank=rank,
        words="" if rank is Rank.PIECE else piece.text,
        joint=WORDS[piece.joint],
        parts=tuple(_bare_node(part, f"{each}{part.text}", Rank.PIECE) for part in piece.parts),
    )
