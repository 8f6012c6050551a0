"""What a module says of itself: formulas, index sets and costs, in words."""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable

from .activations import read_activation
from .derivation import Derivation
from .errors import display_width
from .gradient import gradient
from .memory_limit import Limited
from .pretty import fits
from .program import monomials
from .request import Request
from .spec import Einsum, Index, Subscripts, unique

# Specs with more operands are summed up rather than written out.
WRITTEN_OUT = 8

# A space at which no line breaks.
NO_BREAK = "\N{NO-BREAK SPACE}"


def abbreviated(einsum: Einsum, length: int = 40) -> str:
    """Return the spec, cut short to ``length`` columns if it is long."""
    text = str(einsum)
    while display_width(text) > length:
        kept = text.removesuffix("..")
        text = f"{kept[:-1]}.."
    return text


def formula(einsum: Einsum, operands: Iterable[str], output: str) -> str:
    """Write the einsum in index notation: ``c[i,k] = sum_j a[i,j] * b[j,k]``."""
    factors = " * ".join(map(_entry, operands, einsum.operands))
    over = summed(einsum)
    total = f"sum_{''.join(over)} " if over else ""
    return f"{_entry(output, einsum.output)} = {total}{factors}"


def _entry(name: str, subscripts: Subscripts) -> str:
    return f"{name}[{','.join(subscripts)}]" if subscripts else name


def layer_formula(request: Request) -> str:
    """Write what the module computes: ``c[i,k] = gelu(sum_j a[i,j] * b[j,k])``."""
    text = formula(request.einsum, request.operands, request.output)
    if request.bias is not None:
        text += f" + {_entry(request.bias.name, request.bias.subscripts)}"
    if request.activation is None:
        return text
    left, right = text.split(" = ", 1)
    return f"{left} = {request.activation.function}({right})"


def summed(einsum: Einsum) -> Subscripts:
    """List the indices that the einsum sums over."""
    return tuple(index for index in einsum.indices if index not in einsum.output)


def role_of(einsum: Einsum, index: Index) -> str:
    """Name the part that an index plays in the spec as a whole.

    >>> from .spec import parse
    >>> [role_of(parse("bij,bjk->bi"), index) for index in "bijk"]
    ['batch', 'kept', 'contracted', 'summed']
    """
    holders = sum(index in term for term in einsum.operands)
    if not holders:
        return "new"
    if index in einsum.output:
        return "batch" if holders > 1 else "kept"
    return "contracted" if holders > 1 else "summed"


def roles(einsum: Einsum) -> str:
    """Say which part each index plays: batch, contracted, summed, and so on."""
    played: defaultdict[str, list[Index]] = defaultdict(list)
    for index in einsum.indices:
        played[role_of(einsum, index)].append(index)
    repeated = [i for i in unique(einsum.output) if einsum.output.count(i) > 1]
    parts = [(role, played[role]) for role in ("batch", "contracted", "summed")]
    parts += [("constant along", played["new"]), ("on the diagonal of", repeated)]
    return ", ".join(
        f"{word} {' '.join(indices)}" for word, indices in parts if indices
    )


def polynomial(terms: Counter[Subscripts]) -> str:
    """Write a count of multiply-adds as a polynomial of the sizes."""

    def factor(index: Index) -> str:
        return "(...)" if index == "..." else index

    written = []
    for indices, count in terms.items():
        factors = [str(count)] if count != 1 or not indices else []
        written.append("*".join([*factors, *map(factor, indices)]))
    return " + ".join(written) or "0"


def describe(derivation: Derivation) -> list[str]:
    """Write the docstring of a module, but for its quotes."""
    request = derivation.request
    width = request.line_length
    einsum = request.einsum
    written = layer_formula(request)
    blocks = [[f"{written}, and its gradients."]]
    if not fits(f'"""{blocks[0][0]}', width):
        blocks = [[f"An einsum of {len(einsum.operands)} operands, and its gradients."]]
        if len(einsum.operands) <= WRITTEN_OUT:
            wrapped = textwrap.wrap(written, width - 8, subsequent_indent="    ")
            blocks.append([f"    {line}" for line in wrapped])
    blocks += [
        _table(request),
        _paragraph(f"{reason(request)}{_sums(request)}", width),
        _paragraph(_costs(derivation), width),
        _paragraph(_memory(derivation.limited), width),
        _paragraph(
            f"{_fixed(request)}{convention(request)}{broadcasting(request)}", width
        ),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block).split("\n")


_CONVENTIONS = {
    "adjoint": (
        "Complex operands follow the adjoint convention, as in PyTorch: a gradient "
        "uses the conjugate of the other operands."
    ),
    "transpose": (
        "Complex operands follow the transpose convention, as in JAX: nothing is "
        "conjugated in a gradient."
    ),
}


def convention(request: Request) -> str:
    """Say how a gradient treats complex operands, where others stand beside it."""
    if request.activation is not None:
        return "Operands are real, and integers are computed in float64. "
    several = len(request.operands) > 1
    return f"{_CONVENTIONS[request.complex]} " if several else ""


def _fixed(request: Request) -> str:
    """Say the sizes that no operand tells, and that are part of the module."""
    sizes = [f"{i} = {request.sizes[i]}" for i in request.einsum.new_indices]
    if not sizes:
        return ""
    return f"An index of the output alone has a fixed size: {', '.join(sizes)}. "


def broadcasting(request: Request) -> str:
    """Say what becomes of axes of size 1, where an index stands in two arrays."""
    bias = () if request.bias is None else (request.bias.subscripts,)
    terms = (*request.einsum.operands, *bias)
    counts = Counter(index for term in terms for index in unique(term))
    if max(counts.values(), default=0) < 2:
        return ""
    return "An axis of size 1 broadcasts, and its gradient is summed back."


def _paragraph(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(text, min(width, 80), break_long_words=False)
    return [line.replace(NO_BREAK, " ") for line in lines]


def _table(request: Request) -> list[str]:
    """List the forward spec and each gradient's, with the parts of their indices."""
    einsum = request.einsum
    if len(einsum.operands) > WRITTEN_OUT:
        return []
    rows = [("forward", einsum)]
    for name in dict.fromkeys(request.operands):
        if name in request.wrt:
            first, *more = (gradient(einsum, k) for k in _places(request, name))
            rows += [(f"grad_{name}", first), *(("  +", rule) for rule in more)]
    if request.bias is not None and request.bias.name in request.wrt:
        rule = Einsum((einsum.output,), request.bias.subscripts)
        rows.append((f"grad_{request.bias.name}", rule))
    names = max(len(name) for name, _ in rows)
    specs = max(display_width(str(spec)) for _, spec in rows)
    lines = []
    for name, spec in rows:
        padding = " " * (specs - display_width(str(spec)))
        line = f"    {name:{names}}    {spec}{padding}    {roles(spec)}".rstrip()
        short = f"    {name:{names}}    {spec}"
        lines.append(line if fits(line, request.line_length) else short)
    if not all(fits(line, request.line_length) for line in lines):
        return []
    return lines


def _places(request: Request, name: str) -> list[int]:
    """List the places of an array among the operands."""
    return [k for k, other in enumerate(request.operands) if other == name]


def _sums(request: Request) -> str:
    """Say whose gradient in the table is the sum of several lines."""
    if len(request.operands) > WRITTEN_OUT:
        return ""
    counts = {name: len(_places(request, name)) for name in request.wrt}
    return "".join(
        f" {name} stands in {count} places: its gradient is the sum of what each gives."
        for name, count in counts.items()
        if count > 1
    )


def reason(request: Request) -> str:
    """Say why the gradient of an einsum is an einsum."""
    each, one = "each operand", "an operand"
    if len(request.operands) == 1:
        each, one = "its operand", "the operand"
    text = (
        f"An einsum is linear in {each}, so the gradient of {one} is an einsum again: "
        "the cotangent takes the operand's place, and the operand's indices become the "
        "output."
    )
    if request.activation is None:
        return text
    row, parameters = read_activation(request.activation.symbol)
    slope = row.stated(row.derivative, parameters)
    return (
        f"{text} What takes it is the cotangent of z, the argument of {row.name}: "
        f"grad_{request.output} * {row.name}'(z), entry by entry, with {slope}."
    )


def _costs(derivation: Derivation) -> str:
    """State the multiply-adds, and the contraction path where there is a choice."""
    request, forward = derivation.request, derivation.forward
    pullback = monomials(derivation.reverse_steps)
    there = monomials(forward.steps)
    if not there:
        return ""
    text = (
        f"Multiply-adds: {polynomial(there)} forward, {polynomial(pullback)} for the "
        f"gradients."
    )
    if len(text) > 4 * request.line_length:
        text = (
            f"The forward pass takes {there.total()} contractions, the gradients "
            f"{pullback.total()}."
        )
    if len(request.operands) > 2:
        pairs = (str(pair).replace(" ", NO_BREAK) for pair in derivation.tree.path)
        text += f" Contraction path: {', '.join(pairs)}."
    return text


def _memory(limited: Limited | None) -> str:
    """State a limit of the memory, what is reached, and its price."""
    if limited is None:
        return ""
    text = (
        f"Memory: at the sizes planned for, vjp and its pullback hold at most "
        f"{limited.peak} elements beside the operands and the cotangent, within the "
        f"limit of {limited.limit}, at {limited.price:.2f} times the multiply-adds of "
        f"the plan without a limit."
    )
    if limited.blocks:
        lengths = (f"{n} of {index}" for index, n in limited.blocks.items())
        text += f" It is computed in blocks of {' by '.join(lengths)}."
    if limited.recomputed:
        *most, last = limited.recomputed
        names = f"{', '.join(most)} and {last}" if most else last
        several = f"{len(limited.recomputed)} intermediate results"
        again = names if len(most) < WRITTEN_OUT else several
        text += f" The pullback computes {again} again."
    return text
