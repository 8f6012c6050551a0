"""The map: from a spec to the text of a module, one line a stage.

read_request       options            -> Request, with the Einsum that spec.parse reads
contraction_trees  Einsum, sizes      -> ContractionTrees
forward_program    ContractionTree    -> Program
reverse_mode       Program, wrt       -> Program
forward_mode       Program            -> Program
simplify           Program            -> Program
lower              Program, sizes     -> ArrayProgram
within_limit       Derivation, limit  -> Derivation whose memory stays within it
module             all of them        -> Module, the lines of every function
render             Module, template   -> text
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .contraction import ContractionTree, contraction_trees
from .differentiate import forward_mode, reverse_mode
from .limit import within_limit
from .lower import lower
from .memory_limit import Limited
from .module import Derivation, Lowered, module
from .options import Options
from .program import Names, Program, forward_program, verify
from .recompute import recompute
from .render import render
from .request import Request, read_request
from .simplify import simplify
from .spec import Index


def generate(spec: str, **options: Any) -> str:
    """Return the text of a standalone module that computes ``spec`` and its gradients.

    The options are the fields of `Options`: ``operands``, ``output``, ``sizes``,
    ``shapes``, ``wrt``, ``complex``, ``optimize``, ``license``, ``line_length``, …

    Raises SpecError or OptionError, which say what is wrong and what would do.
    """
    return generated(read_request(spec, Options(**options)))


def generated(request: Request) -> str:
    """Return the text of the module that is asked for."""
    return render(module(derive(request)))


def derive(request: Request) -> Derivation:
    """Run the stages from the request to the array programs.

    Of several contraction trees, the one is taken whose forward pass and gradients
    together cost least as they were lowered; a limit of the memory may take another.
    """
    trees = contraction_trees(request.einsum, request.sizes, request.optimize)
    joint = [_joint(request, tree) for tree in trees]
    best = min(range(len(trees)), key=lambda k: joint[k][1].arrays.cost)
    derivation = _derivation(request, trees[best], *joint[best])
    if request.memory_limit is None:
        return derivation
    return within_limit(derivation, request.memory_limit, _programs, _limited)


def _derivation(
    request: Request,
    tree: ContractionTree,
    forward: Program,
    joint: Lowered,
    limited: Limited | None = None,
) -> Derivation:
    """Lower the forward sweep of the JVP too, and put all together."""
    tangent = simplify(forward_mode(forward))
    names = [request.output, f"tangent_{request.output}"]
    sizes = request.sizes if limited is None else {**request.sizes, **limited.blocks}
    return Derivation(
        request=request,
        tree=tree,
        forward=forward,
        joint=joint,
        tangent=_lowered(tangent, names, request, sizes),
        limited=limited,
    )


def _limited(request: Request, tree: ContractionTree, limited: Limited) -> Derivation:
    """Derive along a tree, in blocks and with values computed again as is said."""
    forward, joint = _programs(request, tree)
    made = {step.result.name for step in forward.steps}
    joint = recompute(joint, made, limited.recomputed)
    sizes = {**request.sizes, **limited.blocks}
    names = [request.output, *(f"grad_{name}" for name in request.wrt)]
    lowered = _lowered(joint, names, request, sizes)
    return _derivation(request, tree, forward, lowered, limited)


def _programs(request: Request, tree: ContractionTree) -> tuple[Program, Program]:
    """Return the forward program, and it and the gradients together."""
    forward = forward_program(tree, request.operands, request.output)
    adjoint = request.complex == "adjoint"
    reverse = reverse_mode(forward, request.wrt, adjoint=adjoint)
    joint = simplify(replace(reverse, outputs=(*forward.outputs, *reverse.outputs)))
    return forward, joint


def _joint(request: Request, tree: ContractionTree) -> tuple[Program, Lowered]:
    """Return the forward program, and it and the gradients lowered together."""
    forward, joint = _programs(request, tree)
    names = [request.output, *(f"grad_{name}" for name in request.wrt)]
    return forward, _lowered(joint, names, request, request.sizes)


def _lowered(
    program: Program,
    outputs: Sequence[str],
    request: Request,
    sizes: Mapping[Index, int],
) -> Lowered:
    """Check a program and lower it, its outputs in variables of these names."""
    verify(program)
    names = Names(value.name for value in program.inputs)
    results = {
        v.name: names.fresh(n) for v, n in zip(program.outputs, outputs, strict=True)
    }
    return Lowered(program, lower(program, results, sizes), results)
