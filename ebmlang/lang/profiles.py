"""The profiles of the functions of one number, and of powers with a known exponent.

The facts of a calculus course. Pieces are split once more than needed where the function has a
whole value that bounds must not lose, such as log 1 = 0.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ebmlang.lang.facts import Growth, Kink, Piece, Profile, Rate
from ebmlang.lang.interval import MANTISSA, Bound, significant_bits

_INF = math.inf
_HALF = math.pi / 2

LGAMMA_MINIMUM = 1.4616321449683623
"""Where the gamma function is smallest on the positive numbers (OEIS A030169)."""


def _power(factor: float, power: float) -> Growth:
    return Growth(Rate.POWER, factor, power)


def _power_is_exact(exponent: float) -> Callable[[Bound, Bound], NDArray[np.bool_]]:
    """Return where a whole power does not round: where the base has few bits."""

    def is_exact(x: Bound, value: Bound) -> NDArray[np.bool_]:
        bits = significant_bits(x)
        few = bits * exponent <= MANTISSA if exponent > 0 else bits == 1
        return np.asarray(few & (np.abs(value) >= np.finfo(np.float64).tiny))

    return is_exact


def _root_is_exact(x: Bound, value: Bound) -> NDArray[np.bool_]:
    return np.asarray((2 * significant_bits(value) <= MANTISSA) & (value * value == x))


_BOUNDED = Growth(Rate.BOUNDED)
_UP = _power(1.0, 1.0)
_DOWN = _power(-1.0, 1.0)

# --- made of straight lines ----------------------------------------------------------

ABS = Profile(
    pieces=(Piece(-_INF, 0.0, -1, 0), Piece(0.0, _INF, 1, 0)),
    kinks=(Kink(0.0, 1),),
    left=_UP,
    right=_UP,
    rounding=0,
)
RELU = Profile(
    pieces=(Piece(-_INF, 0.0, 0, 0), Piece(0.0, _INF, 1, 0)),
    kinks=(Kink(0.0, 1),),
    right=_UP,
    rounding=0,
)
FLOOR = Profile(
    pieces=(Piece(0.0, 1.0, 0, 0),),
    kinks=(Kink(1.0, None, jump=1),),
    left=_DOWN,
    right=_UP,
    period=1.0,
    lift=1.0,
    rounding=0,
)
NONNEGATIVE = Profile(
    pieces=(Piece(-_INF, 0.0, 0, 0), Piece(0.0, _INF, 0, 0)),
    kinks=(Kink(0.0, None, jump=1),),
    rounding=0,
)

# --- powers, exponentials, logarithms ------------------------------------------------

SQRT = Profile(
    pieces=(Piece(0.0, 1.0, 1, -1), Piece(1.0, _INF, 1, -1)),
    left=_power(1.0, -0.5),
    right=_power(1.0, 0.5),
    exact=_root_is_exact,
)
SQUARE = Profile(
    pieces=(Piece(-_INF, 0.0, -1, 1), Piece(0.0, _INF, 1, 1)),
    left=_power(1.0, 2.0),
    right=_power(1.0, 2.0),
    rounding=1,
    exact=_power_is_exact(2.0),
)
EXP = Profile(pieces=(Piece(-_INF, 0.0, 1, 1), Piece(0.0, _INF, 1, 1)), right=Growth(Rate.EXP))
EXPM1 = EXP
LOG = Profile(
    pieces=(Piece(0.0, 1.0, 1, -1), Piece(1.0, _INF, 1, -1)),
    left=Growth(Rate.LOG, -1.0),
    right=Growth(Rate.LOG),
)
LOG1P = Profile(
    pieces=(Piece(-1.0, 0.0, 1, -1), Piece(0.0, _INF, 1, -1)),
    left=Growth(Rate.LOG, -1.0),
    right=Growth(Rate.LOG),
)
LOG1MEXP = Profile(pieces=(Piece(0.0, _INF, 1, -1),), left=Growth(Rate.LOG, -1.0))
SOFTPLUS = Profile(pieces=(Piece(-_INF, _INF, 1, 1),), right=_UP)
SINH = Profile(
    pieces=(Piece(-_INF, 0.0, 1, -1), Piece(0.0, _INF, 1, 1)),
    left=Growth(Rate.EXP, -0.5),
    right=Growth(Rate.EXP, 0.5),
)
COSH = Profile(
    pieces=(Piece(-_INF, 0.0, -1, 1), Piece(0.0, _INF, 1, 1)),
    left=Growth(Rate.EXP, 0.5),
    right=Growth(Rate.EXP, 0.5),
)

# --- angles --------------------------------------------------------------------------

SIN = Profile(
    pieces=(
        Piece(-math.pi, -_HALF, -1, 1),
        Piece(-_HALF, 0.0, 1, 1),
        Piece(0.0, _HALF, 1, -1),
        Piece(_HALF, math.pi, -1, -1),
    ),
    period=2 * math.pi,
)
COS = Profile(
    pieces=(
        Piece(-math.pi, -_HALF, 1, 1),
        Piece(-_HALF, 0.0, 1, -1),
        Piece(0.0, _HALF, -1, -1),
        Piece(_HALF, math.pi, -1, 1),
    ),
    period=2 * math.pi,
)
TAN = Profile(
    pieces=(Piece(-_HALF, 0.0, 1, -1), Piece(0.0, _HALF, 1, 1)),
    kinks=(Kink(_HALF, None, jump=-1, before=_UP, after=_DOWN),),
    period=math.pi,
)
ASIN = Profile(pieces=(Piece(-1.0, 0.0, 1, -1), Piece(0.0, 1.0, 1, 1)))
ACOS = Profile(pieces=(Piece(-1.0, 0.0, -1, 1), Piece(0.0, 1.0, -1, -1)))

# --- from one bound to another -------------------------------------------------------

ATAN = Profile(pieces=(Piece(-_INF, 0.0, 1, 1), Piece(0.0, _INF, 1, -1)))
TANH = ATAN
SIGMOID = ATAN
ERF = ATAN

# --- special -------------------------------------------------------------------------

LGAMMA = Profile(
    pieces=(
        # Poles at all whole numbers up to 0, and no bound between them all.
        Piece(-_INF, 0.0, None, None),
        Piece(0.0, LGAMMA_MINIMUM, -1, 1),
        Piece(LGAMMA_MINIMUM, _INF, 1, 1),
    ),
    kinks=(Kink(0.0, None, before=Growth(Rate.LOG), after=Growth(Rate.LOG)),),
    left=Growth(Rate.FASTER, -1.0),
    right=Growth(Rate.FASTER, 1.0),
    # Near its zeros at 1 and 2 the Lanczos form cancels.
    error=1e-14,
)
LOG_BESSEL_I0 = Profile(
    pieces=(Piece(-_INF, 0.0, -1, 1), Piece(0.0, _INF, 1, 1)),
    left=_UP,
    right=_UP,
    # log(1 + x^2 / 4) from a rounded argument.
    error=1e-15,
)

# --- of two numbers, one of them known -----------------------------------------------


@lru_cache(maxsize=256)
def power_profile(exponent: float) -> Profile:
    """Return the profile of x^exponent; a fractional one has the domain x >= 0.

    >>> power_profile(-12.0).pieces[1].bend
    1
    """
    if exponent == 0:
        return Profile(pieces=(Piece(-_INF, _INF, 0, 0),), rounding=0)
    if exponent == 1:
        return Profile(pieces=(Piece(-_INF, _INF, 1, 0),), left=_DOWN, right=_UP, rounding=0)
    slope = 1 if exponent > 0 else -1
    bend = -1 if 0 < exponent < 1 else 1
    right = _power(1.0, exponent)
    near_zero = _power(1.0, -exponent)
    # Split where the value is 1: bounds of a power must not lose on which side of 1 it lies.
    positive = (Piece(0.0, 1.0, slope, bend), Piece(1.0, _INF, slope, bend))
    if exponent != math.floor(exponent):
        return Profile(pieces=positive, left=near_zero, right=right)
    side = 1 if exponent % 2 == 0 else -1
    # f(-x) is side * f(x): the mirrored slope is -side * slope, the bend side * bend.
    negative = (
        Piece(-_INF, -1.0, -side * slope, side * bend),
        Piece(-1.0, 0.0, -side * slope, side * bend),
    )
    pole = Kink(
        0.0,
        None,
        jump=0 if side == 1 else 1,
        before=_power(float(side), -exponent),
        after=near_zero,
    )
    return Profile(
        pieces=(*negative, *positive),
        kinks=(pole,) if exponent < 0 else (),
        left=_power(float(side), exponent),
        right=right,
        exact=_power_is_exact(exponent),
    )


def exponential_profile(base: float) -> Profile | None:
    """Return the profile of base^x; none for a base that is not above 0."""
    if not 0 < base < _INF:
        return None
    if base == 1:
        return power_profile(0.0)
    past_all = Growth(Rate.FASTER, 1.0, _INF)
    rising = base > 1
    slope = 1 if rising else -1
    return Profile(
        pieces=(Piece(-_INF, 0.0, slope, 1), Piece(0.0, _INF, slope, 1)),
        left=_BOUNDED if rising else past_all,
        right=past_all if rising else _BOUNDED,
    )


def reciprocal_profile(numerator: float) -> Profile | None:
    """Return the profile of numerator / x."""
    return scaled_profile(power_profile(-1.0), numerator)


def scaled_profile(profile: Profile, factor: float) -> Profile:
    """Return the profile of factor * f, where f is not periodic."""
    assert profile.period is None
    if factor == 0:
        return power_profile(0.0)
    sign = 1 if factor > 0 else -1

    def scaled(growth: Growth) -> Growth:
        return replace(growth, factor=factor * growth.factor)

    return Profile(
        pieces=tuple(
            Piece(
                piece.start,
                piece.end,
                None if piece.slope is None else sign * piece.slope,
                None if piece.bend is None else sign * piece.bend,
            )
            for piece in profile.pieces
        ),
        kinks=tuple(
            Kink(
                kink.place,
                None if kink.bend is None else sign * kink.bend,
                sign * kink.jump,
                None if kink.before is None else scaled(kink.before),
                None if kink.after is None else scaled(kink.after),
            )
            for kink in profile.kinks
        ),
        left=scaled(profile.left),
        right=scaled(profile.right),
        rounding=profile.rounding + 1,
        error=abs(factor) * profile.error,
    )
