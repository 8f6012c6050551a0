"""Program -> array program: every step as operations on axes.

Three ideas carry it.  A value is held as a variable whose axes may stand in another
order than the value's own, so a transpose costs nothing until somebody needs it.  A
product of two values is handed to ``pairwise``, which picks the primitive.  What one
operand can do alone is a unary einsum: its diagonal, then ``sums``, then new axes.

Outputs come out in the order of their subscripts, in memory of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from . import pairwise
from .array_program import (
    Array,
    ArrayOp,
    ArrayProgram,
    Block,
    Expr,
    Node,
    Ref,
    Small,
    Statement,
)
from .candidate import Problem
from .copies import Choice, worth_making
from .layout import Axes, broadcast_values, choose_layouts, exact_values
from .program import (
    Add,
    Apply,
    Conj,
    Names,
    Program,
    Step,
    Value,
    Zero,
    letter_sizes,
    step_sizes,
)
from .spec import Einsum, Index, Subscripts, unique
from .sums import total
from .unary import diagonal, like, scalar, spread
from .views import Source, aligned, copied, transposed


def lower(
    program: Program,
    results: Mapping[str, str],
    sizes: Mapping[Index, int] | None = None,
    *,
    loose: Collection[str] = (),
    primitive: str | None = None,
    shared: bool = False,
) -> ArrayProgram:
    """Lower ``program``; ``results`` maps its outputs' names to variables.

    ``sizes`` steer the choice of primitives.  The outputs in ``loose`` may lie in
    memory as what they are copied from does.  ``primitive`` forces one wherever it
    applies.  ``shared`` says that a copy is made once for all that read it.
    """
    sizes = sizes or {}
    layouts = choose_layouts(program, sizes)
    found = _Lowering(program, results, sizes, loose, primitive, shared, layouts)
    found.run()
    if worth := worth_making(found.choices.values()):
        other = replace(found, worth=worth, known=found.choices)
        other.run()
        found = min(found, other, key=lambda lowering: lowering.cost)
    return ArrayProgram(found.blocks, found.arrays, found.cost)


@dataclass
class _Lowering:
    """A program that is lowered step by step.

    worth: the copies that are made for several steps; known: the choices of another
    lowering, with the ways to compute products, by the names of their results.

    choices: how the products so far were chosen; made: the copies that are there.
    statements, small: those of the current step; cost: the time of the products.
    """

    program: Program
    results: Mapping[str, str]
    sizes: Mapping[Index, int]
    loose: Collection[str]
    primitive: str | None
    shared: bool
    layouts: Mapping[str, Axes]
    worth: Collection[Expr] = ()
    known: Mapping[str, Choice] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict, init=False)
    made: set[Expr] = field(default_factory=set, init=False)
    arrays: dict[str, Array] = field(default_factory=dict, init=False)
    statements: list[Statement] = field(default_factory=list, init=False)
    small: Small | None = field(default=None, init=False)
    cost: float = field(default=0.0, init=False)
    blocks: tuple[Block, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        inputs = self.program.inputs
        self.names = Names([*(v.name for v in inputs), *self.results.values()])
        self.exact = exact_values(self.program)
        steps = self.program.steps
        self.uses = Counter(v.name for step in steps for v in step.arguments)
        outputs = [value.name for value in self.program.outputs]
        self.broadcast = broadcast_values(steps, outputs)
        # What only becomes an output or its conjugate is held in the output's variable.
        self.reused = dict(self.results)
        made = {step.result.name for step in steps}
        for step in steps:
            argument, result = step.arguments[0].name, step.result.name
            passes = isinstance(step.op, Conj) or _is_identity(step)
            if passes and result in self.results and argument not in self.results:
                if argument in made and self.uses[argument] == 1:
                    self.reused[argument] = self.results[result]
        for value in inputs:
            natural = tuple(range(len(value.subscripts)))
            self.arrays[value.name] = Array(Ref(value.name), natural, owned=False)

    def run(self) -> None:
        """Lower all steps."""
        self.blocks = tuple(map(self.block, self.program.steps))

    def block(self, step: Step) -> Block:
        """Lower one step, and note how its result is held."""
        self.statements, self.small = [], None
        match step.op:
            case Einsum() if len(step.arguments) == 1:
                array, notation = self.unary(step, step.op)
            case Einsum():
                array, notation = self.product(step, step.op)
            case Add():
                array, notation = self.sum(step), "sum"
            case Conj():
                array, notation = self.conjugate(step), "conjugate"
            case Apply():
                array, notation = self.applied(step, step.op), step.op.symbol
            case Zero():
                array, notation = self.zeros(step), "zeros"
        if step.result.name in self.results:
            array = self.owned(step.result, array)
        self.arrays[step.result.name] = array
        return Block(step, notation, tuple(self.statements), self.small)

    def owned(self, value: Value, array: Array) -> Array:
        """Hold an output in memory of its own, axes in order."""
        natural = tuple(range(len(value.subscripts)))
        held = array.expr == Ref(self.results[value.name])
        if held and array.owned and array.axes == natural:
            return array
        source, order = _by_axis(array), _lettered(natural)
        if value.name in self.loose and array.axes != natural:
            # The memory is copied as it lies, and only seen in another order.
            copy = Node(ArrayOp.COPY, (transposed(source, order),), ("K",))
        else:
            copy = copied(source, order)
        return self.assign(value, copy, natural)

    def placed(self, value: Value, fresh: Source, order: Subscripts) -> Expr:
        """Put the axes of a fresh array in order, and what is not loose in memory."""
        loose = value.name in self.loose
        return (transposed if loose else copied)(fresh, order)

    def assign(self, value: Value, expr: Expr, axes: tuple[int, ...]) -> Array:
        """Give ``expr`` a variable; its name tells the layout of an intermediate."""
        target = Ref(self.variable(value, axes))
        self.statements.append(Statement(target, expr))
        return Array(target, axes, owned=True)

    def variable(self, value: Value, axes: tuple[int, ...]) -> str:
        if value.name in self.reused:
            return self.reused[value.name]
        letters = [value.subscripts[axis] for axis in axes]
        plain = all(len(i) == 1 and i.isascii() and i.islower() for i in letters)
        layout = "".join(letters) if plain and len(letters) < 9 else ""
        return self.names.fresh(f"{value.name}_{layout}" if layout else value.name)

    def source(self, value: Value, subscripts: Subscripts) -> Source:
        """See an argument as an einsum's letters along the axes of its variable."""
        array = self.arrays[value.name]
        return Source(array.expr, tuple(subscripts[axis] for axis in array.axes))

    def conjugate(self, step: Step) -> Array:
        held = self.arrays[step.arguments[0].name]
        expr = Node(ArrayOp.CONJ, (held.expr,))
        single = expr if held.axes else scalar(expr)
        if step.result.name in self.results and not held.axes:
            own = single if held.owned else Node(ArrayOp.COPY, (single,))
            return self.assign(step.result, own, ())
        if self.uses[step.result.name] > 1 or (
            step.result.name in self.results and held.owned
        ):
            array = self.assign(step.result, single, held.axes)
            return replace(array, owned=held.owned)
        return replace(held, expr=expr)

    def sum(self, step: Step) -> Array:
        first, second = (self.arrays[value.name] for value in step.arguments)
        axes = self.layouts[step.result.name]
        order = _lettered(axes)
        views = aligned(_by_axis(first), order), aligned(_by_axis(second), order)
        value = Node(ArrayOp.ADD, views)
        return self.assign(step.result, value if axes else scalar(value), axes)

    def applied(self, step: Step, function: Apply) -> Array:
        held = self.arrays[step.arguments[0].name]
        exact = step.result.name in self.exact
        axes = self.layouts[step.result.name] if exact else held.axes
        view = transposed(_by_axis(held), _lettered(axes))
        return self.assign(step.result, Node(ArrayOp.APPLY, (view,), (function,)), axes)

    def zeros(self, step: Step) -> Array:
        value = step.result
        shape = tuple((index,) for index in value.subscripts)
        model = self.arrays[step.arguments[0].name].expr
        natural = tuple(range(len(shape)))
        return self.assign(value, like(ArrayOp.ZEROS, model, shape), natural)

    def product(self, step: Step, einsum: Einsum) -> tuple[Array, str]:
        """Lower an einsum of two arguments."""
        a, b = (
            self.source(value, subscripts)
            for value, subscripts in zip(step.arguments, einsum.operands, strict=True)
        )
        index_of = step_sizes(step)
        problem = Problem(
            a,
            b,
            self.wanted(step, einsum, a, b),
            letter_sizes(step, self.sizes),
            any_memory=step.result.name in self.exact,
        )
        made = self.made.union(self.worth)
        found = None if self.primitive else pairwise.split(problem, made)
        if found:
            chosen = found.large
        else:
            known = self.known.get(step.result.name)
            ways = known.ways if known else pairwise.ways(problem, force=self.primitive)
            chosen = pairwise.choose(problem, ways, made)
            if self.shared and len(problem.sizes) == len(index_of):
                self.choices[step.result.name] = Choice(ways, chosen)
        axes = tuple(einsum.output.index(index) for index in chosen.order)
        target = Ref(self.variable(step.result, axes))
        self.cost += chosen.cost - chosen.spared(self.made)
        if self.shared and not (found and found.small):
            self.made.update(form for form, _ in chosen.copies)
        if found and found.small:
            extent = tuple(sorted(index_of[index] for index in found.extent))
            statements = found.small.statements(target, index_of)
            self.small = Small(extent, found.bound, statements)
        self.statements.extend(chosen.statements(target, index_of))
        return Array(target, axes, owned=True), str(Einsum(chosen.views, chosen.order))

    def wanted(self, step: Step, einsum: Einsum, a: Source, b: Source) -> Subscripts:
        """Order the axes of a product as was chosen, or as both arguments have them."""
        alike = a.order == b.order and set(a.order) == set(einsum.output)
        if alike and step.result.name not in self.exact:
            return a.order
        return tuple(einsum.output[axis] for axis in self.layouts[step.result.name])

    def unary(self, step: Step, einsum: Einsum) -> tuple[Array, str]:
        """Lower an einsum of one argument: diagonal, sum, then the output's form."""
        source = self.source(step.arguments[0], einsum.operands[0])
        owned = self.arrays[step.arguments[0].name].owned
        distinct = unique(source.order)
        kept = tuple(i for i in distinct if i in einsum.output)
        index_of, sizes = step_sizes(step), letter_sizes(step, self.sizes)
        # It goes along new axes, or onto a diagonal.
        spreads = not len(kept) == len(unique(einsum.output)) == len(einsum.output)
        notation = f"{''.join(source.order)}->{''.join(einsum.output)}"
        held = partial(self.held, f"sum_{step.arguments[0].name}")
        core = source
        if len(kept) < len(distinct):
            force = self.primitive
            expr = total(source, kept, index_of, sizes, held, force=force)
            core = Source(expr, kept)
            if not spreads:
                order = einsum.output if step.result.name in self.exact else kept
                if order != kept:
                    core = Source(self.placed(step.result, core, order), order)
                axes = tuple(einsum.output.index(index) for index in order)
                return self.assign(step.result, core.expr, axes), notation
            core = Source(held(expr), kept)
        elif len(distinct) < len(source.order):
            core = Source(diagonal(source, distinct), distinct)
            last = source.order[-1]
            apart = last != distinct[-1] or source.order.count(last) > 1
            if apart and not (spreads or step.result.name in self.results):
                # Its entries lie apart, and it is small beside what it is taken from.
                axes = tuple(einsum.output.index(index) for index in distinct)
                copy = Node(ArrayOp.COPY, (core.expr,))
                return self.assign(step.result, copy, axes), notation
        if step.result.name in self.broadcast or not spreads:
            axes = tuple(einsum.output.index(index) for index in core.order)
            return Array(core.expr, axes, owned), notation
        natural = tuple(range(len(einsum.output)))
        target = Ref(self.variable(step.result, natural))
        part = partial(self.names.fresh, f"{step.result.name}_block")
        written = spread(target, core, einsum.output, index_of, sizes, part)
        self.statements.extend(written)
        return Array(target, natural, owned=True), notation

    def held(self, stem: str, expr: Expr) -> Ref:
        """Give a part of a step a variable."""
        target = Ref(self.names.fresh(stem))
        self.statements.append(Statement(target, expr))
        return target


def _by_axis(array: Array) -> Source:
    """See an array with a letter for each axis, also where its indices repeat."""
    return Source(array.expr, _lettered(array.axes))


def _lettered(axes: Axes) -> Subscripts:
    return tuple(map(str, axes))


def _is_identity(step: Step) -> bool:
    """Tell whether the result is the argument, axis by axis; ``ii->ii`` is not."""
    match step.op:
        case Einsum((first,), output):
            return first == output == unique(output)
    return False
