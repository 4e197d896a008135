"""Where the examples are."""

from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("*.ebm"))

POSTERIORS = sorted((EXAMPLES / "posteriors").glob("*.ebm"))
"""What is known of them is their published reference; not all can be proved proper."""
