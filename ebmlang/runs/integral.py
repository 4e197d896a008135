"""The integral behind a `normalize`: an estimate, how good it is, and its form in a file."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Integral:
    """An estimate of log Z, where Z is the integral of exp(-A) over the variables of A.

    Attributes:
        log_value: log Z [nats].
        error: One standard error of it [nats].
        khat: Largest Pareto k-hat of the weights it comes from; above 0.7 a few carry it all.
        reverse_gap: By how much annealing back from the draws says more [nats].
        reasons: Why it is not to be relied on; none where it is.
    """

    log_value: float
    error: float
    khat: float
    reverse_gap: float
    reasons: tuple[str, ...] = ()

    @property
    def reliable(self) -> bool:
        """Whether no check speaks against it."""
        return not self.reasons

    def to_json(self) -> dict[str, Any]:
        """Return plain data, for JSON; what is not finite as a word."""
        return {
            "log_value": _plain(self.log_value),
            "error": _plain(self.error),
            "khat": _plain(self.khat),
            "reverse_gap": _plain(self.reverse_gap),
            "reasons": list(self.reasons),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Integral":
        """Return what `to_json` wrote.

        Raises:
            ValueError, KeyError, TypeError: It did not write this.
        """
        reasons = plain["reasons"]
        if not isinstance(reasons, list) or not all(isinstance(r, str) for r in reasons):
            raise ValueError(reasons)
        numbers = {
            name: float(plain[name]) for name in ("log_value", "error", "khat", "reverse_gap")
        }
        return cls(**numbers, reasons=tuple(reasons))


def show_integral(integral: Integral) -> str:
    """Return an estimate with its error bar in as many digits as the error leaves.

    >>> show_integral(Integral(log_value=1.23456, error=0.012, khat=0.1, reverse_gap=0.0))
    '1.235 ± 0.012'
    """
    value, error = integral.log_value, integral.error
    if not (math.isfinite(value) and math.isfinite(error)) or error <= 0:
        return f"{value:.6g} ± {error:.2g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def _plain(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)
