"""ebmlang: a declarative language for energies.

    import ebmlang

    model = ebmlang.load("desk.ebm")
    best = model.solve()[0]

Importing this costs next to nothing: what a name stands for is loaded when it is first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ebmlang.api import Formula, Model, compose, load, loads, read_data, term
    from ebmlang.source import Diagnostic, EbmError

__version__ = "0.1.0"

__all__ = [
    "Diagnostic",
    "EbmError",
    "Formula",
    "Model",
    "__version__",
    "compose",
    "load",
    "loads",
    "read_data",
    "term",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module `ebmlang` has no attribute `{name}`")
    from ebmlang import api, source

    return vars(api).get(name) or vars(source)[name]
