"""What is known of an operator without running it: the facts that analyses compose.

Facts are data on the operator's record, so that a test can try to falsify each, and a reader can
check each against a textbook. A function of one number, elementwise, has a `Profile`: its shape,
piece by piece, from which bounds, sign, monotonicity, curvature and smoothness over any interval
follow. Every other operator has `Rules`, and so have the linear ones among the former.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.lang.interval import Bound, Interval


class Slope(Enum):
    """How a value moves when one operand rises, the others held still."""

    RISING = 1
    """It never falls."""
    FALLING = -1
    """It never rises."""
    FLAT = 0
    """It does not move."""
    MIXED = None


@dataclass(frozen=True, slots=True)
class SignOf:
    """A slope with the sign of an operand, times `factor` (1 or -1): of `a * b` in a, that of b."""

    operand: int
    factor: int = 1


class Curvature(Enum):
    """How a value bends, in all operands, or all variables, jointly."""

    CONSTANT = "constant"
    AFFINE = "affine"
    CONVEX = "convex"
    CONCAVE = "concave"
    UNKNOWN = "unknown"


class Rate(Enum):
    """How fast a function of t grows as t goes to infinity."""

    BOUNDED = "bounded"
    """It has a finite limit, or stays between two numbers."""
    LOG = "log"
    """factor * log t."""
    POWER = "power"
    """factor * t^power; the power is not 0 and may be negative only where that tends to 0."""
    EXP = "exp"
    """factor * exp(t)."""
    FASTER = "faster"
    """Past any multiple of t^power, with the sign of the factor; nothing more is said. The power
    is `inf` for what is past every power."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How a function behaves at one end of its domain, to leading order.

    With t = |x| at an infinite end, and t = 1 / distance at a finite one.
    """

    rate: Rate
    factor: float = 1.0
    power: float = 1.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a function of one number on which its character does not change.

    Attributes:
        start, end: The stretch; neighbours share their ends.
        slope: 1 where it never falls, -1 where it never rises, 0 where it is constant; None where
            nothing is known, its values included.
        bend: 1 where it is convex, -1 where it is concave, 0 where it is affine; None for neither.
    """

    start: float
    end: float
    slope: int | None
    bend: int | None


@dataclass(frozen=True, slots=True)
class Kink:
    """A place where a function is not differentiable.

    Attributes:
        place: Where.
        bend: 1 where the slope jumps up (convex there), -1 where it jumps down, None where the
            value itself jumps, or where there is a pole.
        jump: 1 where the value jumps up, -1 where it jumps down; its value at the place is that
            from the right.
        before, after: At a pole, how it grows towards it from the left and from the right, in
            t = 1 / distance.
    """

    place: float
    bend: int | None
    jump: int = 0
    before: Growth | None = None
    after: Growth | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The facts of an elementwise function of one number.

    Attributes:
        pieces: From the left end of its domain to the right; one period if it is periodic.
            Across a shared end that is no kink, its derivative is continuous. A whole value at an
            end, and any limit at infinity, is exact.
        kinks: In order; of a period, those after its start up to its end.
        left, right: How it behaves at the ends of its domain; unused where poles repeat.
        period: The whole pattern repeats after this,
        lift: this much higher each time; not 0 only where it never falls.
        rounding: Units in the last place that `evaluate` may be off.
        error: How much it may be off besides, absolutely.
        exact: Where it is not off at all, from places and values.
    """

    pieces: tuple[Piece, ...]
    kinks: tuple[Kink, ...] = ()
    left: Growth = Growth(Rate.BOUNDED)
    right: Growth = Growth(Rate.BOUNDED)
    period: float | None = None
    lift: float = 0.0
    rounding: int = 4
    error: float = 0.0
    exact: Callable[[Bound, Bound], NDArray[np.bool_]] | None = None


class Envelope(Enum):
    """That a reduction stays within the log of the number of elements of an extreme one.

    It is this that makes a disjunction of energies a union: exp(-E) is integrable if and only if
    that of each branch is.
    """

    MIN = "min"
    MAX = "max"


class Smoothness(Enum):
    """What an operator does where nothing else spoils it."""

    SMOOTH = "smooth"
    """Derivatives of all orders on its domain."""
    TIES = "ties"
    """Continuous; not differentiable where operands tie or vanish."""
    JUMPS = "jumps"
    """Not continuous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The facts of an operator that is not an elementwise function of one number.

    Attributes:
        slopes: For each operand; the last one stands for all further ones. Of an operand that is
            an array, in every element.
        curvature: In all real operands jointly.
        linear: Groups of operands in which it is linear (without a constant) jointly, while the
            others are held still: `mul` has (0,) and (1,), `add` has (0, 1). Of an operator with
            any number of operands, the last number stands for all further ones.
        bounds: The range over operands that lie in intervals; options come as keyword arguments.
            None: it follows from the slopes, each RISING or FALLING, and `evaluate` does not
            round.
        envelope: See there.
        smoothness: See there.
        poles: Operands at whose zeros it is not defined; the slopes hold where these keep their
            sign.
        sections: For each operand of an elementwise operator of two, its profile as a function of
            that one, from the number that the other one is; None where there is none.
        chooses: Whether it takes one operand and leaves others, so that one without a value need
            not spoil it.
    """

    slopes: tuple[Slope | SignOf, ...]
    curvature: Curvature = Curvature.UNKNOWN
    linear: tuple[tuple[int, ...], ...] = ()
    bounds: Callable[..., Interval] | None = None
    envelope: Envelope | None = None
    smoothness: Smoothness = Smoothness.SMOOTH
    poles: tuple[int, ...] = ()
    sections: tuple[Callable[[float], Profile | None] | None, ...] = ()
    chooses: bool = False


Facts: TypeAlias = Profile | Rules
