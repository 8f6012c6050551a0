"""Text -> Einsum: the only place that reads einsum syntax.

    spec     = terms [ "->" term ]
    terms    = term { "," term }
    term     = { index } [ "..." { index } ]
    index    = any Unicode letter

Spaces may stand between tokens.  Without an arrow the output is *implicit*: the
ellipsis, then the indices that occur once, sorted by code point.  The ellipsis is
one ``Index``, ``"..."``: it stands for any number of axes, known only when arrays
arrive, and every later stage treats it like any other index.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .errors import OptionError, SpecError

Index = str
Subscripts = tuple[Index, ...]

ELLIPSIS: Index = "..."

# The most that an axis of an array can have.
LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True)
class Einsum:
    """The subscripts of each operand and of the output.

    The grammar is closed: an output index may repeat (written on the diagonal) or
    be new (constant along it), so that the gradient of an einsum is an einsum.
    """

    operands: tuple[Subscripts, ...]
    output: Subscripts

    def __str__(self) -> str:
        return ",".join(map("".join, self.operands)) + "->" + "".join(self.output)

    @property
    def indices(self) -> Subscripts:
        """Every index once, in order of first appearance."""
        return unique(itertools.chain(*self.operands, self.output))

    @property
    def new_indices(self) -> Subscripts:
        """Indices that stand in the output alone."""
        known = set(itertools.chain(*self.operands))
        return unique(index for index in self.output if index not in known)


def unique(indices: Iterator[Index] | Collection[Index]) -> Subscripts:
    """Return each index once, in order of first appearance."""
    return tuple(dict.fromkeys(indices))


def parse(text: str, sizes: Collection[Index] = ()) -> Einsum:
    """Read a spec; ``sizes`` holds the indices whose size is given.

    ``str(parse(text))`` is canonical: explicit, without spaces.

    Raises SpecError, which points at the culprit.
    """
    if not isinstance(text, str):
        kind = type(text).__name__
        raise OptionError(f"a spec is a string such as 'ij,jk->ik', got {kind}")
    return _Parser(text).spec(sizes)


def parse_part(text: str, output: Subscripts) -> Subscripts:
    """Read one term whose indices are distinct and stand in ``output``.

    Raises SpecError, which points at the culprit.
    """
    if not isinstance(text, str):
        raise OptionError(f"subscripts are a string such as 'j', got {text!r}")
    return _Parser(text).part(output)


_TOKEN = re.compile(r"(?P<space>\s+)|(?P<arrow>->)|(?P<dots>\.+)|(?P<char>.)", re.S)

# What is written for an arrow, spaces within it included.
_ARROW_LIKE = re.compile(r"[->=<–—→⇒⟶](\s*[->=<–—→⇒⟶])*")


@dataclass(frozen=True)
class _Token:
    """An index, ``","``, ``"..."``, ``"->"``, or the end (empty text)."""

    text: str
    span: tuple[int, int]


class _Parser:
    """Recursive descent; each method is named for the production that it reads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._tokenize())
        self.position = 0

    def error(self, message: str, span: tuple[int, int], hint: str) -> SpecError:
        return SpecError(message, self.text, span, hint)

    def _tokenize(self) -> Iterator[_Token]:
        for match in _TOKEN.finditer(self.text):
            text, span = match.group(), match.span()
            if match.lastgroup == "space":
                continue
            if match.lastgroup == "dots" and text != ELLIPSIS:
                raise self.error(
                    f"malformed ellipsis {text!r}", span, "an ellipsis is three dots"
                )
            if match.lastgroup == "char" and text != "," and not text.isalpha():
                raise self._bad_character(text, span)
            yield _Token(text, span)
        yield _Token("", (len(self.text), len(self.text) + 1))

    def _bad_character(self, text: str, span: tuple[int, int]) -> SpecError:
        for arrow in _ARROW_LIKE.finditer(self.text):
            start, end = arrow.span()
            if start <= span[0] < end:
                fixed = f"{self.text[:start].strip()}->{self.text[end:].strip()}"
                hint = f"the output follows '->'; did you mean {fixed!r}?"
                message = f"malformed arrow {arrow.group()!r}"
                return self.error(message, arrow.span(), hint)
        if text == "…":
            return self.error(f"unknown character {text!r}", span, "write '...'")
        hint = "a spec is made of letters, ',', '...' and '->'"
        return self.error(f"unknown character {text!r}", span, hint)

    def next(self) -> _Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def spec(self, sizes: Collection[Index]) -> Einsum:
        if len(self.tokens) == 1:
            hint = "name at least one operand; a scalar operand is '->'"
            raise self.error("the spec is empty", self.tokens[0].span, hint)
        terms, end = self.terms()
        operands = tuple(map(_subscripts, terms))
        if end.text == "->":
            output = self.output(operands, sizes)
        else:
            output = _implicit_output(operands)
        return Einsum(operands, output)

    def terms(self) -> tuple[list[list[_Token]], _Token]:
        """Read terms up to the arrow or the end, which is returned beside them."""
        terms = []
        while True:
            term, end = self.term()
            terms.append(term)
            if end.text != ",":
                return terms, end

    def term(self) -> tuple[list[_Token], _Token]:
        """Read a term and the token that ends it."""
        term: list[_Token] = []
        while (token := self.next()).text not in ("", ",", "->"):
            if token.text == ELLIPSIS and token.text in _subscripts(term):
                hint = "a term has at most one '...'"
                raise self.error("second ellipsis in a term", token.span, hint)
            term.append(token)
        return term, token

    def part(self, output: Subscripts) -> Subscripts:
        term, end = self.term()
        if end.text:
            raise self.error("more than one term", end.span, "write indices alone")
        have = f"the output has {', '.join(unique(output)) or 'no index'}"
        for position, token in enumerate(term):
            if token.text not in output:
                message = f"index {token.text!r} is not in the output"
                raise self.error(message, token.span, have)
            if token.text in _subscripts(term[:position]):
                message = f"index {token.text!r} stands twice"
                raise self.error(message, token.span, "write each index once")
        return _subscripts(term)

    def output(
        self, operands: tuple[Subscripts, ...], sizes: Collection[Index]
    ) -> Subscripts:
        term, end = self.term()
        if end.text == ",":
            hint = "the output is one term; operands stand before '->'"
            raise self.error("',' after the arrow", end.span, hint)
        if end.text == "->":
            hint = "a spec has one '->', between the operands and the output"
            raise self.error("second arrow", end.span, hint)
        known = unique(itertools.chain(*operands))
        for token in term:
            index = token.text
            if index not in known and index not in sizes and index != ELLIPSIS:
                message = f"output index {index!r} appears in no operand"
                raise self.error(message, token.span, _new_index_hint(index, known))
        # An ellipsis that no operand has binds no axis.
        return tuple(
            index for index in _subscripts(term) if index != ELLIPSIS or index in known
        )


def _subscripts(term: list[_Token]) -> Subscripts:
    return tuple(token.text for token in term)


def _implicit_output(operands: tuple[Subscripts, ...]) -> Subscripts:
    counts = Counter(itertools.chain(*operands))
    once = sorted(i for i, n in counts.items() if n == 1 and i != ELLIPSIS)
    return (*([ELLIPSIS] if ELLIPSIS in counts else []), *once)


def _new_index_hint(index: Index, known: Subscripts) -> str:
    have = f"have {', '.join(known)}" if known else "have no index"
    return (
        f"the operands {have}\n"
        f"or give {index} a size, and the output is constant along it: "
        f"--sizes {index}=8\n"
        f"or, in a configuration, sizes = {{ {index} = 8 }}"
    )


def resolve_shapes(
    einsum: Einsum, shapes: Sequence[Sequence[int]]
) -> tuple[Einsum, dict[Index, int]]:
    """Replace the ellipsis by plain indices, and read off the size of every index.

    Raises OptionError where the shapes do not fit the spec or each other.
    """
    if len(shapes) != len(einsum.operands):
        raise OptionError(
            f"{einsum} needs a shape for each operand: "
            f"{len(einsum.operands)} in all, got {len(shapes)}"
        )
    pairs = list(zip(einsum.operands, shapes, strict=True))
    ranks = [
        len(shape) - len(subscripts) + 1
        for subscripts, shape in pairs
        if ELLIPSIS in subscripts
    ]
    letters = (chr(c) for c in itertools.count(ord("A")))
    free = (c for c in letters if c.isalpha() and c not in einsum.indices)
    axes = tuple(itertools.islice(free, max(0, *ranks, 0)))

    def expand(subscripts: Subscripts, rank: int) -> Subscripts:
        if ELLIPSIS not in subscripts:
            return subscripts
        at = subscripts.index(ELLIPSIS)
        bound = axes[len(axes) - rank :] if rank > 0 else ()
        return subscripts[:at] + bound + subscripts[at + 1 :]

    operands = tuple(expand(s, len(shape) - len(s) + 1) for s, shape in pairs)
    resolved = Einsum(operands, expand(einsum.output, len(axes)))
    return resolved, _sizes_of(resolved, shapes)


def _sizes_of(einsum: Einsum, shapes: Sequence[Sequence[int]]) -> dict[Index, int]:
    found: dict[Index, tuple[int, str]] = {}
    for subscripts, shape in zip(einsum.operands, shapes, strict=True):
        place = f"the shape {tuple(shape)} of {''.join(subscripts)!r}"
        if len(subscripts) != len(shape):
            raise OptionError(
                f"shape {tuple(shape)} does not fit the operand "
                f"{''.join(subscripts)!r}, which has {len(subscripts)} axes"
            )
        own: dict[Index, tuple[int, str]] = {}
        for index, size in zip(subscripts, shape, strict=True):
            _check_count(index, size)
            known = own.get(index) or found.get(index, (size, place))
            if size != known[0] and (index in own or 1 not in (size, known[0])):
                raise OptionError(
                    f"index {index!r} has size {size} in {place}, "
                    f"but size {known[0]} in {known[1]}"
                )
            own[index] = (size, place)
            if size != 1 or index not in found:
                found[index] = own[index]
    return {index: size for index, (size, _) in found.items()}


def parse_sized(
    text: str, sizes: Mapping[Index, int] | None
) -> tuple[Einsum, dict[Index, int]]:
    """Read a spec, and check the sizes that are given for its indices.

    Raises SpecError, and OptionError where a size is for no index, or is not a size.
    """
    if sizes is not None and not isinstance(sizes, Mapping):
        raise OptionError(f"sizes maps indices to counts, got {sizes!r}")
    known = dict(sizes or {})
    einsum = parse(text, known)
    for index, size in known.items():
        if index not in einsum.indices:
            have = ", ".join(einsum.indices) or "no index"
            raise OptionError(f"size of unknown index {index!r}; {einsum} has {have}")
        _check_count(index, size)
    return einsum, known


def _check_count(index: Index, size: object) -> None:
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise OptionError(f"the size of index {index!r} is {size!r}, not a count")
    if size > LARGEST_SIZE:
        raise OptionError(
            f"the size of index {index!r} is more than {LARGEST_SIZE}, "
            "the most that an axis can have"
        )
