"""Which programs a result was made with, so that it can be made again."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("ebmlang", "torch", "numpy")
"""The packages whose version may change a result."""


def collect_versions() -> dict[str, str]:
    """Return the versions of the packages that a result depends on, and of Python."""
    return {**{name: _find_version(name) for name in PACKAGES}, "python": platform.python_version()}


def _find_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        # A checkout may be used without being installed.
        return "not installed"
