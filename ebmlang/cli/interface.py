"""`ebm interface`: list what goes into a spec and what comes out of it."""

from argparse import ArgumentParser, Namespace
from typing import Any

from ebmlang.cli.console import print_json
from ebmlang.cli.loading import load_model
from ebmlang.cli.options import Command, add_spec


def _add_arguments(parser: ArgumentParser) -> None:
    add_spec(parser, data=False)


def _run(arguments: Namespace) -> int:
    described = load_model(arguments).interface()
    if arguments.json:
        print_json(described)
        return 0
    for title, rows in (
        ("inputs", [_input(item) for item in described["inputs"]]),
        ("sizes bound by data", [(name, "") for name in described["sizes"]]),
        ("constants", [(item["name"], f"= {item['value']}") for item in described["constants"]]),
        ("variables", [_variable(item) for item in described["variables"]]),
        ("terms", [_term(item) for item in described["terms"]]),
        ("parts", [(item["path"], f"weight {item['weight']:g}") for item in described["parts"]]),
        ("reports", [(item["path"], _type(item, "type")) for item in described["reports"]]),
        ("properties", [(name, "") for name in described["properties"]]),
        ("examples", [(name, "") for name in described["examples"]]),
    ):
        if rows:
            width = max(len(name) for name, _ in rows)
            print(title)
            for name, text in rows:
                print(f"  {name:<{width}}  {text}".rstrip())
    return 0


# Any: the plain data of one item.


def _type(item: dict[str, Any], word: str) -> str:
    shape = f"[{', '.join(str(dim) for dim in item['shape'])}]" if item["shape"] else ""
    return f"{item[word]}{shape}"


def _input(item: dict[str, Any]) -> tuple[str, str]:
    default = "required" if item["required"] else f"= {item['default']}"
    return item["path"], f"{_type(item, 'type')} {default}"


def _variable(item: dict[str, Any]) -> tuple[str, str]:
    if item["lower"] is None and item["upper"] is None:
        return item["path"], _type(item, "domain")
    lower, upper = item["lower"] or "-inf", item["upper"] or "inf"
    return item["path"], f"{_type(item, 'domain')} in [{lower}, {upper}]"


def _term(item: dict[str, Any]) -> tuple[str, str]:
    weight = f" weight {item['weight']:g}" if "weight" in item else ""
    return item["path"], f"{item['role']} {item['sort']}{weight}"


COMMAND = Command(_add_arguments, _run)
