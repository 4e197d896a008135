"""When a warm-up learns what: windows that double in length.

Source: Stan Reference Manual, section "HMC algorithm parameters".
"""

FIRST_SHARE, LAST_SHARE = 0.15, 0.1
"""Shares of the warm-up before the first and after the last window, where only the step size
adapts; Stan's 75 and 50 of 1000, the first doubled since starts may be far out."""

EARLY_SHARE = 0.02
"""Share before the first window where gradients tell the shape: chains need not be at home then."""

FIRST_WINDOW = 25
"""Iterations of the first window; each later one is twice as long."""


def plan_windows(warmup: int, first_share: float = FIRST_SHARE) -> tuple[range, ...]:
    """Return the iterations of each window of a warm-up; what is left over joins the last.

    Args:
        warmup: Its iterations.
        first_share: Share of them before the first window.

    >>> [(w.start, w.stop) for w in plan_windows(500)]
    [(75, 100), (100, 150), (150, 250), (250, 450)]
    """
    start, end = round(first_share * warmup), warmup - round(LAST_SHARE * warmup)
    windows = []
    length = FIRST_WINDOW
    while start + length <= end:
        # A window after which the next, twice as long, would not fit takes all that is left.
        stop = start + length if start + 3 * length <= end else end
        windows.append(range(start, stop))
        start, length = stop, 2 * length
    return tuple(windows)
