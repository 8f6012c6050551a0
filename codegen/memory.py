"""Derivation + sizes -> the peak memory of its functions, without running them.

The statements that the functions are written from are followed one by one: what each
allocates, what it copies on the way, what it writes over, and what is deleted after
it.  The count is what tracemalloc sees of operands that are computed with as they are:
C-ordered arrays of one dtype, without broadcasting or float16.  Buffers that NumPy
takes for itself, of a few thousand entries, are left out, and so are the blocks that
most activations run in: up to eight, of 2^15 entries of float64.  Products that are
cut into blocks on one thread are counted so.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from .allocation import OPERATIONS, Allocator
from .array_program import ENTRYWISE, ArrayOp, Block, Expr, Node, Ref, Statement
from .bodies import size_names, sweeps, writer
from .contraction import ASSUMED_SIZE
from .derivation import Derivation
from .functions import Writer
from .program import Value
from .request import Request
from .spec import Index
from .strided import Memory, Sizes, Strided, contiguous
from .targets.operations import WRITES_OUT


@dataclass(frozen=True)
class PeakMemory:
    """The most bytes held at once beside the operands and the cotangent.

    Results count.  ``vjp`` is a call of it, then of its pullback once, while the
    output is still held.
    """

    forward: int
    backward: int
    vjp: int


def peak_memory(
    derivation: Derivation,
    sizes: Mapping[Index, int] | None = None,
    *,
    itemsize: int = 8,
    conjugates: bool = False,
) -> PeakMemory:
    """Return the peak memory of the emitted functions, in bytes.

    sizes: of the indices, by default those that the plan was made for; unknown ones
    are taken as ``ASSUMED_SIZE``.  itemsize: bytes of an entry.  conjugates: whether
    the operands are complex, whose conjugates take memory of their own.
    """
    request, joint = derivation.request, derivation.joint
    extents = full_sizes(request, request.sizes if sizes is None else sizes)
    lengths = derivation.limited.blocks if derivation.limited else {}
    cut = {**extents, **lengths}
    inputs = {v.name: _given(v, extents, cut) for v in joint.program.inputs}
    results = [*joint.results.values()]
    write = writer(joint, request, size_names(derivation))
    swept = sweeps(derivation)

    def body(
        blocks: Sequence[Block],
        kept: Sequence[str] = (),
        into: Mapping[str, str] = MappingProxyType({}),
    ) -> _Body:
        run = _Body(cut, conjugates, write, inputs)
        run.run(blocks, [*results, *kept], into)
        return run

    if lengths:
        forward = body(swept.forward)
        outputs = joint.program.outputs
        whole = [math.prod(extents[i] for i in value.subscripts) for value in outputs]
        there = forward.peak + whole[0]
        back = body([*swept.residuals, *swept.reverse]).peak + sum(whole[1:])
        peaks = (there, back, max(there, back + whole[0]))
    else:
        forward = body(swept.forward, into=swept.output_into)
        backward = body(swept.residuals, swept.kept)
        backward.call()
        backward.run(swept.reverse, results, swept.gradients_into)
        vjp = body(swept.forward, swept.kept)
        vjp.keep([results[0], *swept.kept])
        vjp.run(swept.reverse, results, swept.gradients_into)
        peaks = (forward.peak, backward.peak, vjp.peak)
    return PeakMemory(*(peak * itemsize for peak in peaks))


def _given(
    value: Value, extents: Mapping[Index, int], cut: Mapping[Index, int]
) -> Strided:
    """View a block of an input, which takes no memory; ``cut`` are its sizes."""
    strides = contiguous([extents[index] for index in value.subscripts])
    return Strided(tuple(cut[i] for i in value.subscripts), strides, Memory(0))


def full_sizes(request: Request, known: Mapping[Index, int]) -> dict[Index, int]:
    """Return the size of every index; those that are one size know it from each."""
    same = request.same_size
    found = {same[index]: size for index, size in known.items() if index in same}
    return {index: found.get(same[index], ASSUMED_SIZE) for index in same}


@dataclass
class _Body(Allocator):
    """The arrays that a function's variables hold, as its statements run."""

    writer: Writer
    inputs: Mapping[str, Strided]
    peak: int = 0
    held: list[Strided] = field(default_factory=list)
    named: list[tuple[Node, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.variables = dict(self.inputs)
        self.given = {array.memory for array in self.inputs.values()}

    def run(
        self, blocks: Sequence[Block], kept: Collection[str], into: Mapping[str, str]
    ) -> None:
        """Run blocks that are one function's body, up to its return.

        There is no array to write results into, so ``into`` changes the text alone.
        """
        for done in self.writer.written(self.writer.printer(into), blocks, kept):
            self.named = [(part, name) for name, part in done.parts.items()]
            for statement in done.block.statements:
                self.statement(statement, done.reusable)
            for name in done.deleted:
                self.variables.pop(name, None)

    def keep(self, names: Iterable[str]) -> None:
        """Delete all variables but these and the inputs."""
        kept = {*names, *self.inputs}
        self.variables = {n: a for n, a in self.variables.items() if n in kept}

    def call(self) -> None:
        """Enter another function, while this one holds on to its variables."""
        held = {f"caller's {n}": array for n, array in self.variables.items()}
        self.variables |= held

    def allocate(self, shape: Sizes, strides: Sizes | None = None) -> Strided:
        """Take memory until the statement ends, and note the peak."""
        strides = contiguous(shape) if strides is None else strides
        array = Strided(shape, strides, Memory(math.prod(shape)))
        self.held.append(array)
        alive = {a.memory for a in (*self.held, *self.variables.values())}
        total = sum(memory.entries for memory in alive - self.given)
        self.peak = max(self.peak, total)
        return array

    def statement(self, statement: Statement, reusable: str | None) -> None:
        """Run one statement as the target prints it."""
        value, over = statement.value, Ref(reusable or "")
        if isinstance(value, Node) and value.op in ENTRYWISE and over in value.args:
            result = self.written_over(value, over)
        elif statement.through and isinstance(value, Node) and value.op in WRITES_OUT:
            arrays = self.arguments(value)
            if value.op is ArrayOp.BLOCKS:
                self.within_blocks(arrays)
            result = arrays[0]
        else:
            result = self.value(value)
        if statement.assigned is not None:
            self.variables[statement.assigned] = result
        self.held.clear()

    def written_over(self, value: Node, over: Ref) -> Strided:
        """Write an elementwise result over a variable.

        NumPy copies another argument first that lies in the same memory otherwise.
        """
        result = self.variables[over.name]
        for array in self.arguments(value):
            if array.memory is result.memory and array != result:
                self.allocate(array.shape)
        return result

    def arguments(self, value: Node) -> list[Strided]:
        return [self.value(arg) for arg in value.args]

    def value(self, expr: Expr) -> Strided:
        """Evaluate an expression; what only its arguments hold is let go."""
        if isinstance(expr, Ref):
            return self.variables[expr.name]
        before = len(self.held)
        result = OPERATIONS[expr.op](self, expr, self.arguments(expr))
        if expr.c_order:
            result = replace(result, strides=contiguous(result.shape))
        del self.held[before:]
        self.held.append(result)
        if named := [pair for pair in self.named if pair[0] == expr]:
            self.named.remove(named[0])
            self.variables[named[0][1]] = result
        return result
