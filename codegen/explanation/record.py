"""Content -> JSON, everything as data.

    format       1; it grows when a key changes its meaning or goes
    spec         the canonical spec
    operands     each array's name in the module and its symbol in formulas
    output, cotangent   the same
    forward      equations, each {text, latex}, and for_every: the indices held fixed
    layers       steps, from the output back to the einsum, where something follows it
    gradients    one an operand: name, symbol, subscripts, spec, sets (set, role,
                 indices, effect), steps (title, text, equations), and its equations
    biases       name and equations of the gradient of what is added to the einsum
    totals       one an array in several places: name, symbol, steps, equations
    tree         nodes from the root: id, name, subscripts, step, multiply_adds,
                 entries, children (ids)
    costs        work (label, contractions, multiply_adds), facts (label, unit, value),
                 sizes, and assumed: the indices whose size is not known
    remarks      sentences that go for all gradients
    command      what writes the module

A polynomial is {text, terms: [{indices, count}], number}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..spec import Index, Subscripts
from .content import Content, MatrixEquation, Operand, Total
from .costs import Costs, Polynomial, value, written
from .formula import Entry, Equation
from .formula_latex import latex_of
from .formula_text import plain, text_of
from .steps import Step
from .tree import Node, numbered

FORMAT = 1

Record = dict[str, Any]


def json_of(content: Content) -> str:
    """Write the explanation as JSON."""
    return json.dumps(record(content), ensure_ascii=False, indent=2) + "\n"


def record(content: Content) -> Record:
    """Return the explanation as plain data."""
    sizes = dict(content.costs.sizes)
    return {
        "format": FORMAT,
        "spec": str(content.einsum),
        "operands": [_array(*array) for array in content.arrays],
        "output": _array(*content.output),
        "cotangent": _array(*content.cotangent),
        "forward": [
            *_equations([content.forward], content.forward_matrix),
            *_equations(content.forward_layers),
        ],
        "layers": [_step(step) for step in content.layers],
        "gradients": [_operand(operand) for operand in content.operands],
        "biases": [
            {"name": name, "equations": _equations([equation])}
            for name, equation in content.biases
        ],
        "totals": [_total(total) for total in content.totals],
        "tree": _tree(content.tree, sizes),
        "costs": _costs(content.costs, sizes),
        "remarks": list(content.remarks),
        "command": content.command,
    }


def _array(array: Entry, name: str) -> Record:
    return {"name": name, "symbol": text_of(array)}


def _equations(
    equations: Iterable[Equation], matrix: MatrixEquation | None = None
) -> list[Record]:
    pairs: list[tuple[Equation, Subscripts]] = [(e, ()) for e in equations]
    pairs += [(matrix.equation, matrix.fixed)] if matrix else []
    return [
        {"text": text_of(e), "latex": latex_of(e), "for_every": list(fixed)}
        for e, fixed in pairs
    ]


def _operand(operand: Operand) -> Record:
    return {
        **_array(operand.array, operand.name),
        "subscripts": list(operand.subscripts),
        "spec": str(operand.spec),
        "sets": [
            {
                "set": role.set,
                "role": role.name,
                "indices": list(role.indices),
                "effect": plain(role.effect),
            }
            for role in operand.roles
        ],
        "steps": [_step(step) for step in operand.steps],
        "equations": _equations([operand.indexed], operand.matrix),
    }


def _step(step: Step) -> Record:
    return {
        "title": step.title,
        "text": plain(step.prose),
        "equations": _equations(step.formulas),
    }


def _total(total: Total) -> Record:
    return {
        **_array(total.array, total.name),
        "steps": [_step(total.step)],
        "equations": _equations(total.step.formulas),
    }


def _tree(root: Node, sizes: Mapping[Index, int]) -> list[Record]:
    return [
        {
            "id": number,
            "name": node.name,
            "subscripts": list(node.subscripts),
            "step": str(node.step),
            "multiply_adds": _polynomial(node.multiply_adds, sizes),
            "entries": _polynomial(((node.subscripts, 1),), sizes),
            "children": children,
        }
        for number, node, children in numbered(root)
    ]


def _polynomial(terms: Polynomial, sizes: Mapping[Index, int]) -> Record:
    return {
        "text": written(terms),
        "terms": [{"indices": list(indices), "count": n} for indices, n in terms],
        "number": value(terms, sizes),
    }


def _costs(costs: Costs, sizes: Mapping[Index, int]) -> Record:
    return {
        "work": [
            {
                "label": work.label,
                "contractions": work.contractions,
                "multiply_adds": _polynomial(work.multiply_adds, sizes),
            }
            for work in costs.work
        ],
        "facts": [
            {
                "label": fact.label,
                "unit": fact.unit,
                "value": _polynomial(fact.polynomial or (((), fact.number),), sizes),
            }
            for fact in costs.facts
        ],
        "sizes": sizes,
        "assumed": list(costs.assumed),
    }
