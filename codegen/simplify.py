"""Program -> Program: compute nothing twice, and nothing that is not asked for."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Hashable
from dataclasses import replace

from .program import Add, Names, Program, Step, Value
from .spec import Einsum, Index, Subscripts


def simplify(program: Program) -> Program:
    """Merge equal steps, factor symmetric sums, and drop what no output needs."""
    return drop_unused(factor_sums(merge_equal(program)))


def drop_unused(program: Program) -> Program:
    """Keep the steps that some output depends on."""
    needed = {value.name for value in program.outputs}
    kept: list[Step] = []
    for step in reversed(program.steps):
        if step.result.name in needed:
            needed.update(value.name for value in step.arguments)
            kept.append(step)
    return replace(program, steps=tuple(reversed(kept)))


def merge_equal(program: Program) -> Program:
    """Compute equal steps once: the same operation on the same values.

    Two einsums are equal if they differ only in letters or in the order of arguments.
    Of two equal outputs one is a copy.
    """
    outputs = {value.name for value in program.outputs}
    seen: dict[Hashable, Value] = {}
    alias: dict[str, Value] = {}
    steps = []
    for step in program.steps:
        arguments = tuple(alias.get(v.name, v) for v in step.arguments)
        step = replace(step, arguments=arguments)
        key = _key(step)
        known = seen.setdefault(key, step.result)
        if known == step.result:
            steps.append(step)
        elif step.result.name in outputs and known.name in outputs:
            copy = Einsum((known.subscripts,), known.subscripts)
            steps.append(Step(step.result, copy, (known,)))
        else:
            alias[step.result.name] = known
            if step.result.name in outputs:
                outputs.add(known.name)
    kept = tuple(alias.get(v.name, v) for v in program.outputs)
    return replace(program, steps=tuple(steps), outputs=kept)


def _key(step: Step) -> Hashable:
    names = [value.name for value in step.arguments]
    match step.op:
        case Einsum():
            # Only the result tells the size of an index that no argument has.
            axes = zip(step.result.subscripts, step.op.output, strict=True)
            new = tuple(own for own, i in axes if i in step.op.new_indices)
            return (*_canonical(step.op, names), new)
        case Add():
            return ("add", *sorted(names))
        case _:
            return (step.op, *names)


def _canonical(einsum: Einsum, names: Collection[str]) -> tuple[Hashable, Hashable]:
    """Rename the indices by first appearance in the output, then in the arguments."""
    terms = sorted(zip(names, einsum.operands, strict=True), key=lambda term: term[0])
    letters = itertools.chain(einsum.output, *(subscripts for _, subscripts in terms))
    number = {index: k for k, index in enumerate(dict.fromkeys(letters))}

    def renamed(subscripts: Subscripts) -> tuple[int, ...]:
        return tuple(number[index] for index in subscripts)

    inputs = tuple(sorted((name, renamed(s)) for name, s in terms))
    return (inputs, renamed(einsum.output))


def factor_sums(program: Program) -> Program:
    """Rewrite E(a, c) + E(aᵀ, c) as E(a + aᵀ, c): one contraction where two stood.

    Such a sum is the gradient of one array in two places of a symmetric spec, as in
    ``ij,kj->ik`` of x and x.
    """
    uses = Counter(v.name for step in program.steps for v in step.arguments)
    uses.update(v.name for v in program.outputs)
    made = {step.result.name: step for step in program.steps}
    names = Names(program.names)
    steps: list[Step] = []
    for step in program.steps:
        parts = [made[v.name] for v in step.arguments if v.name in made]
        apart = len(parts) == 2 and all(uses[p.result.name] == 1 for p in parts)
        if isinstance(step.op, Add) and apart:
            steps.extend(_factored(step, parts[0], parts[1], names) or [step])
        else:
            steps.append(step)
    return replace(program, steps=tuple(steps))


def _factored(total: Step, first: Step, second: Step, names: Names) -> list[Step]:
    """Return the steps of E(a + aᵀ, c), or nothing where the sum has no such form."""
    if not isinstance(first.op, Einsum) or not isinstance(second.op, Einsum):
        return []
    if len(first.arguments) != 2 or len(second.arguments) != 2:
        return []
    for k, other in itertools.product((0, 1), repeat=2):
        value, common = first.arguments[k], first.arguments[1 - k]
        if (second.arguments[other], second.arguments[1 - other]) != (value, common):
            continue
        renamed = _match(
            (second.op.output, second.op.operands[1 - other]),
            (first.op.output, first.op.operands[1 - k]),
        )
        if renamed is None:
            continue
        ours = first.op.operands[k]
        theirs = tuple(renamed.get(i, "") for i in second.op.operands[other])
        if sorted(ours) == sorted(theirs) and len(set(ours)) == len(ours):
            turned = Value(names.fresh(f"{value.name}_turned"), value.subscripts)
            both = Value(names.fresh(f"{value.name}_both"), value.subscripts)
            arguments = list(first.arguments)
            arguments[k] = both
            return [
                Step(turned, Einsum((theirs,), ours), (value,)),
                Step(both, Add(), (value, turned)),
                Step(total.result, first.op, tuple(arguments)),
            ]
    return []


def _match(
    theirs: tuple[Subscripts, ...], ours: tuple[Subscripts, ...]
) -> dict[Index, Index] | None:
    """Map their indices to ours position by position; None if that is ambiguous."""
    pairs = set(zip(itertools.chain(*theirs), itertools.chain(*ours), strict=True))
    renamed = dict(pairs)
    one_to_one = len(pairs) == len(renamed) == len(set(renamed.values()))
    return renamed if one_to_one else None
