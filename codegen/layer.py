"""ContractionTree -> Program: the einsum, then a bias and an elementwise function."""

from __future__ import annotations

from collections.abc import Sequence

from .contraction import ContractionTree
from .program import Add, Apply, Names, Program, Step, Value
from .spec import Einsum


def layer_program(
    tree: ContractionTree,
    operands: Sequence[str],
    output: str,
    bias: Value | None,
    activation: Apply | None,
) -> Program:
    """Write ``activation(einsum + bias)`` as a program; either may be None.

    The bias is spread over the indices of the output that it lacks, which is an einsum.
    """
    taken = [*operands, output, *([bias.name] if bias else [])]
    rest = [name for name, part in (("product", bias), ("z", activation)) if part]
    names = Names(taken)
    stages = [*map(names.fresh, rest), output]
    program = forward_program(tree, operands, stages[0], names)
    (value,) = program.outputs
    inputs, steps = [*program.inputs], [*program.steps]
    if bias is not None:
        spread = Value(names.fresh(f"spread_{bias.name}"), value.subscripts)
        rule = Einsum((bias.subscripts,), value.subscripts)
        total = Value(stages[1], value.subscripts)
        inputs.append(bias)
        steps.append(Step(spread, rule, (bias,)))
        steps.append(Step(total, Add(), (value, spread)))
        value = total
    if activation is not None:
        steps.append(Step(Value(output, value.subscripts), activation, (value,)))
    result = steps[-1].result
    return Program(tuple(inputs), tuple(steps), (result,))


def forward_program(
    tree: ContractionTree,
    operands: Sequence[str],
    output: str,
    names: Names | None = None,
) -> Program:
    """Write the contraction tree as a program.

    ``operands`` names each operand; one name in two places is one input.  ``names``
    hands out the names of what lies between, by default any but these.
    """
    einsum = tree.einsum
    places = [*map(Value, operands, einsum.operands)]
    result = Value(output, einsum.output)
    if len(places) == 1:
        return Program(tuple(places), (Step(result, einsum, tuple(places)),), (result,))
    inputs = {value.name: value for value in reversed(places)}
    names = names or Names({*operands, output})
    steps: list[Step] = []
    tensors: list[Value] = []
    for place, leaf in zip(places, tree.leaves, strict=True):
        tensor = inputs[place.name]
        if leaf != place.subscripts:
            summed = len(set(place.subscripts)) > len(leaf)
            stem = f"{'sum' if summed else 'diagonal'}_{place.name}"
            reduced = Value(names.fresh(stem), leaf)
            steps.append(Step(reduced, Einsum((place.subscripts,), leaf), (tensor,)))
            tensor = reduced
        tensors.append(tensor)
    for number, contraction in enumerate(tree.contractions, 1):
        kept = contraction.einsum.output
        last = number == len(tree.contractions)
        is_output = last and kept == einsum.output
        name = output if is_output else names.fresh(f"part{number}")
        arguments = tensors[contraction.left], tensors[contraction.right]
        tensors.append(Value(name, kept))
        steps.append(Step(tensors[-1], contraction.einsum, arguments))
    root = tensors[-1]
    if root != result:
        form = Einsum((root.subscripts,), einsum.output)
        steps.append(Step(result, form, (root,)))
    ordered = tuple(inputs[name] for name in dict.fromkeys(operands))
    return Program(ordered, tuple(steps), (result,))
