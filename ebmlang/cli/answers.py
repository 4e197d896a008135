"""Options of `ebm solve` on which answers are wanted: different ones, fronts, what they hang on."""

from argparse import ArgumentParser

from ebmlang.cli.options import refuse


def add_answers(parser: ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "--diverse", action="store_true", help="keep designs far from each other, not the best"
    )
    parser.add_argument(
        "--band", metavar="NATS", help="how much worse than the best they may be (0.5)"
    )


def read_band(text: str | None) -> float | None:
    """Return the width of the band; None where it is not said.

    Raises:
        EbmError: E0903.
    """
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise refuse("E0903", f"`--band {text}` is not a number", "as in `--band 0.1`") from None
