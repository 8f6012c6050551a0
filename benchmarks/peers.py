"""The contestants: eingrad, and what its users could pick instead.

Each prepares a workload once (generates, plans, traces, compiles, moves arrays) and
returns one or more ways to run it.  A way computes the output and the gradient of
every operand; where there are several, the fastest is timed.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from by_hand import Gradient, gradients
from work import PATIENCE, loop_seconds
from workloads import Array, Arrays, Workload

Results = Sequence[Any]
Run = Callable[[], Results]


class UnsupportedError(Exception):
    """A contestant cannot run a workload; the message says why."""


@dataclass(frozen=True)
class Contestant:
    """``prepare`` gives the ways to run a workload, ``copied`` an array of its own."""

    name: str
    package: str
    prepare: Callable[[Workload, Arrays], list[Run]]
    plain: Callable[[Any], Array] = np.asarray
    copied: Callable[[Any], Any] = lambda array: np.array(array, order="C")

    @property
    def version(self) -> str | None:
        """The installed version, None where it is missing."""
        if importlib.util.find_spec(self.package) is None:
            return None
        return importlib.metadata.version(self.package)


def _eingrad(workload: Workload, arrays: Arrays) -> list[Run]:
    return _module(workload, arrays, shapes=workload.shapes)


def _module(workload: Workload, arrays: Arrays, **options: Any) -> list[Run]:
    import eingrad

    vjp = eingrad.load(workload.spec, **options).vjp
    operands, cotangent = arrays.operands, arrays.cotangent

    def run() -> Results:
        output, pullback = vjp(*operands)
        return (output, *pullback(cotangent))

    return [run]


def _numpy_paths(workload: Workload) -> list[Any]:
    """Return the values of ``optimize`` that suit np.einsum.

    By default its paths stop where a result would be larger than every operand, and
    leave one loop over all the rest; with a limit of their own they do not.
    """
    if len(workload.shapes) == 2:
        return [True]
    quick = loop_seconds(workload, optimize=True) <= PATIENCE
    return [*([True] if quick else []), ("greedy", 2**40)]


def _numpy(workload: Workload, arrays: Arrays) -> list[Run]:
    spec, wanted = workload.plain_spec, gradients(workload)
    operands, cotangent = arrays.operands, arrays.cotangent
    einsum = np.einsum

    def way(optimize: Any) -> Run:
        def run() -> Results:
            results = [einsum(spec, *operands, optimize=optimize)]
            for gradient in wanted:
                core = cotangent
                if gradient.spec is not None:
                    others = gradient.conjugated(operands)
                    core = einsum(gradient.spec, cotangent, *others, optimize=optimize)
                results.append(gradient.write(core))
            return results

        return run

    return [way(optimize) for optimize in _numpy_paths(workload)]


def _opt_einsum(workload: Workload, arrays: Arrays) -> list[Run]:
    from opt_einsum import contract_expression

    forward = contract_expression(workload.plain_spec, *workload.shapes)
    wanted: list[tuple[Gradient, Any]] = []
    for gradient in gradients(workload):
        spec, shapes = gradient.spec, gradient.operand_shapes
        wanted.append((gradient, spec and contract_expression(spec, *shapes)))
    operands, cotangent = arrays.operands, arrays.cotangent

    def run() -> Results:
        results = [forward(*operands)]
        for gradient, expression in wanted:
            core = cotangent
            if expression:
                core = expression(cotangent, *gradient.conjugated(operands))
            results.append(gradient.write(core))
        return results

    return [run]


def _autograd(workload: Workload, arrays: Arrays) -> list[Run]:
    # Its gradients are np.einsum without a path: a loop over the whole index space.
    if loop_seconds(workload, optimize=False) > PATIENCE:
        raise UnsupportedError("its gradients loop over every index, for too long")
    import autograd.numpy as anp
    from autograd import make_vjp

    places = tuple(range(len(arrays.operands)))
    operands, cotangent = arrays.operands, arrays.cotangent

    def way(optimize: bool) -> Run:
        def forward(*xs: Any) -> Any:
            return anp.einsum(workload.spec, *xs, optimize=optimize)

        traced = make_vjp(forward, places)

        def run() -> Results:
            pullback, output = traced(*operands)
            return (output, *pullback(cotangent))

        return run

    return [way(optimize=True), way(optimize=False)]


def _mygrad(workload: Workload, arrays: Arrays) -> list[Run]:
    import mygrad

    mygrad.turn_memory_guarding_off()
    tensors = [mygrad.tensor(x, copy=False) for x in arrays.operands]
    spec, cotangent = workload.spec, arrays.cotangent

    def way(optimize: Any) -> Run:
        def run() -> Results:
            output = mygrad.einsum(spec, *tensors, optimize=optimize)
            output.backward(cotangent)
            return (output.data, *(tensor.grad for tensor in tensors))

        return run

    paths = _numpy_paths(workload)
    if loop_seconds(workload, optimize=False) <= PATIENCE:
        paths.append(False)
    return [way(optimize) for optimize in paths]


def _torch(workload: Workload, arrays: Arrays) -> list[Run]:
    import torch

    tensors = [torch.from_numpy(x).requires_grad_() for x in arrays.operands]
    cotangent = torch.from_numpy(arrays.cotangent)
    spec, einsum, grad = workload.spec, torch.einsum, torch.autograd.grad

    def run() -> Results:
        output = einsum(spec, *tensors)
        return (output, *grad(output, tensors, cotangent))

    return [run]


def _torch_plain(tensor: Any) -> Array:
    array: Array = tensor.detach().numpy()
    return array


def _torch_copied(tensor: Any) -> Any:
    import torch

    return tensor.detach().clone(memory_format=torch.contiguous_format)


def _jax(workload: Workload, arrays: Arrays) -> list[Run]:
    import jax
    import jax.numpy as jnp

    def forward(*xs: Any) -> Any:
        return jnp.einsum(workload.spec, *xs)

    def both(cotangent: Any, *xs: Any) -> Any:
        output, pullback = jax.vjp(forward, *xs)
        return (output, *pullback(cotangent))

    compiled = jax.jit(both)
    operands = [jax.device_put(x) for x in arrays.operands]
    cotangent = jax.device_put(arrays.cotangent)
    wait = jax.block_until_ready

    def run() -> Results:
        results: Results = wait(compiled(cotangent, *operands))
        return results

    return [run]


OURS = Contestant("eingrad", "eingrad", _eingrad)
OURS_WITHOUT_SIZES = replace(OURS, prepare=_module)

PEERS = (
    Contestant("np.einsum", "numpy", _numpy),
    Contestant("opt_einsum", "opt_einsum", _opt_einsum),
    Contestant("autograd", "autograd", _autograd),
    Contestant("mygrad", "mygrad", _mygrad),
    Contestant("torch", "torch", _torch, _torch_plain, _torch_copied),
    Contestant("jax", "jax", _jax),
)


def limit_threads(threads: int) -> None:
    """Set what the environment does not."""
    if importlib.util.find_spec("torch") is not None:
        import torch

        torch.set_num_threads(threads)
