"""The map: from a spec to the text of a module, one line a stage.

read_request       options            -> Request, with the Einsum that spec.parse reads
contraction_trees  Einsum, sizes      -> ContractionTrees
layer_program      ContractionTree    -> Program, with a bias and an activation
reverse_mode       Program, wrt       -> Program
forward_mode       Program            -> Program
simplify           Program            -> Program
lower              Program, sizes     -> ArrayProgram
share              Lowered            -> Lowered, what is read alike made once
within_limit       Derivation, limit  -> Derivation whose memory stays within it
module             all of them        -> Module, the lines of every function
render             Module, template   -> text
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .contraction import ContractionTree, contraction_trees
from .derivation import Derivation, Lowered
from .differentiate import forward_mode, reverse_mode
from .layer import layer_program
from .limit import within_limit
from .lower import lower
from .memory_limit import Limited
from .module import module
from .naming import PARAMETERS
from .options import read_options, shows_options
from .program import Names, Program, verify
from .recompute import recompute
from .render import render
from .request import Request, read_request
from .share import share
from .simplify import simplify


@shows_options
def generate(spec: str, **options: Any) -> str:
    """Return the text of a standalone module that computes ``spec`` and its gradients.

    The options are the fields of `Options`: ``operands``, ``output``, ``sizes``,
    ``shapes``, ``wrt``, ``complex``, ``optimize``, ``license``, ``line_length``, …

    Raises SpecError or OptionError, which say what is wrong and what would do.
    """
    return generated(read_request(spec, read_options(options)))


def generated(request: Request) -> str:
    """Return the text of the module that is asked for."""
    return written(derive(request))


def written(derivation: Derivation) -> str:
    """Return the text of the module that was derived."""
    return render(module(derivation))


def derive(request: Request) -> Derivation:
    """Run the stages from the request to the array programs.

    Of several contraction trees, the one is taken whose forward pass and gradients
    together cost least as they were lowered, to the nanosecond; a limit of the memory
    may take another.
    """
    trees = contraction_trees(request.einsum, request.sizes, request.optimize)
    joint = [_joint(request, tree) for tree in trees]
    best = min(range(len(trees)), key=lambda k: round(joint[k][1].arrays.cost))
    found = _derivation(request, trees[best], *joint[best])
    if request.memory_limit is not None:
        found = within_limit(found, request.memory_limit, _programs, _limited)
    if request.order == 2:
        found = replace(found, second=_second(found.forward, request))
    return found


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
    along = _lowered(tangent, names, request, limited, loose=2)
    if limited is None:
        # What is held for another use takes memory.
        joint, along = share(joint), share(along)
    return Derivation(
        request=request,
        tree=tree,
        forward=forward,
        joint=joint,
        tangent=along,
        limited=limited,
    )


def _limited(request: Request, tree: ContractionTree, limited: Limited) -> Derivation:
    """Derive along a tree, in blocks and with values computed again as is said."""
    return _derivation(request, tree, *_joint(request, tree, limited), limited)


def _joint(
    request: Request, tree: ContractionTree, limited: Limited | None = None
) -> tuple[Program, Lowered]:
    """Return the forward program, and it and the gradients lowered together."""
    forward, joint = _programs(request, tree)
    if limited is not None:
        made = {step.result.name for step in forward.steps}
        joint = recompute(joint, made, limited.recomputed)
    names = [request.output, *(f"grad_{name}" for name in request.wrt)]
    return forward, _lowered(joint, names, request, limited, loose=1)


def _programs(request: Request, tree: ContractionTree) -> tuple[Program, Program]:
    """Return the forward program, and it and the gradients together."""
    forward = layer_program(
        tree, request.operands, request.output, request.bias, request.activation
    )
    return forward, simplify(_reverse(forward, request))


def _reverse(forward: Program, request: Request) -> Program:
    """Return the program of the output and the gradients."""
    # Activations take real numbers only.
    adjoint = request.complex == "adjoint" and request.activation is None
    reverse = reverse_mode(forward, request.wrt, adjoint=adjoint)
    return replace(reverse, outputs=(*forward.outputs, *reverse.outputs))


def _second(forward: Program, request: Request) -> dict[str, Lowered]:
    """Differentiate the gradients, which forward mode does as it does the output."""
    reverse = _reverse(forward, request)
    count = len(reverse.outputs)
    names = [f"hvp_{name}" for name in request.wrt]
    everything = forward_mode(reverse, request.parameters)
    hvp = replace(everything, outputs=everything.outputs[count + 1 :])
    wanted = forward_mode(reverse, request.wrt)
    double = replace(wanted, outputs=wanted.outputs[count:])
    (output,) = forward.outputs
    return {
        "hvp": share(_lowered(simplify(hvp), names, request)),
        "double_backward": share(
            _lowered(simplify(double), [f"grad_grad_{output.name}", *names], request)
        ),
    }


def _lowered(
    program: Program,
    outputs: Sequence[str],
    request: Request,
    limited: Limited | None = None,
    *,
    loose: int = 0,
) -> Lowered:
    """Check a program and lower it, its outputs in variables of these names.

    The first ``loose`` of them may be copied as they lie in memory.  Gradients lie in C
    order, but for products entry by entry of operands that lie otherwise.  Where
    indices are cut, it is lowered for the sizes of one block.
    """
    verify(program)
    names = Names([*PARAMETERS, *(value.name for value in program.inputs)])
    results = {
        v.name: names.fresh(n) for v, n in zip(program.outputs, outputs, strict=True)
    }
    sizes = {**request.sizes, **(limited.blocks if limited else {})}
    free = [value.name for value in program.outputs[:loose]]
    arrays = lower(program, results, sizes, loose=free, shared=limited is None)
    return Lowered(program, arrays, results)
