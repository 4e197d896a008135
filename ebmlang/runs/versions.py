"""Which programs a result was made with, so that it can be made again."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("ebmlang", "torch", "numpy")
"""The packages whose version may change a result."""


def collect_versions() -> dict[str, str]:
    """Return the version of Python and of the packages that a result depends on."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            # A checkout that was never installed.
            versions[package] = "unknown"
    return versions
