"""Program -> Program: a bias is added, and a function applied entry by entry."""

from __future__ import annotations

from collections.abc import Sequence

from .contraction import ContractionTree
from .program import Add, Apply, Names, Program, Step, Value, forward_program
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
    stages = [*map(Names(taken).fresh, rest), output]
    program = forward_program(tree, operands, stages[0])
    (value,) = program.outputs
    inputs, steps = [*program.inputs], [*program.steps]
    names = Names(program.names | {*taken, *stages})
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
