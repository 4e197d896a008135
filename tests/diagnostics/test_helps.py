"""What a message proposes is accepted: each help is applied as it stands, and the error is gone."""

import pytest

from ebmlang.check import FolderLoader
from ebmlang.source import Diagnostic
from tests.diagnostics.road import find_diagnostics, find_in_text
from tests.diagnostics.test_diagnostics import HERE


def mend(name, code, before, after="@"):
    """Say how to mend a program: `code`, which a message proposes, goes where @ is."""
    return pytest.param(name, code, before, after.replace("@", code), id=f"{name}: {code}")


MENDED = [
    mend("calls/error_in_a_function_whatever_it_is_called_with", "a == 0.5 within 0.01",
         "a == 0.5"),
    mend("calls/index_inside_a_function", "a[1]", "a[2]"),
    mend("calls/inside_a_function", "a[0..1]", "(a - b)", "(@ - b)"),
    mend("calls/inside_a_part", "hip[0..1]", "knee - hip", "knee - @"),
    mend("claims/claims_inside_a_spec", "part p = leg(...)",
         "  property low: knee <= 3\n  example e { knee = 2 } satisfies bend\n", ""),
    mend("claims/example_of_an_energy", "property low: reach <= 1",
         "example wide { lamp = [0, 30], cup = [60, 0] } satisfies reach"),
    mend("claims/example_of_an_unknown_term", "apart", "apert"),
    mend("claims/example_of_an_unknown_variable", "lamp", "lanp"),
    mend("claims/example_that_sets_too_little", "cup = [0, 0]", "[0, 30]", "[0, 30] @"),
    mend("claims/property_of_a_number", "a^2 >= 0", "a^2"),
    mend("claims/property_with_an_unknown_name", "reach", "reech"),
    mend("names/function_named_like_a_built_in", "my_norm", "norm"),
    mend("names/function_of_another_language", "abs", "pow(x, 2) + fabs(x)", "x^2 + @(x)"),
    mend("names/many_unknown_names", "var alpha: real",
         "minimize a", "@\ngiven beta: real\ngiven gamma: real\nminimize a"),
    mend("names/part_as_a_value", "left.knee", "left *", "@ *"),
    mend("names/part_of_a_function", "let left = leg(0.5)", "part left = leg(0.5)"),
    mend("names/unknown_built_in", "sqrt", "sqrtt"),
    mend("names/unknown_function", "distance", "distence"),
    mend("names/unknown_import", "segment_distance", "segment_distence"),
    mend("names/unknown_logic", "logic godel", "logic fuzzy"),
    mend("names/unknown_member_of_a_part", "knee", "knees"),
    mend("names/unknown_module", "geometry", "geometri"),
    mend("names/unknown_name", "lamp", "lanp"),
    mend("names/unknown_name_in_module", "segment_distance", "segment_distanc(", "@("),
    mend("names/unknown_name_used_many_times", "given shift: real", "let a", "@\nlet a"),
    mend("names/unknown_name_without_a_guess", "var quux: real", "minimize", "@\nminimize"),
    mend("names/unknown_size", "const M = 10", "var", "@\nvar"),
    mend("names/unknown_spec", "leg", "lag"),
    mend("names/wrong_capital", "Width", "width"),
    mend("syntax/assignment_as_statement", "let y = x + 1", "y = x + 1"),
    mend("syntax/domain_misspelled", "real", "reel"),
    mend("syntax/double_ampersand", "and", "&&"),
    mend("syntax/exclamation_for_not", "not", "!", "@ "),
    mend("syntax/python_power", "x^2", "x ** 2"),
    mend("syntax/reserved_word_as_const", "weight_1", "weight"),
    mend("syntax/reserved_word_as_variable", "set_1", "set"),
    mend("syntax/slash_comment", "#", "//"),
    mend("syntax/statement_word_misspelled", "require", "requires"),
    mend("syntax/two_values_without_operator", "2 * x", "2 x"),
    mend("syntax/typographic_minus", "-", "−"),
    mend("syntax/variable_without_domain", "var x: real", "var x"),
    mend("types/and_on_a_number", "x >= 0", "and x", "and @"),
    mend("types/builder_over_two_names", "a, b in pairs(xs)",
         "a in pairs(xs): a >= 0.1", "@: a >= b"),
    mend("types/const_from_a_given", "let twice = 2 * k", "const twice = 2 * k"),
    mend("types/const_from_an_unknown", "let twice = 2 * x", "const twice = 2 * x"),
    mend("types/distribution_with_one_parameter", "sd", "normal(0)", "normal(0, @ = 1)"),
    mend("types/equality_without_tolerance", "x == 0.5 within 0.01", "x == 0.5"),
    mend("types/exists_on_energies", "energy(min goal in goals: (x - goal)^2)",
         "exists goal in goals: energy((x - goal)^2)"),
    mend("types/exists_on_energies", "(x - goal)^2 <= 1 within 0.1", "energy((x - goal)^2)"),
    mend("types/index_out_of_range", "x[2]", "x[3]"),
    mend("types/inequality_without_tolerance", "x[0] != x[1] within 0.01", "x[0] != x[1]"),
    mend("types/integer_too_large", "1e30", "10^30"),
    mend("types/minimize_a_constraint", "prefer cost: x >= 0.5", "minimize cost: x >= 0.5"),
    mend("types/minimize_a_vector", "minimize cost: sum(x^2)", "minimize cost: x^2"),
    mend("types/mix_of_energies", "normalize(energy(x^2))", "0.5: energy(x^2)", "0.5: @"),
    mend("types/mix_of_energies", "softmin(energy(x^2), x ~ normal(0, 1))",
         "mix(0.5: energy(x^2), 0.5: x ~ normal(0, 1))"),
    mend("types/negative_index", "x[size(x) - 1]", "x[-1]"),
    mend("types/not_on_a_density", "repel((x ~ normal(0, 1)), 1)", "not (x ~ normal(0, 1))"),
    mend("types/not_on_an_energy", "not (x^2 <= 1 within 0.1)", "not energy(x^2)"),
    mend("types/not_on_an_energy", "repel(energy(x^2), 1)", "not energy(x^2)"),
    mend("types/number_as_a_condition", "true", "if 1", "if @"),
    mend("types/one_name_too_many", "a, b in pairs(xs)", "a, b in xs"),
    mend("types/or_of_a_density_and_a_constraint", "softmin(x ~ normal(0, 1), x >= 2)",
         "x ~ normal(0, 1) or x >= 2"),
    mend("types/or_of_an_energy_and_a_constraint", "softmin(cost, x >= 0.5)", "cost or x >= 0.5"),
    mend("types/or_on_energies", "softmin(energy(x^2), energy((x - 1)^2))",
         "energy(x^2) or energy((x - 1)^2)"),
    mend("types/or_on_energies", "x^2 <= 1 within 0.1",
         "energy(x^2) or energy((x - 1)^2)", "@ or (x - 1)^2 <= 1 within 0.1"),
    mend("types/prefer_a_number", "minimize side: x^2", "prefer side: x^2"),
    mend("types/prefer_a_number", "prefer side: energy(x^2)", "prefer side: x^2"),
    mend("types/require_a_density", "prefer home: x ~ normal(0, 1)",
         "require home: x ~ normal(0, 1)"),
    mend("types/require_a_number", "require low: x^2 <= 1", "require low: x^2"),
    mend("types/require_an_energy", "prefer low: energy(x^2)", "require low: energy(x^2)"),
    mend("types/spec_with_variables_as_an_expression", "part p = helix(y)",
         "prefer fold: helix(y)"),
    mend("types/subtract_vectors_of_two_sizes", "q[0..5]", "q - goal", "@ - goal"),
    mend("types/too_few_arguments", "b", "dist(x)", "dist(x, @ = [0, 0])"),
    mend("types/too_many_arguments", "sqrt(x)", "sqrt(x, 2)"),
    mend("types/unit_without_size", "unit[3]", "unit"),
    mend("types/unknown_named_argument", "to_there", "to_ther =", "@ ="),
    mend("types/weight_of_a_requirement", "prefer low: x <= 0.5 weight 2",
         "require low: x <= 0.5 weight 2"),
]  # fmt: skip


def said(found: tuple[Diagnostic, ...]) -> set[str]:
    """Return what stands in backticks in the helps and the primary labels of some messages."""
    texts = [text for d in found for text in (*d.helps, d.primary.text if d.primary else "")]
    return {part for text in texts for part in text.split("`")[1::2]}


@pytest.mark.parametrize(("name", "code", "before", "after"), MENDED)
def test_a_program_mended_as_its_message_says_is_accepted(name, code, before, after):
    path = HERE / f"{name}.ebm"
    text = path.read_text(encoding="utf-8")
    assert before in text
    assert code in said(find_diagnostics(path))

    found = find_in_text(text.replace(before, after), path.name, FolderLoader(path, path.name))

    assert [d.headline for d in found if d.code.startswith("E")] == []
