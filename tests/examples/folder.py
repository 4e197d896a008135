"""Where the examples are."""

from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("*.ebm"))

POSTERIORS = sorted((EXAMPLES / "posteriors").glob("*.ebm"))
"""What is known of them is their published reference; not all can be proved proper."""


def find_data(example: Path) -> Path | None:
    """Return the data file beside an example, if it has one."""
    beside = (example.with_suffix(suffix) for suffix in (".json", ".csv"))
    return next((path for path in beside if path.exists()), None)
