"""The commands on a project, from its configuration to its last file."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from documents import BLOCK, DOCUMENTS, ROOT
from projects import configured, powerless, tree

from eingrad.cli import main
from eingrad.config import load_config
from eingrad.json_schema import json_schema
from eingrad.planning import plan_build

SPECS = {"mm": "ij,jk->ik", "rows": "ij->i"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> int:
    """Run a command line in this process; return its exit code."""
    try:
        main(args)
    except SystemExit as left:
        return int(left.code or 0)
    return 0


# --- build ---


def test_named_kernels_alone(root: Path) -> None:
    configured(root, SPECS)
    assert run("build", "rows") == 0
    assert "src/gen/mm.py" not in tree(root)
    assert run("build", "--check", "rows") == 0
    assert run("build", "--check") == 1
    assert run("build", "mn") == 2


def test_out_dir(root: Path, tmp_path: Path) -> None:
    configured(root, SPECS)
    build = root / "builddir"
    assert run("build", "--out-dir", str(build)) == 0
    assert set(tree(root)) == {"builddir/mm.py", "builddir/rows.py", "pyproject.toml"}
    before = tree(build)
    os.utime(build / "mm.py", ns=(1, 1))
    assert run("build", "--out-dir", str(build)) == 0
    # What depends on the configuration has to be newer than it.
    assert (build / "mm.py").stat().st_mtime_ns > 1
    assert tree(build) == before
    run("build")
    assert (root / "src/gen/mm.py").read_bytes() == before["mm.py"]
    assert run("build", "--check", "--out-dir", str(build)) == 0
    assert run("build", "--prune", "--out-dir", str(build)) == 2
    (build / "mm.py").write_text("mine\n")
    assert run("build", "--out-dir", str(build)) == 3


def test_processes_write_what_one_writes(root: Path) -> None:
    specs = {f"k{n}": spec for n, spec in enumerate(["ij,jk,kl->il", "ii->", "ij->j"])}
    configured(root, specs)
    kernel = (
        '\n[tool.eingrad.kernels.all]\nspec = "...i,ij->...j"\nshapes = [[2], [2, 3]]'
    )
    more = f'{kernel}\nsizes = {{}}\noptimize = [[0, 1]]\noperands = ["x", "w"]\n'
    with open(root / "pyproject.toml", "a", encoding="utf-8") as file:
        file.write(more)
    assert run("build", "-j", "1") == 0
    one = tree(root)
    shutil.rmtree(root / "src")
    (root / "eingrad.lock").unlink()
    assert run("build", "-j", "3") == 0
    assert tree(root) == one


def test_an_error_in_another_process(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(root, {"bad": "i1->i", "good": "i->i"})
    assert run("build", "-j", "2") == 2
    assert capsys.readouterr().err.startswith(
        "error: kernel 'bad': unknown character '1'\n  i1->i\n   ^\n"
    )
    assert list(tree(root)) == ["pyproject.toml"]


def test_leftovers_are_removed(root: Path) -> None:
    configured(root, SPECS)
    run("build")
    before = tree(root)
    for path in ("src/gen/.mm.py.0123abcd.tmp", ".eingrad.lock.0123abcd.tmp"):
        (root / path).write_text("half", encoding="utf-8")
    kept = {"src/gen/.mine.py.0123abcd.tmp": b"", "src/gen/.mm.py.tmp": b""}
    for path in kept:
        (root / path).touch()
    assert run("build", "--check") == 0
    assert run("build") == 0
    assert tree(root) == before | kept


def test_read_only_tree(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        configured(folder, SPECS)
        run("build", "--root", str(folder))
        (folder / "src/gen/rows.py").unlink()
        folders = [folder, folder / "src", folder / "src/gen"]
        for path in [*folders, *folder.rglob("*.*")]:
            path.chmod(0o555 if path in folders else 0o444)
        with powerless():
            assert run("build", "mm", "--root", str(folder)) == 0
            assert run("build", "--check", "--root", str(folder)) == 1
            capsys.readouterr()
            assert run("build", "--root", str(folder)) == 2
            assert capsys.readouterr().err == (
                "error: cannot write eingrad.lock: Permission denied\n"
            )
    finally:
        for path in folders:
            path.chmod(0o755)
        shutil.rmtree(folder)


def test_symlinked_output_folder(root: Path) -> None:
    (root / "real").mkdir()
    (root / "gen").symlink_to("real")
    configured(root, SPECS, out="gen")
    assert run("build") == 0
    assert {"real/mm.py", "real/rows.py"} < set(tree(root))
    assert (root / "gen").is_symlink()
    assert run("build", "--check") == 0


REFUSED = [
    # (out, kernels, the error)
    ("../gen", SPECS, "tool.eingrad.out must stay inside the project's root"),
    ("outside/gen", SPECS, "tool.eingrad.out must stay inside the project's root, but"),
    ("gen", {"lambda": "i"}, "tool.eingrad.kernels.lambda: a kernel's name must not"),
    (
        "gen",
        {"mm": "i", "Mm": "i"},
        "tool.eingrad.kernels.mm and tool.eingrad.",
    ),
]


@pytest.mark.parametrize(("out", "specs", "error"), REFUSED)
@pytest.mark.parametrize("command", ["build", "list", "clean"])
def test_what_is_refused_leaves_no_trace(
    root: Path,
    out: str,
    specs: dict[str, str],
    error: str,
    command: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configured(root, {})
    lines = [f'[tool.eingrad]\nout = "{out}"\n']
    lines += [f'[tool.eingrad.kernels.{n}]\nspec = "{s}"\n' for n, s in specs.items()]
    (root / "pyproject.toml").write_text("".join(lines), encoding="utf-8")
    (root / "outside").symlink_to("/tmp")
    assert run(command) == 2
    assert capsys.readouterr().err.startswith(f"error: {error}")
    assert list(tree(root)) == ["pyproject.toml"]


# --- list and clean ---

LISTS = [
    (["list"], "src/gen/mm.py\nsrc/gen/rows.py\n"),
    (["list", "--outputs", "--relative-to", "out"], "mm.py\nrows.py\n"),
    (["list", "--outputs", "--json"], '["src/gen/mm.py", "src/gen/rows.py"]\n'),
    (["list", "--inputs"], "pyproject.toml\neingrad.lock\n"),
    (["list", "--inputs", "--relative-to", "out"], "../../pyproject.toml\n"),
    (["list", "--inputs", "--json"], '["pyproject.toml", "eingrad.lock"]\n'),
]


@pytest.mark.parametrize(("args", "expected"), LISTS)
def test_list(
    root: Path, args: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(root, SPECS)
    run("build")
    capsys.readouterr()
    assert run(*args) == 0
    assert capsys.readouterr().out.startswith(expected)


def test_list_of_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configured(root, {})
    assert run("list") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", ["list", "build", "build --check", "schema"])
def test_what_a_command_does_not_import(root: Path, command: str) -> None:
    """Without anything to render, neither the pipeline nor what it needs."""
    configured(root, SPECS)
    run("build")
    script = (
        "import sys\nfrom eingrad.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as left:\n"
        "    assert not left.code, left\n"
        "heavy = {'numpy', 'rich', 'opt_einsum', 'jinja2', 'tomlkit', 'jsonschema'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    args = command.split()
    subprocess.run([sys.executable, "-c", script, *args], check=True, stdout=-3)


def test_clean(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configured(root, {**SPECS, "old": "i->"})
    run("build")
    configured(root, SPECS)
    (root / "src/gen/mine.py").write_text("mine\n")
    before = tree(root)
    capsys.readouterr()
    assert run("clean", "--dry-run") == 0
    assert tree(root) == before
    assert run("clean", "--json") == 0
    names = ("mm", "old", "rows")
    assert json.loads(capsys.readouterr().out) == [
        {"path": f"src/gen/{name}.py", "action": "deleted"} for name in names
    ]
    assert set(tree(root)) == {"eingrad.lock", "pyproject.toml", "src/gen/mine.py"}
    pinned = tomllib.loads((root / "eingrad.lock").read_text("utf-8"))
    assert [entry["kernel"] for entry in pinned["pending"]] == ["mm", "rows"]
    assert "file" not in pinned
    assert run("clean") == 0
    assert run("build") == 0
    after = tree(root)
    assert {name: after.get(name) for name in before if name[-3:] == ".py"} == {
        name: None if "old" in name else text
        for name, text in before.items()
        if name[-3:] == ".py"
    }


def test_clean_spares_what_was_edited(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(root, SPECS)
    run("build")
    with open(root / "src/gen/mm.py", "a", encoding="utf-8") as file:
        file.write("# mine\n")
    before = tree(root)
    assert run("clean") == 3
    assert "src/gen/mm.py was edited by hand" in capsys.readouterr().err
    assert tree(root) == before


def test_a_link_out_of_the_project_is_named(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(root, SPECS)
    run("build")
    run("clean")
    capsys.readouterr()
    (root / "src/gen/mm.py").symlink_to("/nowhere/mm.py")
    assert run("build") == 2
    assert "the symbolic link src/gen/mm.py leads out" in capsys.readouterr().err


def test_a_file_that_was_edited_is_not_generated_over(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ij->i", "-o", "gen/rows.py") == 0
    with open(root / "gen/rows.py", "a", encoding="utf-8") as file:
        file.write("# mine\n")
    capsys.readouterr()
    assert run("ij->i", "-o", "gen/rows.py") == 3
    assert capsys.readouterr().err == (
        "error: nothing was written\n"
        "  gen/rows.py was edited by hand; move it, or choose another name\n"
    )


# --- init and add ---

PROJECT = """\
# Ours.
[project]
name = "my-pkg"  # a comment

[tool.other]
x   =  1
"""


def test_init_and_add(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "src/my_pkg").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    (root / ".gitattributes").write_text("* text=auto", encoding="utf-8")
    assert run("init", "--dry-run") == 0
    shown = capsys.readouterr()
    assert set(tree(root)) == {".gitattributes", "pyproject.toml"}
    assert run("init") == 0
    talk = capsys.readouterr()
    assert talk.out == shown.out
    assert "$(KERNELS) &: pyproject.toml\n\t$(EINGRAD) build\n" in talk.err
    assert "entry: eingrad build --check" in talk.err
    configuration = f'{PROJECT}\n[tool.eingrad]\nout = "src/my_pkg/_kernels"\n'
    assert (root / "pyproject.toml").read_text("utf-8") == configuration
    assert (root / ".gitattributes").read_text("utf-8") == (
        "* text=auto\n"
        "src/my_pkg/_kernels/** text eol=lf linguist-generated=true\n"
        "eingrad.lock text eol=lf linguist-generated=true\n"
    )
    options = ["--operands", "x,w", "--sizes", "i=3,j=4", "--complex", "adjoint"]
    assert run("add", "mm", "ij,jk->ik", *options) == 0
    assert run("add", "rows", "ij->i", "--optimize", "[(0,)]") == 0
    assert (root / "pyproject.toml").read_text("utf-8") == (
        f'{configuration}\n[tool.eingrad.kernels.mm]\nspec = "ij,jk->ik"\n'
        'operands = ["x", "w"]\nsizes = {i = 3, j = 4}\ncomplex = "adjoint"\n'
        '\n[tool.eingrad.kernels.rows]\nspec = "ij->i"\noptimize = [[0]]\n'
    )
    assert run("build") == 0
    assert plan_build(load_config(root)).reasons == ()


def test_the_diff_of_an_edit_can_be_applied(root: Path) -> None:
    (root / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    command = [sys.executable, "-m", "eingrad", "init", "-n"]
    patch = subprocess.run(command, capture_output=True, check=True).stdout
    subprocess.run(["git", "apply"], input=patch, check=True)
    diff = tree(root)
    for path in diff:
        (root / path).unlink()
    (root / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    run("init")
    assert tree(root) == diff


def test_init_without_a_project(root: Path) -> None:
    assert run("init") == 0
    assert (root / "eingrad.toml").read_text("utf-8") == 'out = "kernels"\n'
    assert run("add", "mm", "ij,jk->ik") == 0
    assert run("build") == 0
    assert run("list") == 0
    assert (root / "kernels/mm.py").exists()


def test_line_ends_are_kept(root: Path) -> None:
    text = PROJECT.replace("\n", "\r\n").encode()
    (root / "pyproject.toml").write_bytes(text)
    assert run("init", "--out", "gen") == 0
    assert run("add", "mm", "ij,jk->ik") == 0
    after = (root / "pyproject.toml").read_bytes()
    assert after.startswith(text)
    assert after.count(b"\n") == after.count(b"\r\n")
    assert load_config(root).kernels[0].name == "mm"


def test_add_leaves_other_tables_alone(root: Path) -> None:
    before = (
        '[tool.eingrad]\nout = "gen"\n\n[tool.eingrad.kernels.a]\nspec = "i->"\n'
        "\n[tool.other] # last\nx = 1\n"
    )
    (root / "pyproject.toml").write_text(before, encoding="utf-8")
    assert run("add", "b", "j->") == 0
    text = (root / "pyproject.toml").read_text("utf-8")
    assert text == f'{before}\n[tool.eingrad.kernels.b]\nspec = "j->"\n'


def test_build_of_no_kernel_says_what_comes_next(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("init") == 0
    capsys.readouterr()
    assert run("build") == 0
    said = "no kernel is configured; `eingrad add NAME SPEC` configures one\n"
    assert capsys.readouterr().err == said


def test_help_has_an_example_of_each_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--help") == 0
    text, _, listed = capsys.readouterr().out.partition("\nCommands:\n")
    names = [line.split()[0] for line in listed.splitlines()]
    assert names[0] == "generate" and names[-1] == "completion"
    for name in names[1:-1]:
        assert f"    eingrad {name}" in text


@pytest.mark.parametrize("command", ["generate", "explain", "check", "add"])
def test_options_of_the_text_go_with_commands_that_write_it(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, "--help") == 0
    text = capsys.readouterr().out
    writes = command in ("generate", "add")
    assert ("--license" in text, "--line-length" in text) == (writes, writes)


EDITS = [
    # (the configuration, the command, the error)
    (PROJECT, "add mm i->", "no configuration in .; run `eingrad init`"),
    ("[tool.eingrad]\nout='g'\n", "init", "pyproject.toml configures eingrad already"),
    (PROJECT, "init --out ../gen", "--out must stay inside the project's root"),
    ("[tool", "init", "pyproject.toml is not TOML"),
    (
        "tool.eingrad.out = 'g'\n",
        "add class i->",
        "kernel 'class': a kernel's name",
    ),
    ("tool.eingrad.out = 'g'\n", "add Mm i->", "kernel 'Mm': a kernel's name must be"),
    ("tool.eingrad.out = 'g'\n", "add mm i->z", "output index 'z' appears in no"),
    (
        "tool.eingrad.out = 'g'\ntool.eingrad.kernels.mm.spec = 'i'\n",
        "add mm i->",
        "kernel 'mm' is configured already; edit pyproject.toml",
    ),
    ("tool = 3\n", "init", "tool must be a table, got 3"),
    ("tool = 3\n", "add mm i->", "tool must be a table, got 3"),
    ("project = 3\n", "init", "project must be a table, got 3"),
    ("tool.eingrad = 3\n", "init", "pyproject.toml configures eingrad already"),
    ("tool.eingrad = 3\n", "add mm i->", "tool.eingrad must be a table, got 3"),
    (
        "tool.eingrad.kernels = 3\n",
        "add mm i->",
        "tool.eingrad.kernels must be a table, got 3",
    ),
]


@pytest.mark.parametrize(("text", "command", "error"), EDITS)
def test_edits_that_are_refused(
    root: Path,
    text: str,
    command: str,
    error: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    assert run(*command.split()) == 2
    assert capsys.readouterr().err.startswith(f"error: {error}")
    assert tree(root) == {"pyproject.toml": text.encode()}


@pytest.mark.parametrize(
    "text",
    [
        "tool.eingrad.out = 'g'\n",
        "[tool]\neingrad = { out = 'g' }\n",
        "[tool.eingrad]\nout = 'g'\nkernels = {}\n",
        "[tool.eingrad]\nout = 'g'\nkernels.a.spec = 'i'\n",
        "tool = { eingrad = { out = 'g', kernels = { a = { spec = 'i' } } } }\n",
        "[tool.eingrad]\nout = 'g'\n[tool.b]\n[tool.eingrad.kernels.a]\nspec = 'i'\n",
    ],
)
def test_add_to_a_configuration_in_other_words(root: Path, text: str) -> None:
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    before = [kernel.name for kernel in load_config(root).kernels]
    assert run("add", "mm", "ij,jk->ik", "--shapes", "2x3,3x4") == 0
    *others, kernel = load_config(root).kernels
    assert [other.name for other in others] == before
    assert kernel.options.shapes == ((2, 3), (3, 4))


# --- schema ---


def test_schema_is_published() -> None:
    published = (ROOT / "docs/eingrad.schema.json").read_text("utf-8")
    assert json.loads(published) == json_schema(), "run `make generate`"
    jsonschema.validators.validator_for(json_schema()).check_schema(json_schema())


def examples() -> Iterator[dict[str, object]]:
    """Yield every configuration of the documents, and our own."""
    for path in DOCUMENTS:
        for kind, text in BLOCK.findall(path.read_text("utf-8")):
            if kind == "toml":
                yield tomllib.loads(text)
    yield tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_schema_accepts_the_examples() -> None:
    found = [example["tool"]["eingrad"] for example in examples()]  # type: ignore[index]
    assert len(found) > 2
    for configuration in found:
        jsonschema.validate(configuration, json_schema())


WRONG = [
    ("kernels.a.spec", 3),
    ("kernels.a.wrt", "x"),
    ("kernels.a.sizes", {"i": -1}),
    ("kernels.a.shapes", [[2, "x"]]),
    ("kernels.Mm", {"spec": "i"}),
    ("kernels.b", {}),
    ("build", "always"),
    ("targets", ["torch"]),
    ("line-length", 0),
    ("licence", "MIT"),
    ("optimize", [0, 1]),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_schema_and_reader_refuse_the_same(root: Path, key: str, value: object) -> None:
    written = json.dumps(value)
    if isinstance(value, dict):
        written = re.sub(r'"(\w+)":', r"\1 =", written)
    text = f'out = "gen"\nkernels.a.operands = ["x"]\n{key} = {written}\n'
    good = text.replace(f"{key} = {written}", "") + 'kernels.a.spec = "i"\n'
    text += "" if key == "kernels.a.spec" else 'kernels.a.spec = "i"\n'
    jsonschema.validate(tomllib.loads(good), json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), json_schema())
    (root / "eingrad.toml").write_text(text, encoding="utf-8")
    assert run("list") == 2


@pytest.mark.parametrize("words", ["ij->i -o new/in/x.py", "explain ij -o new/in/x.md"])
def test_folders_of_a_file_are_made(root: Path, words: str) -> None:
    assert run(*words.split()) == 0
    assert (root / words.split()[-1]).is_file()


@pytest.mark.parametrize("words", ["ij->i", "ij->i --name rows", "explain ij->i"])
def test_a_file_named_by_a_dash_is_stdout(
    root: Path, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(root.iterdir())
    assert run(*words.split(), "-o", "-") == 0
    talk = capsys.readouterr()
    assert "ij->i" in talk.out.splitlines()[0] + talk.out.splitlines()[1]
    assert talk.err == ""
    assert sorted(root.iterdir()) == before


@pytest.mark.parametrize("words", ["ij->i", "explain ij->i"])
def test_a_folder_is_no_file_to_write(
    root: Path, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "kernels").mkdir()
    assert run(*words.split(), "-o", "kernels") == 2
    assert "File 'kernels' is a directory." in capsys.readouterr().err
