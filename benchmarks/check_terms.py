"""How long `ebm check` takes on a spec of many terms, in CPU seconds, imports included.

    python benchmarks/check_terms.py            # 1,000 terms
    python benchmarks/check_terms.py 4000

All terms are alike but for their numbers, and share nothing.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

TERMS = 1_000

PROBE = """
import resource, sys
from ebmlang.cli.main import main
code = main(["check", sys.argv[1], "--quiet"])
usage = resource.getrusage(resource.RUSAGE_SELF)
print(code, usage.ru_utime + usage.ru_stime, "torch" in sys.modules)
"""


def write_spec(terms: int) -> str:
    """Return a spec of half as many bounded variables as terms, each term about two of them."""
    variables = max(terms // 2, 2)
    lines = [f"var x{i}: real in [0, 10]" for i in range(variables)]
    for i in range(terms):
        first, second = i % variables, (i * 7 + 1) % variables
        lines.append(f"prefer t{i}: x{first} + x{second} <= {1 + i / terms} within 0.5")
    return "\n".join(lines) + "\n"


def measure(terms: int) -> tuple[int, float, bool]:
    """Check such a spec in a process of its own.

    Returns:
        The exit code, the CPU time [s], and whether torch was imported.
    """
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "many.ebm"
        spec.write_text(write_spec(terms), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", PROBE, str(spec)], capture_output=True, text=True, check=True
        )
    code, seconds, torch = done.stdout.split()
    return int(code), float(seconds), torch == "True"


def count_calls(terms: int) -> int:
    """Return how many Python functions checking such a spec calls, in this process."""
    from ebmlang.cli.main import main as run

    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "many.ebm"
        spec.write_text(write_spec(terms), encoding="utf-8")
        before = sys.getprofile()
        sys.setprofile(count)
        try:
            run(["check", str(spec), "--quiet"])
        finally:
            sys.setprofile(before)
    return calls


def main() -> None:
    """Measure once and print."""
    terms = int(sys.argv[1]) if len(sys.argv) > 1 else TERMS
    code, seconds, torch = measure(terms)
    print(f"{terms} terms: {seconds:.2f} s of CPU, exit code {code}, torch imported: {torch}")


if __name__ == "__main__":
    main()
