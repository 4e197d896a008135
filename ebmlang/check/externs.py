"""Functions that come from outside the language, from the Python interface."""

from dataclasses import dataclass

from ebmlang.lang import Shape, Sort


@dataclass(frozen=True, slots=True, kw_only=True)
class Extern:
    """A callable that a spec may call by name.

    Attributes:
        name: Its name in the spec.
        sort: CONSTRAINT, then the function returns a margin; ENERGY; or REAL.
        shape: The shape of its result; () unless its sort is REAL.
    """

    name: str
    sort: Sort
    shape: Shape = ()
