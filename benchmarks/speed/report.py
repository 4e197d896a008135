"""What was measured, as Markdown and as JSON."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.rounds import Timing

OURS = "ebmlang"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One race: a measure on a target at a size."""

    measure: str
    target: str
    size: int
    timings: tuple[Timing, ...]

    def describe(self) -> dict[str, object]:
        """Return it as JSON holds it; times in seconds per gradient of the whole batch."""
        return {
            "measure": self.measure,
            "target": self.target,
            "size": self.size,
            "candidates": {
                timing.name: {
                    "error": timing.error,
                }
                if timing.error or not timing.samples
                else {
                    "median": timing.median,
                    "spread": timing.spread,
                    "first": timing.first,
                    "samples": list(timing.samples),
                    "walls": list(timing.walls),
                }
                for timing in self.timings
            },
        }


def describe_machine(versions: Mapping[str, str]) -> dict[str, object]:
    """Return what a figure depends on."""
    return {
        "processor": _read_processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **versions,
    }


def _read_processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "")
    wide = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else ""
    return ", ".join(part for part in (names[0] if names else platform.machine(), wide) if part)


def show_race(cells: Sequence[Cell]) -> str:
    """Return one measure on one target as a table: a line per candidate, a column per size.

    Figures are microseconds per gradient of the whole batch, with the spread where it is above a
    tenth; in brackets how many times slower than the first of our tiers.
    """
    names = list(dict.fromkeys(timing.name for cell in cells for timing in cell.timings))
    head = " | ".join(f"{cell.size:,}" for cell in cells)
    lines = [f"| | {head} | first call, CPU s |", f"|---|{'---|' * (len(cells) + 1)}"]
    for name in names:
        row = [_find(cell, name) for cell in cells]
        if all(timing is None or not timing.samples for timing in row):
            error = next((timing.error for timing in row if timing is not None), "")
            lines.append(f"| {name} | {error} |{' |' * len(cells)}")
            continue
        shown = [_show(cell, timing) for cell, timing in zip(cells, row, strict=True)]
        firsts = [timing.first for timing in row if timing is not None and timing.samples]
        lines.append(f"| {name} | {' | '.join(shown)} | {max(firsts):.1f} |")
    return "\n".join(lines)


def _find(cell: Cell, name: str) -> Timing | None:
    return next((timing for timing in cell.timings if timing.name == name), None)


def _show(cell: Cell, timing: Timing | None) -> str:
    if timing is None or not timing.samples:
        return "-"
    figure = _round(timing.median * 1e6)
    if timing.spread > 0.1:
        figure += f" ± {100 * timing.spread:.0f}%"
    ours = [other for other in cell.timings if other.name.startswith(OURS) and other.samples]
    if not ours or timing.name.startswith(OURS):
        return f"**{figure}**" if ours else figure
    # The best tier is what a user gets.
    best = min(other.median for other in ours)
    ratio = timing.median / best
    return f"{figure} ({ratio:.0f}x)" if ratio >= 10 else f"{figure} ({ratio:.2g}x)"


def _round(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
