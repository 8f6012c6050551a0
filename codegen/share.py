"""Lowered -> Lowered: a form in which arrays are read is made once.

Forward and backward multiply the same matrices, so they fuse and copy the same axes.
A form is a variable reshaped, transposed or copied; what is read twice in one form is
held in that form too, and what is always read with its axes fused is held so alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .array_program import (
    ENTRYWISE,
    ArrayOp,
    Block,
    Expr,
    Node,
    Ref,
    Shape,
    Statement,
    assigned,
    nodes,
    part_name,
    references,
    unconjugated,
)
from .derivation import Lowered
from .naming import PARAMETERS
from .program import Names

# What is worth a variable; a transpose by itself is not.
_MADE = (
    ArrayOp.RESHAPE,
    ArrayOp.DIAGONAL,
    ArrayOp.COPY,
    ArrayOp.TURN,
    ArrayOp.REPEAT,
    ArrayOp.TILE,
)
_WITHIN = (*_MADE, ArrayOp.TRANSPOSE, ArrayOp.EXPAND)


def share(lowered: Lowered) -> Lowered:
    """Hold variables in the forms that they are read in."""
    arrays, inputs = lowered.arrays, [v.name for v in lowered.program.inputs]
    names = Names([*PARAMETERS, *inputs, *assigned(arrays.blocks)])
    blocks = tuple(_made_once(_held_fused(lowered, names), names))
    return replace(lowered, arrays=replace(arrays, blocks=blocks))


def _held_fused(lowered: Lowered, names: Names) -> list[Block]:
    """Assign variables whose axes are always read fused with their axes fused.

    What is computed entry by entry is left, to be written over an argument.
    """
    blocks = lowered.arrays.blocks
    layouts = lowered.arrays.layouts(lowered.program)
    shapes = {name: tuple((i,) for i in layout) for name, layout in layouts}
    read: defaultdict[str, set[Expr]] = defaultdict(set)
    kept = {*lowered.results.values()}
    for block in blocks:
        for statement in block.all_statements:
            for form in _read(statement):
                read[next(references(form))].add(form)
            if isinstance(statement.value, Node) and statement.value.op in ENTRYWISE:
                kept.update(references(statement.target))
    fused: dict[str, Node] = {}
    variables: dict[Expr, Ref] = {}
    for name in dict.fromkeys(assigned(blocks)):
        if len(read[name]) == 1 and name not in kept:
            (form,) = read[name]
            match form:
                case Node(ArrayOp.RESHAPE, (Ref(),)):
                    fused[name] = form
                    variables[form] = _variable(form, names)

    def held(statement: Statement) -> Statement:
        if (form := fused.get(str(statement.target))) is not None:
            value = _reshaped(statement.value, form, shapes)
            statement = Statement(variables[form], value)
        return _substituted(statement, variables)

    return [block.mapped(held) for block in blocks]


def _made_once(blocks: Iterable[Block], names: Names) -> Iterator[Block]:
    """Yield the blocks, and before them the forms that more than one statement reads.

    A block that goes two ways makes none, since one of them might not need it.
    """
    blocks = list(blocks)
    found = [[*_found(block)] if block.small is None else [] for block in blocks]
    counts = Counter(form for forms in found for form in forms)
    twice = set()
    for form in sorted(counts, key=_depth, reverse=True):
        if counts[form] > 1:
            twice.add(form)
            # Its parts are read once for all.
            for part in _parts(form.args[0]):
                counts[part] -= counts[form] - 1
    variables: dict[Expr, Ref] = {}
    for block, forms in zip(blocks, found, strict=True):
        for form in sorted(forms, key=_depth):
            if form in twice and form not in variables:
                variable = _variable(form, names)
                made = _substituted(Statement(variable, form), variables)
                yield Block(block.step, "", (made,))
                variables[form] = variable
        yield block.mapped(lambda statement: _substituted(statement, variables))


def _read(statement: Statement) -> Iterator[Expr]:
    """Yield the largest forms that a statement reads, and the bare variables."""
    if statement.through:
        yield from map(Ref, references(statement.target))
    value = statement.value
    for arg in value.args if isinstance(value, Node) else (value,):
        yield from _largest(unconjugated(arg))


def _largest(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Ref) or (expr.op in _MADE and _is_chain(expr)):
        yield expr
    else:
        for arg in expr.args:
            yield from _largest(arg)


def _is_chain(expr: Expr) -> bool:
    if isinstance(expr, Ref):
        return True
    return expr.op in _WITHIN and _is_chain(expr.args[0])


def _found(block: Block) -> Iterator[Node]:
    """Yield the forms that a block reads, and their parts."""
    for statement in block.statements:
        for form in _read(statement):
            yield from _parts(form)


def _parts(form: Expr) -> Iterator[Node]:
    """Yield a form and the smaller ones inside."""
    return (node for node in nodes(form) if node.op in _MADE)


def _depth(form: Expr) -> int:
    return sum(1 for _ in nodes(form))


def _variable(form: Node, names: Names) -> Ref:
    base = next(references(form))
    return Ref(names.fresh(f"{base}_{part_name(form)}"))


def _substituted(statement: Statement, variables: Mapping[Expr, Ref]) -> Statement:
    """Write the arguments of a statement with ``variables`` for their forms."""

    def written(expr: Expr) -> Expr:
        plain = unconjugated(expr)
        if plain in variables:
            conjugations = [n for n in nodes(expr) if n.op is ArrayOp.CONJ]
            form = variables[plain]
            return Node(ArrayOp.CONJ, (form,)) if len(conjugations) % 2 else form
        return inside(expr)

    def inside(expr: Expr) -> Expr:
        if isinstance(expr, Ref):
            return expr
        return replace(expr, args=tuple(map(written, expr.args)))

    return replace(statement, value=inside(statement.value))


def _reshaped(value: Expr, form: Node, shapes: Mapping[str, Shape]) -> Expr:
    """Reshape a value as ``form`` does the variable that would have held it."""
    while isinstance(value, Node) and value.op is ArrayOp.RESHAPE:
        (value,) = value.args
    return value if _shape(value, shapes) == form.attr else replace(form, args=(value,))


def _shape(expr: Expr, shapes: Mapping[str, Shape]) -> Shape | None:
    """Tell the shape of what BLAS multiplies, and of its product; None of the rest."""
    if isinstance(expr, Ref):
        return shapes.get(expr.name)
    first, *others = (_shape(arg, shapes) for arg in expr.args)
    match expr.op:
        case ArrayOp.RESHAPE | ArrayOp.ONES:
            return expr.attr
        case ArrayOp.CONJ | ArrayOp.COPY:
            return first
        case ArrayOp.TRANSPOSE | ArrayOp.TURN if first is not None:
            return tuple(first[axis] for axis in expr.attr)
        case ArrayOp.DOT | ArrayOp.MATMUL | ArrayOp.BLOCKS if first is not None:
            (second,) = others
            if second is not None and len(first) < 3 and len(second) < 3:
                return (*first[:-1], *second[1:])
    return None
