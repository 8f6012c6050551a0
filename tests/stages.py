"""Runs of single stages, for the tests that look at one at a time."""

from __future__ import annotations

from typing import Any

from eingrad.contraction import contraction_trees
from eingrad.layer import forward_program
from eingrad.options import Options
from eingrad.program import Program, Step, Value
from eingrad.request import Request, read_request
from eingrad.spec import parse


def request(spec: str, **options: Any) -> Request:
    """Read a spec and options as ``generate`` does."""
    return read_request(spec, Options(**options))


def forward(
    spec: str, names: str, path: list[tuple[int, ...]] | None = None
) -> Program:
    """Return the forward program along a path, by default from left to right."""
    einsum = parse(spec, sizes="z")
    count = len(einsum.operands)
    left = [(0, 1)] + [(0, k) for k in range(count - 2, 0, -1)] if count > 2 else None
    tree = contraction_trees(einsum, {}, path or left or "auto")[0]
    return forward_program(tree, names.split(","), "out")


def value(text: str) -> Value:
    """Read ``name[subscripts]``."""
    name, _, subscripts = text.removesuffix("]").partition("[")
    return Value(name, tuple(subscripts))


def step(result: str, op: Any, *arguments: str) -> Step:
    """Write a step; ``op`` is an operation, or the text of an einsum."""
    operation = parse(op, sizes="z") if isinstance(op, str) else op
    return Step(value(result), operation, tuple(map(value, arguments)))
