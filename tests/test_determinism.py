"""The text of a module depends on the request alone, and no tool would change it."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import eingrad

ROOT = Path(__file__).parent.parent

LETTERS = "abcdefghijk"
CHAIN = ",".join(a + b for a, b in itertools.pairwise(LETTERS)) + "->ak"
GREEK = "".join(map(chr, range(0x3B1, 0x3CA)))

# A spec and its options: the acid specs, then what else prints in its own way.
REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("ij,jk->ik", {}),
    ("abc,cd->ad", {}),
    ("ab,cd->", {}),
    ("abc->ca", {}),
    ("ii->", {}),
    ("iij->ji", {}),
    ("iii->i", {}),
    ("iijj->", {}),
    ("nd,nn->d", {}),
    ("ijji,kji,jj->kj", {}),
    ("iij,k->i", {}),
    ("ba", {}),
    ("aB,BC", {}),
    ("...ij,...jk->...ik", {}),
    ("...ij,...j->...i", {}),
    ("i...,i...->i...", {}),
    ("...i,...i->i", {}),
    ("ii,i->i", {}),
    (",ij->ij", {}),
    ("i,i->i", {}),
    ("ij,j->iij", {}),
    ("αβ,βγ->αγ", {}),
    ("->", {}),
    (",->", {}),
    ("->i", {"sizes": {"i": 3}}),
    ("i->i", {}),
    ("i->ii", {}),
    ("i,j->zizj", {"sizes": {"z": 2}}),
    ("a,aib,bjc,ckd,d->ijk", {}),
    ("ijk,ia,jb,kc->abc", {}),
    ("ijk,jr,kr->ir", {"sizes": {"i": 100, "j": 80, "k": 60, "r": 16}}),
    ("ijk,jr,kr->ir", {"shapes": [(5, 6, 7), (6, 2), (7, 2)]}),
    ("bi,bj,bk->ijk", {}),
    ("ij,jk,ki->", {"operands": ["x", "x", "x"]}),
    ("ij,kj->ik", {"operands": ["x", "x"]}),
    ("...i,...i->...", {"operands": ["x", "x"]}),
    ("bqhd,bkhd->bhqk", {"operands": ["query", "key"], "output": "scores"}),
    # Run time decides between forms of one array that differ in rank.
    ("axbt,aybt->xy", {}),
    ("bqd,bkd->bqk", {"sizes": {"b": 16, "q": 200, "k": 128, "d": 64}}),
    ("ij,jk,kl->il", {"complex": "transpose"}),
    ("ij,jk,kl->il", {"wrt": ["b"]}),
    ("ij,jk,kl->il", {"optimize": [(1, 2), (0, 1)]}),
    ("ij,jk,kl->il", {"optimize": "dp"}),
    (
        "ijk,jr,kr->ir",
        {
            "sizes": {"i": 9, "j": 8, "k": 7, "r": 5},
            "wrt": ["b", "c"],
            "memory_limit": 200,
        },
    ),
    (
        "ag,abi,bk,cgh,cdij,dkl,eh,efj,fl->",
        {"sizes": dict.fromkeys("abcdefghijkl", 6), "memory_limit": 2600},
    ),
    (
        "ab,bc,cd,de,ef->af",
        {"sizes": dict.fromkeys("abcdef", 10), "memory_limit": "10kB"},
    ),
    ("ij,j->i", {"license": ""}),
    ("ij,j->i", {"license": "MIT", "regenerate": "make kernels", "name": "linear"}),
    (CHAIN, {}),
    (f"{','.join(GREEK)}->{GREEK[::-1]}", {}),
    ("漢字,字漢->", {}),
    ("...ab,bc...,c...d->...ad", {"sizes": {"a": 2, "d": 9}}),
    ("abcdefgh,efghijkl->abcdijkl", {}),
    ("bi,ij->bj", {"bias": "j"}),
    ("bi,ij->bj", {"bias": "j", "activation": "gelu", "order": 2}),
    ("...i,ij->...j", {"bias": "...j", "activation": "leaky_relu:0.1", "order": 2}),
    ("...->...", {"activation": "gelu_tanh", "order": 2}),
    ("...->...", {"activation": "silu"}),
    ("i->ii", {"bias": "i", "activation": "softplus", "order": 2}),
    ("ij,kj->ik", {"operands": ["x", "x"], "activation": "tanh", "order": 2}),
    ("ij,jk,kl->il", {"order": 2, "complex": "transpose"}),
    ("ij,jk,kl->il", {"order": 2, "wrt": ["b"]}),
    ("ij->ji", {"order": 2}),
]

# The same kernels with names of many letters, and with lines of another length.
LONG_NAMES: list[tuple[str, dict[str, Any]]] = [
    (spec, {"operands": [c * size for c in letters], "output": "o" * size})
    for size in (16, 20, 24, 28)
    for spec, letters in [
        ("ij,jk->ik", "ab"),
        ("ii->", "a"),
        ("ijk,ia,jb,kc->abc", "abcd"),
        ("bqhd,bkhd->bhqk", "ab"),
        ("abcdefgh,efghijkl->abcdijkl", "ab"),
        ("iij,jk->kii", "ab"),
    ]
]
WIDTHS = (88, 100, 120)

SCRIPT = """
import json, sys
import eingrad
requests = json.load(sys.stdin)
texts = [eingrad.generate(spec, **options) for spec, options in requests]
assert "numpy" not in sys.modules, "generation imports NumPy"
sys.stdout.reconfigure(encoding="utf-8")
json.dump(texts, sys.stdout)
"""


def generate(**environment: str) -> list[str]:
    """Generate every module in a process of its own, which never imports NumPy."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(REQUESTS),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**keep, **environment},
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    texts: list[str] = json.loads(done.stdout)
    return texts


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return generate(PYTHONHASHSEED="0")


ENVIRONMENTS: list[dict[str, str]] = [
    *({"PYTHONHASHSEED": str(seed)} for seed in range(1, 8)),
    {"PYTHONHASHSEED": "8", "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"},
    {"PYTHONHASHSEED": "9", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
]


def test_same_text_in_every_process(texts: list[str]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda environment: generate(**environment), ENVIRONMENTS)
        for environment, others in zip(ENVIRONMENTS, found, strict=True):
            assert others == texts, environment


def test_same_text_in_every_call(texts: list[str]) -> None:
    from eingrad import generate as here

    assert [here(spec, **options) for spec, options in reversed(REQUESTS)] == texts[
        ::-1
    ]


def test_spaces_change_the_command_alone() -> None:
    from eingrad import generate as here

    def body(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith("#")]

    assert body(here(" i j , j k  ->\ti k")) == body(here("ij,jk->ik"))
    assert body(here("ij,jk")) == body(here("ij,jk->ik"))


def write(path: Path, texts: list[str]) -> Path:
    """Write modules into one folder, each under the number of its request."""
    for number, text in enumerate(texts):
        (path / f"kernel_{number:02}.py").write_text(text, "utf-8")
    return path


@pytest.fixture(scope="module")
def folder(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("texts"), texts)


def run(*command: str | Path) -> str:
    """Run a tool; the answer is empty if it is content."""
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd="/"
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


FORMAT = ("ruff", "format", "--isolated", "--no-cache", "--diff")
LINT = ("ruff", "check", "--isolated", "--no-cache", "--output-format=concise")


def test_formatter_changes_nothing(folder: Path) -> None:
    assert run(*FORMAT, folder) == ""


def test_formatter_changes_nothing_of_long_names(tmp_path: Path) -> None:
    from eingrad import generate as here

    texts = [here(spec, **options) for spec, options in LONG_NAMES]
    assert run(*FORMAT, write(tmp_path, texts)) == ""


@pytest.mark.parametrize("width", WIDTHS)
def test_formatter_of_that_width_changes_nothing(width: int, tmp_path: Path) -> None:
    from eingrad import generate as here

    specs = ("bqhd,bkhd->bhqk", "...ij,j->...i", "ij,jk,kl,lm->im")
    texts = [here(spec, line_length=width) for spec in specs]
    for activation in ("gelu", "gelu_tanh", "silu", "leaky_relu"):
        layer = {"bias": "j", "activation": activation, "order": 2}
        texts.append(here("bi,ij->bj", line_length=width, **layer))
    write(tmp_path, texts)
    assert run(*FORMAT, f"--line-length={width}", tmp_path) == ""


def test_linter_is_content(folder: Path) -> None:
    assert run(*LINT, folder) == ""
    assert run(*LINT, "--select=E,F,I,UP,W", folder) == ""


def test_type_checker_is_content(folder: Path) -> None:
    cache = f"--cache-dir={folder}-cache"
    assert run("mypy", "--strict", "--config-file=", cache, folder) == ""


@pytest.mark.parametrize(
    "args", [["--help"], ["--version"], ["gradients", "ij,jk->ik"]]
)
def test_command_line_starts_without_numpy(args: list[str]) -> None:
    script = (
        "import sys\nfrom eingrad.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as left:\n"
        "    assert not left.code\n"
        "assert 'numpy' not in sys.modules\nassert 'opt_einsum' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, *args], check=True, stdout=-3)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_stdout_is_utf_8_wherever_it_goes(encoding: str) -> None:
    command = [sys.executable, "-m", "eingrad", "explain", "ij,jk->ik"]
    env = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=env, check=True)
    assert done.stdout.decode() == eingrad.explain("ij,jk->ik").text


@pytest.mark.parametrize("number", range(len(REQUESTS)))
def test_lines_end_where_they_should(number: int, texts: list[str]) -> None:
    text = texts[number]
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert "\r" not in text and "\t" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert str(ROOT) not in text
    assert "noqa" not in text
