"""From the arguments of a command to a model with its data, and its warnings on stderr."""

from argparse import Namespace

from ebmlang.api.load import load
from ebmlang.api.model import Model
from ebmlang.cli.console import keep_warnings, print_diagnostics
from ebmlang.cli.options import read_numbers, read_pairs


def load_model(arguments: Namespace) -> Model:
    """Return the model that the arguments speak of; warnings are printed unless `--quiet`.

    Raises:
        EbmError: What is wrong with the spec, the constants or the data.
    """
    model = load(arguments.spec, constants=read_numbers(arguments.const, "--const"))
    warnings = keep_warnings(model.diagnostics, arguments.no_warn)
    if not (arguments.quiet or arguments.json):
        print_diagnostics(warnings)
    return model


def load_with_data(arguments: Namespace) -> Model:
    """Return the model with the data, and the weights where the command takes them, bound."""
    values = read_pairs(arguments.set, "--set")
    weights = read_numbers(arguments.weight, "--weight") if "weight" in arguments else {}
    model = load_model(arguments)
    return model.bind(
        [*arguments.data, *arguments.more_data, values],
        weights,
        accept_unreliable="accept_unreliable" in arguments and arguments.accept_unreliable,
    )


def load_to_run(arguments: Namespace, verb: str) -> Model:
    """Return the model with its data, once all that can be proved says that a run makes sense.

    What is not proved is a warning, printed unless `--quiet`.

    Args:
        arguments: Of the command.
        verb: What it is to do: `solve` or `sample`.

    Raises:
        EbmError: What is wrong with the spec or the data, or why a run would be in vain.
    """
    model = load_with_data(arguments)
    warn_before_run(arguments, model, verb)
    return model


def warn_before_run(arguments: Namespace, model: Model, verb: str) -> None:
    """Print what is not proved of a model with its data, unless `--quiet`.

    Args:
        arguments: Of the command.
        model: The model.
        verb: What is to be done with it: `solve` or `sample`.

    Raises:
        EbmError: Why a run would be in vain.
    """
    from ebmlang.api.check import require_sound

    warnings = keep_warnings(require_sound(model, verb), arguments.no_warn)
    if not (arguments.quiet or arguments.json):
        print_diagnostics(warnings)
