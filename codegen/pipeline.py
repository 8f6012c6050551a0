"""The map: from a spec to the text of a module, one line a stage.

read_request       options            -> Request, with the Einsum that spec.parse reads
contraction_trees  Einsum, sizes      -> ContractionTrees
forward_program    ContractionTree    -> Program
reverse_mode       Program, wrt       -> Program
forward_mode       Program            -> Program
simplify           Program            -> Program
lower              Program, sizes     -> ArrayProgram
module             all of them        -> Module, the lines of every function
render             Module, template   -> text
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .contraction import ContractionTree, Optimizer, contraction_trees
from .differentiate import forward_mode, reverse_mode
from .lower import lower
from .module import Derivation, Lowered, module
from .program import Names, Program, forward_program, verify
from .render import render
from .request import Request, read_request
from .simplify import simplify


def generate(
    spec: str,
    *,
    target: str = "numpy",
    operands: Sequence[str] | None = None,
    output: str | None = None,
    sizes: Mapping[str, int] | None = None,
    shapes: Sequence[Sequence[int]] | None = None,
    wrt: Sequence[str] | None = None,
    complex: str = "adjoint",
    optimize: Optimizer = "auto",
    name: str | None = None,
    license: str = "0BSD",
    line_length: int = 88,
    regenerate: str | None = None,
) -> str:
    """Return the text of a standalone module that computes ``spec`` and its gradients.

    operands, output: names of the operands (``a, b, c, …``) and of the output
        (``output``); one name in two places is one array.
    sizes, shapes: the sizes of indices, or the shape of each operand.  They steer the
        plan and limit nothing, but shapes fix how many axes ``...`` stands for, and a
        new output index needs its size.
    wrt: names of the operands whose gradients are wanted; all of them.
    complex: ``adjoint`` conjugates, as PyTorch does; ``transpose`` does not, as JAX.
    optimize: a method of opt_einsum, or a path in its linear format.
    name: the kernel's name in a build.
    license: SPDX expression of the output; ``""`` leaves the line out.
    regenerate: the command in the header.

    Raises SpecError or OptionError, which say what is wrong and what would do.
    """
    request = read_request(
        spec,
        target=target,
        operands=operands,
        output=output,
        sizes=sizes,
        shapes=shapes,
        wrt=wrt,
        complex=complex,
        optimize=optimize,
        name=name,
        license=license,
        line_length=line_length,
        regenerate=regenerate,
    )
    return render(module(derive(request)))


def derive(request: Request) -> Derivation:
    """Run the stages from the request to the array programs.

    Of several contraction trees, the one is taken whose forward pass and gradients
    together cost least as they were lowered.
    """
    trees = contraction_trees(request.einsum, request.sizes, request.optimize)
    joint = [_joint(request, tree) for tree in trees]
    best = min(range(len(trees)), key=lambda k: joint[k][1].arrays.cost)
    forward, lowered = joint[best]
    tangent = simplify(forward_mode(forward))
    names = [request.output, f"tangent_{request.output}"]
    return Derivation(
        request=request,
        tree=trees[best],
        forward=forward,
        joint=lowered,
        tangent=_lowered(tangent, names, request),
    )


def _joint(request: Request, tree: ContractionTree) -> tuple[Program, Lowered]:
    """Return the forward program, and it and the gradients lowered together."""
    forward = forward_program(tree, request.operands, request.output)
    adjoint = request.complex == "adjoint"
    reverse = reverse_mode(forward, request.wrt, adjoint=adjoint)
    joint = simplify(replace(reverse, outputs=(*forward.outputs, *reverse.outputs)))
    names = [request.output, *(f"grad_{name}" for name in request.wrt)]
    return forward, _lowered(joint, names, request)


def _lowered(program: Program, outputs: Sequence[str], request: Request) -> Lowered:
    """Check a program and lower it, its outputs in variables of these names."""
    verify(program)
    names = Names(value.name for value in program.inputs)
    results = {
        v.name: names.fresh(n) for v, n in zip(program.outputs, outputs, strict=True)
    }
    return Lowered(program, lower(program, results, request.sizes), results)
