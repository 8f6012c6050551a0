"""``eingrad explain``: its texts, its data, its costs and its command."""

from __future__ import annotations

import ast
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from explanations import FOLDER, SUFFIXES, explanation, files

import eingrad
from eingrad.activations import ACTIVATIONS, read_activation
from eingrad.cli import main
from eingrad.explanation.costs import written
from eingrad.explanation.explain import Explanation
from eingrad.explanation.formula import Entry, Turned, transposed
from eingrad.explanation.text import WIDTH


def run(*args: str) -> int:
    """Run the command line and return its exit code."""
    try:
        main(list(args))
    except SystemExit as left:
        return int(left.code or 0)
    return 0


@pytest.mark.parametrize(("name", "style"), list(files()))
def test_explanation_is_the_golden_file(name: str, style: str) -> None:
    path = FOLDER / f"{name}{SUFFIXES[style]}"
    assert explanation(name).as_format(style) == path.read_text("utf-8"), (
        "run `make generate`"
    )


def test_every_golden_file_has_its_case() -> None:
    names = {f"{name}{SUFFIXES[style]}" for name, style in files()}
    assert {path.name for path in FOLDER.iterdir()} == names


def test_the_two_proofs_of_the_matrix_product() -> None:
    """(dL/dA) = G Bᵀ and (dL/dB) = Aᵀ G, element by element."""
    text = str(eingrad.explain("ij,jk->ik"))
    lines = [line.strip() for line in text.splitlines()]
    for line in [
        "C[i,k] = Σ_j A[i,j] B[j,k]",
        "∂L/∂A[i*,j*] = Σ_ik ∂L/∂C[i,k] · ∂C[i,k]/∂A[i*,j*]",
        "∂C[i,k]/∂A[i*,j*] = Σ_j δ[i,i*] δ[j,j*] B[j,k] = δ[i,i*] B[j*,k]",
        "∂L/∂A[i*,j*] = Σ_ik G[i,k] δ[i,i*] B[j*,k] = Σ_k G[i*,k] B[j*,k]",
        "grad_A[i,j] = Σ_k G[i,k] B[j,k]",
        "grad_A = G Bᵀ",
        "∂C[i,k]/∂B[j*,k*] = Σ_j δ[j,j*] δ[k,k*] A[i,j] = δ[k,k*] A[i,j*]",
        "∂L/∂B[j*,k*] = Σ_ik G[i,k] δ[k,k*] A[i,j*] = Σ_i G[i,k*] A[i,j*]",
        "grad_B[j,k] = Σ_i G[i,k] A[i,j]",
        "grad_B = Aᵀ G",
    ]:
        assert line in lines


def sets(spec: str, operand: int, **options: Any) -> str:
    """Write the sets of an operand as ``I kept i, J contracted j``."""
    found = eingrad.explain(spec, **options).content.operands[operand]
    words = ([role.set, role.name, *role.indices] for role in found.roles)
    return ", ".join(" ".join(filter(None, row)) for row in words)


@pytest.mark.parametrize(
    ("spec", "operand", "expected"),
    [
        ("ij,jk->ik", 0, "I kept i, J contracted j, K kept k"),
        ("ij,jk->k", 0, "I lone i, J contracted j, K kept k"),
        ("ij,jk->k", 1, "I kept k, J contracted j, K lone i"),
        ("bij,bj->bi", 1, "J batch b, J contracted j, K kept i"),
        ("ij,jk,kl->il", 0, "I kept i, J contracted j, K kept l, K inner k"),
        ("ii->", 0, "I lone i, repeated i"),
        ("i->ii", 0, "I kept i, diagonal i"),
        (",->", 0, ""),
    ],
)
def test_index_sets(spec: str, operand: int, expected: str) -> None:
    assert sets(spec, operand) == expected


def test_new_and_broadcast_indices_are_named() -> None:
    assert sets("i->ij", 0, sizes={"j": 2}) == "I kept i, new j"
    shapes = [(2, 1), (3, 4)]
    assert sets("ij,jk->ik", 0, shapes=shapes).endswith(", broadcast j")
    assert "broadcast" not in sets("ij,jk->ik", 1, shapes=shapes)


@pytest.mark.parametrize(
    ("spec", "names", "shapes", "expected"),
    [
        (
            "ij,jk->ik",
            "ab",
            [(2, 1), (3, 4)],
            ["grad_A[i,0] = Σ_jk G[i,k] B[j,k]", "grad_B[j,k] = Σ_i G[i,k] A[i,0]"],
        ),
        (
            "ij,ij,ij->",
            "xxy",
            [(1, 3), (1, 3), (2, 3)],
            ["grad_X[0,j] = 2 Σ_i g X[0,j] Y[i,j]", "grad_Y[i,j] = g X₁[0,j] X₂[0,j]"],
        ),
        (
            "ij,kj,ik->j",
            "xxw",
            [(1, 3), (1, 3), (2, 2)],
            [
                "grad_X[0,j] = 2 Σ_ik g[j] X[0,j] W[i,k]",
                "grad_W[i,k] = Σ_j g[j] X₁[0,j] X₂[0,j]",
            ],
        ),
    ],
)
def test_gradients_along_axes_of_size_1_are_sums(
    spec: str, names: str, shapes: list[tuple[int, ...]], expected: list[str]
) -> None:
    found = eingrad.explain(spec, operands=list(names), shapes=shapes)
    assert list(found.gradients.values()) == expected


@pytest.mark.parametrize(
    ("spec", "operands", "expected"),
    [
        ("ij,jk->ik", None, ("AB", "C", "G")),
        ("ij,j->i", None, ("Ab", "c", "g")),
        ("ij,jk,kl,lm,mn,no,op->ip", None, ("ABCDEFG", "H", "Γ")),
        ("ij,jk->ik", ["A", "a"], ("Aa", "B", "G")),
        ("ij,jk->ik", ["L", "x"], ("LX", "Y", "G")),
        ("ij,jk->ik", ["h", "i"], ("Hi", "J", "G")),
        ("ij,jk->ik", ["I", "H"], ("iH", "J", "G")),
        ("ABij,Bjk->ABik", None, ("ab", "C", "G")),
        ("ABCij,BCj->ABCi", None, ("ab", "D", "G")),
    ],
)
def test_symbols_are_told_apart(
    spec: str, operands: list[str] | None, expected: tuple[str, str, str]
) -> None:
    found = eingrad.explain(spec, operands=operands).content
    arrays = "".join(array.name for array, _ in found.arrays)
    assert (arrays, found.output[0].name, found.cotangent[0].name) == expected
    names = {*arrays, found.output[0].name, found.cotangent[0].name, found.loss.name}
    assert len(names) == len(arrays) + 3


def test_the_identity_is_no_operand() -> None:
    found = eingrad.explain("ii,k->", operands=["i", "b"])
    assert found.gradients["i"] == "grad_i = g (𝟏ᵀ b) I"
    assert found.gradients["b"] == "grad_b = g tr(i) 𝟏"


def test_twice_transposed_is_as_before() -> None:
    matrix = Turned(Entry("A"), conjugated=True)
    assert transposed(transposed(matrix)) == matrix
    assert transposed(transposed(Entry("A"))) == Entry("A")


@pytest.mark.parametrize(
    ("spec", "names", "told"),
    [
        ("ij,kj->ik", "xx", True),
        ("ij,jk->ik", "xx", False),
        ("i,i,i->i", "xxx", False),
        ("ij,jk,ki->", "xxx", False),
        ("i,ij,jk,k->", "vxxv", False),
    ],
)
def test_only_a_sum_with_its_transpose_is_told_as_one(
    spec: str, names: str, told: bool
) -> None:
    found = eingrad.explain(spec, operands=list(names))
    assert ("differ by a transposition" in " ".join(found.text.split())) is told


# --- costs ---


def test_costs_of_a_chain() -> None:
    sizes = dict(zip("ijkl", (2, 3, 5, 7), strict=True))
    costs = eingrad.explain("ij,jk,kl->il", sizes=sizes).content.costs
    forward, together, apart = costs.work
    assert (forward.contractions, together.contractions, apart.contractions) == (
        2,
        4,
        6,
    )
    # (AB)C costs ijk + ikl.
    assert forward.number == 2 * 3 * 5 + 2 * 5 * 7
    assert together.number == 2 * forward.number
    # G Cᵀ Bᵀ, Aᵀ G Cᵀ and (AB)ᵀ G, each in its best order.
    assert apart.number == (70 + 30) + (70 + 30) + (30 + 70)
    assert costs.assumed == ()
    assert "1.5 times" in costs.verdict


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({}, "every size 32"),
        ({"j": 4}, "j = 4, every other size 32"),
        ({"i": 4, "j": 4, "k": 4}, "every size 4"),
        ({"i": 4, "j": 4, "k": 5}, "i = 4, j = 4, k = 5"),
    ],
)
def test_it_is_said_which_sizes_the_costs_are_for(
    sizes: dict[str, int], words: str
) -> None:
    costs = eingrad.explain("ij,jk->ik", sizes=sizes).content.costs
    assert costs.sizes_in_words == words


def test_a_sum_of_one_operand_multiplies_nothing() -> None:
    assert eingrad.explain("ij->").content.costs.multiplies is False


@pytest.mark.parametrize(
    ("spec", "options", "contractions", "apart", "verdict"),
    [
        ("i->i", {"activation": "gelu"}, (0, 0, 0), "i", ""),
        (
            "ij,jk->ik",
            {"activation": "leaky_relu:0.1"},
            (1, 2, 2),
            "2*i*j*k + 2*i*k",
            "The gradients cost 2 times the forward pass.",
        ),
        (
            "ij,jk->ik",
            {"activation": "gelu", "bias": "k", "wrt": ["a", "bias"]},
            (1, 1, 1),
            "i*j*k + 2*i*k",
            "The gradients cost as much as the forward pass.",
        ),
    ],
)
def test_each_way_to_the_gradients_of_a_layer_multiplies_by_the_slope(
    spec: str,
    options: dict[str, Any],
    contractions: tuple[int, ...],
    apart: str,
    verdict: str,
) -> None:
    found = eingrad.explain(spec, **options)
    costs = found.content.costs
    assert tuple(work.contractions for work in costs.work) == contractions
    assert written(costs.work[-1].multiply_adds) == apart
    assert costs.verdict == verdict
    assert "\n\n\n" not in found.text
    assert "<p></p>" not in found.html


def test_a_chain_of_sixty_is_explained_in_short() -> None:
    letters = [chr(0x4E00 + k) for k in range(61)]
    terms = [a + b for a, b in itertools.pairwise(letters)]
    found = eingrad.explain(f"{','.join(terms)}->{letters[0]}{letters[-1]}")
    assert "Chain rule" not in found.text
    assert "57 more gradients follow by the same rule" in found.text
    assert "It has 119 arrays" in found.text
    assert len(found.content.costs.work) == 2
    assert len(json.loads(found.json)["tree"]) == found.mermaid.count('["') == 119


# --- what follows the einsum ---


def layer(activation: str = "gelu") -> Explanation:
    """Explain act(x W + bias)."""
    options = {"operands": ["x", "w"], "output": "y", "bias": "j"}
    return eingrad.explain("bi,ij->bj", activation=activation, **options)


def test_bias_and_function_are_derived_before_the_einsum() -> None:
    text = layer().text
    head = text.partition("are the operands")[0]
    assert head.index("S[b,j] = ") < head.index("Z[b,j] = ") < head.index("Y[b,j] = ")
    for line in [
        "Y[b,j] = gelu(Z[b,j])",
        "∂L/∂Z[b,j] = D[b,j] = G[b,j] gelu'(Z[b,j])",
        "gelu'(x) = Φ(x) + x φ(x)",
        "Z[b,j] = S[b,j] + bias[j]",
        "grad_bias[j] = Σ_b D[b,j]",
        "grad_X = D Wᵀ",
        "grad_W = Xᵀ D",
    ]:
        assert f"       {line}\n" in text
    assert "conj" not in text


def test_the_bias_has_its_gradient_too() -> None:
    assert layer().gradients == {
        "x": "grad_X = D Wᵀ",
        "w": "grad_W = Xᵀ D",
        "bias": "grad_bias[j] = Σ_b D[b,j]",
    }


@pytest.mark.parametrize("activation", [row.name for row in ACTIVATIONS])
def test_every_activation_is_stated_with_its_derivative(activation: str) -> None:
    read, parameters = read_activation(activation)
    found = layer(activation)
    for row in (read.formula, read.derivative, *read.terms):
        filled = read.filled(row, parameters)
        assert f"       {filled.text}\n" in found.text
        assert filled.latex.split(" = ", 1)[1] in found.latex
    assert r"\alpha" not in found.latex
    assert f"The function {read.choice}." in " ".join(found.text.split())
    assert found.html.count("<math>") > 20


def test_a_layer_is_explained_in_every_format() -> None:
    found = layer()
    assert r"\operatorname{gelu}'(Z_{bj})" in found.latex
    assert "After the einsum" in found.html
    assert [s["title"] for s in json.loads(found.json)["layers"]] == [
        "The function gelu",
        "The sum",
    ]
    assert "apply gelu" in found.mermaid


# --- formats and the command ---


@pytest.mark.parametrize(("name", "style"), list(files()))
def test_lines_of_text_fit_a_terminal(name: str, style: str) -> None:
    if style == "text":
        assert max(map(len, explanation(name).text.splitlines())) <= WIDTH


def test_json_has_the_documented_keys() -> None:
    from eingrad.explanation import record

    documented = {
        word
        for line in (record.__doc__ or "").splitlines()
        if line.startswith("    ") and line[4:5].isalpha()
        for word in line[4:17].replace(",", " ").split()
    }
    facts = json.loads(eingrad.explain("ij,jk->ik").json)
    assert set(facts) <= documented | {"cotangent"}
    assert facts["gradients"][0]["equations"][1]["text"] == "grad_A = G Bᵀ"
    assert facts["costs"]["work"][0]["multiply_adds"] == {
        "text": "i*j*k",
        "terms": [{"indices": ["i", "j", "k"], "count": 1}],
        "number": 32**3,
    }


def test_a_figure_that_depends_on_no_size_is_a_constant() -> None:
    facts = json.loads(eingrad.explain("i->i", sizes={"i": 6}).json)["costs"]["facts"]
    assert [(fact["label"], fact["value"]) for fact in facts] == [
        (
            "peak memory of vjp and pullback",
            {"text": "96", "terms": [{"indices": [], "count": 96}], "number": 96},
        )
    ]


def test_mermaid_draws_every_array_once() -> None:
    lines = eingrad.explain("ij,jk,kl->il").mermaid.splitlines()
    assert lines[1] == "flowchart BT"
    assert sum("-->" in line for line in lines) == 4
    assert sum("[" in line for line in lines[2:]) == 5


def test_the_page_shows_the_module() -> None:
    found = eingrad.explain("ij,jk->ik")
    assert ast.parse(found.content.source)
    assert found.content.source == eingrad.generate("ij,jk->ik")


def test_a_notebook_shows_page_and_formula() -> None:
    found = eingrad.explain("ij,jk->ik")
    assert found._repr_html_().startswith("<iframe ")
    assert 'srcdoc="&lt;!DOCTYPE html&gt;' in found._repr_html_().replace("&#34;", '"')
    assert r"\nabla_{A} L &= G \, B^{\mathsf{T}}" in found._repr_latex_()


def test_the_formula_of_a_notebook_defines_what_it_reads() -> None:
    assert layer()._repr_latex_().splitlines()[1:-1] == [
        r"S_{bj} &= \sum_{i} X_{bi} \, W_{ij} \\",
        r"Z_{bj} &= S_{bj} + \mathit{bias}_{j} \\",
        r"Y_{bj} &= \operatorname{gelu}(Z_{bj}) \\",
        r"G &= \frac{\partial L}{\partial Y} \\",
        r"\frac{\partial L}{\partial Z_{bj}} &= D_{bj} \\",
        r"&= G_{bj} \, \operatorname{gelu}'(Z_{bj}) \\",
        r"\operatorname{gelu}(x) &= x\,\Phi(x) \\",
        r"\operatorname{gelu}'(x) &= \Phi(x) + x\,\varphi(x) \\",
        r"\Phi(x) &= \tfrac12 (1 + \operatorname{erf}(x/\sqrt{2})) \\",
        r"\varphi(x) &= \Phi'(x) = \frac{1}{\sqrt{2\pi}} \, e^{-x^2/2} \\",
        r"(\nabla_{\mathit{bias}} L)_{j} &= \sum_{b} D_{bj} \\",
        r"\nabla_{X} L &= D \, W^{\mathsf{T}} \\",
        r"\nabla_{W} L &= X^{\mathsf{T}} \, D",
    ]
    found = eingrad.explain("ij,jk->ik", operands=["x", "x"])._repr_latex_()
    assert r"\nabla_{X} L &= G \, X^{\mathsf{T}} + X^{\mathsf{T}} \, G" in found


@pytest.mark.parametrize("style", SUFFIXES)
def test_command_prints_what_python_gives(
    style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("explain", "ij,jk->ik", "--format", style, "--operands", "x,w") == 0
    expected = eingrad.explain("ij,jk->ik", operands=["x", "w"]).as_format(style)
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize("style", SUFFIXES)
def test_a_file_has_the_format_of_its_ending(tmp_path: Path, style: str) -> None:
    path = tmp_path / f"matmul{SUFFIXES[style]}"
    assert run("explain", "ij,jk->ik", "-o", str(path)) == 0
    assert path.read_text("utf-8") == eingrad.explain("ij,jk->ik").as_format(style)
    assert run("explain", "ij,jk->ik", "--format", "text", "-o", str(path)) == 0
    assert path.read_text("utf-8") == str(eingrad.explain("ij,jk->ik"))


@pytest.mark.parametrize("style", SUFFIXES)
def test_command_writes_over_explanations(tmp_path: Path, style: str) -> None:
    path = tmp_path / "new" / "matmul"
    options = ("--format", style, "-o", str(path))
    assert run("explain", "ij->ji", "--sizes", "i=2,j=3", *options) == 0
    assert run("explain", "ij,jk->ik", *options) == 0
    assert path.read_text("utf-8") == eingrad.explain("ij,jk->ik").as_format(style)


@pytest.mark.parametrize(
    "text",
    [
        "my notes\n",
        "",
        eingrad.generate("ij->ji"),
        '[tool.eingrad]\nout = "gen"\n',
        "# Code generated by eingrad. DO NOT EDIT.\nversion = 1\n",
        '{"command": "eingrad"}\n',
    ],
)
def test_command_writes_over_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    assert run("explain", "ij,jk->ik", "-o", str(path)) == 3
    assert path.read_text() == text
    assert capsys.readouterr().err == (
        f"error: nothing was written\n  {path} is not an explanation that eingrad "
        "wrote; move it, or choose another name\n"
    )


def test_command_names_the_endings_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "costs.svg"
    assert run("explain", "ij,jk->ik", "-o", str(path)) == 2
    assert not path.exists()
    assert capsys.readouterr().err == (
        "error: no format is known by '.svg'; FILE ends in .txt, .md, .tex, .html, "
        ".mmd, .json, or --format names one\n"
    )
    assert run("explain", "ij,jk->ik", "--format", "json", "-o", str(path)) == 0


def test_json_is_short_for_its_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "ij,jk->ik", "--json") == 0
    assert capsys.readouterr().out == eingrad.explain("ij,jk->ik").json


def test_command_refuses_what_generate_refuses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("explain", "ij,jk->iz") == 2
    assert "appears in no operand" in capsys.readouterr().err
    with pytest.raises(eingrad.OptionError):
        eingrad.explain("ij,jk->ik", operands=["<b>", "c"])
