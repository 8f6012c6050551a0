"""Tensor networks as specs and shapes: lines, rings, trees, lattices, random graphs."""

from __future__ import annotations

import random
import string
from collections.abc import Iterable, Iterator
from itertools import chain, count, islice, pairwise

Network = tuple[str, tuple[tuple[int, ...], ...]]
Edge = tuple[int, int]


def letters() -> Iterator[str]:
    """Yield as many letters as anybody needs, the ASCII ones first."""
    yield from string.ascii_letters
    yield from (c for c in map(chr, count(192)) if c.isalpha())


def matrix_chain(length: int, *, seed: int = 5) -> Network:
    """Multiply ``length`` matrices, with sizes from 32 to 96."""
    rng = random.Random(seed)
    sizes = [rng.randint(32, 96) for _ in range(length + 1)]
    names = list(islice(letters(), length + 1))
    terms = [f"{i}{j}" for i, j in pairwise(names)]
    shapes = tuple(pairwise(sizes))
    return f"{','.join(terms)}->{names[0]}{names[-1]}", shapes


def matrix_ring(length: int, bond: int) -> Network:
    """Trace a product of ``length`` square matrices."""
    names = list(islice(letters(), length))
    following = [*names[1:], names[0]]
    terms = [f"{i}{j}" for i, j in zip(names, following, strict=True)]
    return f"{','.join(terms)}->", ((bond, bond),) * length


def tensor_train(sites: int, bond: int, physical: int) -> Network:
    """Contract a tensor train in full; its physical indices stay."""
    fresh = letters()
    bonds = list(islice(fresh, sites - 1))
    open_indices = list(islice(fresh, sites))
    lefts, rights = ["", *bonds], [*bonds, ""]
    sites_of = list(zip(lefts, open_indices, rights, strict=True))
    sizes = dict.fromkeys(bonds, bond) | dict.fromkeys(open_indices, physical)
    return _spec(map("".join, sites_of), "".join(open_indices), sizes)


def mps_inner_product(sites: int, bond: int, physical: int) -> Network:
    """Contract two matrix product states over their physical indices."""
    fresh = letters()
    upper, lower = list(islice(fresh, sites - 1)), list(islice(fresh, sites - 1))
    shared = list(islice(fresh, sites))
    terms = [
        f"{left}{p}{right}"
        for bonds in (upper, lower)
        for left, p, right in zip(["", *bonds], shared, [*bonds, ""], strict=True)
    ]
    sizes = dict.fromkeys(upper + lower, bond) | dict.fromkeys(shared, physical)
    return _spec(terms, "", sizes)


def tree(nodes: int, bond: int) -> Network:
    """Contract a binary tree to a number."""
    return _closed(nodes, [((k - 1) // 2, k) for k in range(1, nodes)], bond)


def peps(length: int, bond: int) -> Network:
    """Contract a square lattice to a number."""
    grid = [[row * length + k for k in range(length)] for row in range(length)]
    lines = [*grid, *map(list, zip(*grid, strict=True))]
    edges = [edge for line in lines for edge in pairwise(line)]
    return _closed(length * length, edges, bond)


def random_regular(nodes: int, bond: int, *, degree: int = 3, seed: int = 1) -> Network:
    """Contract a random regular graph to a number."""
    rng = random.Random(seed)
    while True:
        stubs = [node for node in range(nodes) for _ in range(degree)]
        rng.shuffle(stubs)
        pairs = zip(stubs[::2], stubs[1::2], strict=True)
        edges = {(min(pair), max(pair)) for pair in pairs}
        simple = len(edges) == nodes * degree // 2
        if simple and all(u != v for u, v in edges):
            return _closed(nodes, sorted(edges), bond)


def _closed(nodes: int, edges: Iterable[Edge], bond: int) -> Network:
    terms = [""] * nodes
    for name, (u, v) in zip(letters(), edges, strict=False):
        terms[u] += name
        terms[v] += name
    return _spec(terms, "", dict.fromkeys(chain.from_iterable(terms), bond))


def _spec(terms: Iterable[str], output: str, sizes: dict[str, int]) -> Network:
    operands = list(terms)
    shapes = tuple(tuple(sizes[index] for index in term) for term in operands)
    return f"{','.join(operands)}->{output}", shapes
