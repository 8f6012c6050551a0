"""What is timed: the table of workloads, and their arrays.

Operands are normal numbers, scaled so that the output has a variance of about one:
long networks stay inside float32, and float16 keeps its digits.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from graphs import (
    Network,
    matrix_chain,
    matrix_ring,
    mps_inner_product,
    peps,
    random_regular,
    tensor_train,
    tree,
)
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]

# Classes whose times are no ordinary layer's.
EXTRAORDINARY = frozenset({"networks", "tiny", "float16"})


@dataclass(frozen=True)
class Workload:
    """A spec with shapes and a dtype; forward and the gradient of every operand.

    ``kind`` is the class that geometric means are taken over.
    """

    name: str
    kind: str
    spec: str
    shapes: tuple[Shape, ...]
    dtype: str = "float32"
    note: str = ""

    @property
    def terms(self) -> tuple[tuple[str, ...], str]:
        """The subscripts of each operand and of the output, without an ellipsis."""
        left, output = self.spec.split("->")
        operands = left.split(",")
        if "..." not in self.spec:
            return tuple(operands), output
        pairs = zip(operands, self.shapes, strict=True)
        rank = max(len(s) - len(t) + 3 for t, s in pairs if "..." in t)
        free = "".join(c for c in "ABCDEFGH" if c not in self.spec)[:rank]
        return tuple(t.replace("...", free) for t in operands), output.replace(
            "...", free
        )

    @property
    def plain_spec(self) -> str:
        """The spec without an ellipsis."""
        operands, output = self.terms
        return f"{','.join(operands)}->{output}"

    @property
    def sizes(self) -> dict[str, int]:
        """The size of every index."""
        pairs = zip(self.terms[0], self.shapes, strict=True)
        return {i: n for term, shape in pairs for i, n in zip(term, shape, strict=True)}

    @property
    def output_shape(self) -> Shape:
        return tuple(self.sizes[index] for index in self.terms[1])


@dataclass(frozen=True)
class Arrays:
    """The operands of a workload and the cotangent of its output."""

    operands: tuple[Array, ...]
    cotangent: Array


def arrays_of(workload: Workload) -> Arrays:
    """Draw the arrays of ``workload``; the same ones every time."""
    rng = np.random.default_rng(zlib.crc32(workload.name.encode()))
    terms, output = workload.terms
    sizes = workload.sizes
    holders = Counter(chain.from_iterable(map(set, terms)))

    def draw(shape: Shape, variance: float = 1.0) -> Array:
        values = rng.standard_normal(shape)
        if workload.dtype.startswith("complex"):
            values = (values + 1j * rng.standard_normal(shape)) / math.sqrt(2)
        return np.asarray(values * math.sqrt(variance), workload.dtype)

    def variance(term: str) -> float:
        summed = sorted(index for index in set(term) if index not in output)
        return math.exp(-sum(math.log(sizes[i]) / holders[i] for i in summed))

    operands = zip(terms, workload.shapes, strict=True)
    return Arrays(
        tuple(draw(shape, variance(term)) for term, shape in operands),
        draw(workload.output_shape),
    )


def sized(
    name: str, kind: str, spec: str, sizes: str, dtype: str = "float32", note: str = ""
) -> Workload:
    """Make a workload from sizes such as ``"i=8 j=16"``."""
    pairs = (pair.split("=") for pair in sizes.split())
    size = {index: int(n) for index, n in pairs}
    terms = spec.split("->")[0].split(",")
    shapes = tuple(tuple(size[i] for i in term) for term in terms)
    return Workload(name, kind, spec, shapes, dtype, note)


def network(name: str, made: Network, note: str = "") -> Workload:
    """Make a workload of class ``networks``."""
    spec, shapes = made
    return Workload(name, "networks", spec, shapes, note=note)


def _square(n: int, kind: str, dtype: str = "float32") -> Workload:
    name = f"matmul {n}" + (f" {dtype}" if dtype != "float32" else "")
    return sized(name, kind, "ij,jk->ik", f"i={n} j={n} k={n}", dtype)


def _layers() -> Iterable[Workload]:
    yield _square(8, "tiny")
    yield _square(32, "tiny")
    yield _square(128, "gemm")
    yield _square(512, "gemm")
    yield _square(1024, "gemm")
    yield _square(512, "gemm", "float64")
    yield _square(256, "gemm", "complex64")
    yield _square(256, "float16", "float16")
    size = "i=512 j=512 k=512"
    yield sized("matmul transposed 512", "gemm", "ji,kj->ik", size)
    yield sized("linear small", "tiny", "bi,oi->bo", "b=16 i=32 o=24")
    yield sized("linear large", "gemm", "bi,oi->bo", "b=256 i=1024 o=768")


def _batched() -> Iterable[Workload]:
    product = "bij,bjk->bik"
    yield sized("bmm 64x64^3", "batched", product, "b=64 i=64 j=64 k=64")
    yield sized("bmm 4096x8^3", "batched", product, "b=4096 i=8 j=8 k=8")
    yield sized("bmm 32x256^3", "batched", product, "b=32 i=256 j=256 k=256")
    heads = "b=4 h=8 q=128 k=128 d=64"
    yield sized("attention scores", "batched", "bqhd,bkhd->bhqk", heads)
    yield sized("attention values", "batched", "bhqk,bkhd->bqhd", heads)
    shapes = ((4, 8, 64, 48), (4, 8, 48, 96))
    spec = "...ij,...jk->...ik"
    yield Workload("ellipsis bmm", "batched", spec, shapes)
    experts = "t=256 e=8 c=64 d=128 f=256"
    yield sized("moe dispatch", "gemm", "tec,td->ecd", experts)
    yield sized("moe ffn", "batched", "ecd,edf->ecf", experts)
    yield sized("moe mix", "gemm", "tec,ecd->td", experts)
    patches = "b=4 x=28 y=28 k=3 l=3 c=16 f=32"
    yield sized("conv patches", "gemm", "bxyklc,klcf->bxyf", patches)


def _memory_bound() -> Iterable[Workload]:
    kind, megabyte = "memory", "i=1024 j=1024"
    yield sized("outer 2048", kind, "i,j->ij", "i=2048 j=2048")
    yield sized("row dots 1024", kind, "ij,ij->i", megabyte)
    yield sized("dot 10^6", kind, "i,i->", "i=1000000")
    yield sized("matvec 2048", kind, "ij,j->i", "i=2048 j=2048")
    yield sized("row scaling 1024", kind, "ij,i->ij", megabyte)
    cube = "i=96 j=96 k=128"
    yield sized("hadamard sum", kind, "ijk,ijk->k", cube)
    yield sized("hadamard 3", kind, "ijk,ijk,ijk->ik", cube)
    yield sized("transpose 4 axes", kind, "abcd->cadb", "a=32 b=32 c=32 d=32")
    yield sized("sum middle axis", kind, "ijk->ik", "i=128 j=64 k=128")
    yield sized("trace 1024", "diagonals", "ii->", "i=1024")
    yield sized("batched diagonal", "diagonals", "bii->bi", "b=64 i=128")
    yield sized("trace of product", "diagonals", "ij,ji->", megabyte)


def _many_operands() -> Iterable[Workload]:
    kind = "many"
    linear = "b=2 q=128 k=128 h=4 d=32 e=32"
    yield sized("linear attention", kind, "bqhd,bkhd,bkhe->bqhe", linear)
    cube = "i=64 j=80 k=96 l=64"
    yield sized("ttm last axis", "gemm", "ijk,kl->ijl", cube)
    yield sized("ttm middle axis", "gemm", "ijk,jl->ilk", cube)
    yield sized("bilinear", kind, "bi,oij,bj->bo", "b=64 i=64 o=32 j=64")
    core = "a=16 b=20 c=24 i=64 j=56 k=48"
    yield sized("tucker", kind, "abc,ia,jb,kc->ijk", core)
    factors = "i=128 j=96 k=80 r=16"
    yield sized("cp reconstruction", kind, "ir,jr,kr->ijk", factors)
    yield sized("mttkrp", kind, "ijk,jr,kr->ir", factors)
    yield sized("khatri-rao", "memory", "ir,jr->ijr", "i=256 j=256 r=16")
    chain4 = "a=64 b=128 c=32 d=96 e=48"
    yield sized("chain of 4", kind, "ab,bc,cd,de->ae", chain4)


def _networks() -> Iterable[Workload]:
    yield network("chain of 100", matrix_chain(100))
    yield network("ring of 20", matrix_ring(20, 16))
    yield network("mps inner product 24", mps_inner_product(24, 16, 2))
    yield network("tensor train of 10", tensor_train(10, 8, 4), "in full")
    yield network("3-regular of 30", random_regular(30, 4))
    yield network("peps 4x4", peps(4, 3))
    yield network("tree of 63", tree(63, 12))


def table() -> tuple[Workload, ...]:
    """Return every workload with a name, class by class."""
    groups = (_layers(), _batched(), _memory_bound(), _many_operands(), _networks())
    workloads = list(chain.from_iterable(groups))
    kinds = list(dict.fromkeys(workload.kind for workload in workloads))
    return tuple(sorted(workloads, key=lambda workload: kinds.index(workload.kind)))


# A few of every class, for a first look.
QUICK = frozenset(
    {"matmul 8", "matmul 128", "matmul 512", "matmul 256 float16", "linear small"}
    | {"matmul transposed 512", "linear large", "bmm 64x64^3", "attention scores"}
    | {"bmm 4096x8^3", "moe mix", "row dots 1024", "outer 2048", "hadamard sum"}
    | {"sum middle axis", "batched diagonal", "linear attention", "ttm middle axis"}
    | {"cp reconstruction", "mttkrp", "chain of 4", "ring of 20", "peps 4x4"}
)
