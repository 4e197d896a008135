"""Particles judged by more than their values: do the islands agree on how much there is?"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from ebmlang.runs.concerns import Concern, Sign

if TYPE_CHECKING:
    from ebmlang.sample import Draws

DOUBTS = "doubts"
"""What speaks against the log partition function, among what a sampler says of itself."""


def judge_islands(found: "Draws") -> Iterator[Concern]:
    """Yield what speaks against particles, beyond what their values say."""
    for doubt in cast(Sequence[str], found.adaptation[DOUBTS]):
        yield Concern(
            sign=Sign.PARTITION,
            reason=f"the particles may have missed a part: {doubt}",
            advice="take more particles, `--draws`, or give the unknowns bounds and scales near 1",
        )
