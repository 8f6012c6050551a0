"""Configuration: what is accepted, what it means, and the text of every error."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from eingrad.config import Config, load_config
from eingrad.errors import ConfigError, EingradError
from eingrad.kernel_tables import KernelConfig, why_bad_name
from eingrad.options import Options

EVERYTHING = """\
[tool.eingrad]
required-version = ">=1.0,<2"
out = "src/mypkg/_kernels"
targets = ["numpy"]
line-length = 100
license = "MIT"
optimize = "greedy"
build = "generate"
sizes = { b = 64, i = 128, z = 3 }
complex = "transpose"

[tool.eingrad.kernels.plain]
spec = "bi->b"

[tool.eingrad.kernels.bilinear]
spec = "bi,ijk,bj->bk"
operands = ["x", "w", "y"]
output = "z"
wrt = ["x", "w"]
sizes = { b = 2 }
complex = "adjoint"
optimize = [[0, 2], [0, 1]]
license = ""
targets = ["numpy"]
line-length = 88
"""


def load(root: Path, text: str, version: str = "1.2.0") -> Config:
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    return load_config(root, version=version)


def refusal(root: Path, text: str, version: str = "1.2.0") -> str:
    with pytest.raises(ConfigError) as caught:
        load(root, text, version)
    return str(caught.value)


def kernel(text: str) -> str:
    return f'[tool.eingrad]\nout = "gen"\n[tool.eingrad.kernels.mm]\n{text}\n'


def test_every_key_is_read(tmp_path: Path) -> None:
    config = load(tmp_path, EVERYTHING)
    assert config.root == tmp_path
    assert config.source == tmp_path / "pyproject.toml"
    assert config.out == PurePosixPath("src/mypkg/_kernels")
    assert config.build == "generate"
    assert config.kernels == (
        KernelConfig(
            name="bilinear",
            spec="bi,ijk,bj->bk",
            options=Options(
                operands=("x", "w", "y"),
                output="z",
                sizes={"b": 2},
                wrt=("x", "w"),
                optimize=((0, 2), (0, 1)),
                license="",
            ),
        ),
        KernelConfig(
            name="plain",
            spec="bi->b",
            options=Options(
                sizes={"b": 64, "i": 128},
                complex="transpose",
                optimize="greedy",
                license="MIT",
                line_length=100,
            ),
        ),
    )


def test_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, kernel('spec = "ij,jk->ik"'))
    assert config.build == "check"
    assert config.kernels == (KernelConfig("mm", "ij,jk->ik", Options()),)


def test_no_kernels_is_a_configuration(tmp_path: Path) -> None:
    assert load(tmp_path, '[tool.eingrad]\nout = "gen"\n').kernels == ()


def test_standalone_file_has_the_same_schema(tmp_path: Path) -> None:
    text = EVERYTHING.replace("[tool.eingrad]\n", "").replace("tool.eingrad.", "")
    (tmp_path / "eingrad.toml").write_text(text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n", encoding="utf-8")
    config = load_config(tmp_path, version="1.2.0")
    assert config.source == tmp_path / "eingrad.toml"
    (tmp_path / "eingrad.toml").unlink()
    assert config.kernels == load(tmp_path, EVERYTHING).kernels


def test_standalone_errors_name_the_file(tmp_path: Path) -> None:
    text = 'out = "gen"\n[kernels.mm]\nspce = "ij"\n'
    (tmp_path / "eingrad.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert str(caught.value) == (
        "eingrad.toml: kernels.mm.spce is not a known key; did you mean 'spec'?"
    )


def test_a_standalone_file_needs_no_prefix(tmp_path: Path) -> None:
    (tmp_path / "eingrad.toml").write_text('[tool.eingrad]\nout = "gen"\n')
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert str(caught.value) == "in eingrad.toml the keys stand without tool.eingrad"


def test_two_configurations_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "eingrad.toml").write_text('out = "gen"\n', encoding="utf-8")
    assert refusal(tmp_path, EVERYTHING) == (
        "both pyproject.toml and eingrad.toml configure eingrad; "
        "keep [tool.eingrad] or eingrad.toml"
    )


def test_misspelt_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.eingard]\nout = "gen"\n')
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert str(caught.value) == (
        f"no configuration in {tmp_path}; did you mean [tool.eingrad] by "
        "[tool.eingard]? if not, run `eingrad init`, "
        "or write [tool.eingrad] in pyproject.toml"
    )


@pytest.mark.parametrize("text", ["", "[tool.other]\n", None])
def test_no_configuration(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert str(caught.value) == (
        f"no configuration in {tmp_path}; run `eingrad init`, "
        "or write [tool.eingrad] in pyproject.toml"
    )


GENERAL_ERRORS = [
    # (the text of [tool.eingrad], the error)
    ("tool = 3", "tool must be a table, got 3"),
    ("[tool]\neingrad = true", "tool.eingrad must be a table, got true"),
    (
        '[tool.eingrad]\nlicence = "MIT"',
        "tool.eingrad.licence is not a known key; did you mean 'license'?",
    ),
    (
        '[tool.eingrad]\n"q\\nq" = 1',
        'tool.eingrad."q\\nq" is not a known key; the keys here are '
        "required-version, out, build, kernels, vendor, targets, line-length, "
        "license, optimize, memory-limit, sizes, complex, erf, order",
    ),
    (
        "[tool.eingrad]",
        'tool.eingrad.out is missing: the folder for the kernels, such as "gen"',
    ),
    ("[tool.eingrad]\nout = 3", "tool.eingrad.out must be a string, got 3"),
    (
        '[tool.eingrad]\nbuild = "always"',
        'tool.eingrad.build must be "generate", "check" or "off", got "always"',
    ),
    (
        '[tool.eingrad]\ncomplex = ["adjoint"]',
        'tool.eingrad.complex must be "adjoint" or "transpose", got ["adjoint"]',
    ),
    (
        '[tool.eingrad]\ntargets = ["torch"]',
        'tool.eingrad.targets must be ["numpy"], the only target there is, '
        'got ["torch"]',
    ),
    (
        "[tool.eingrad]\nline-length = 0",
        "tool.eingrad.line-length must be an integer from 88 to 120, got 0",
    ),
    (
        "[tool.eingrad]\nline-length = true",
        "tool.eingrad.line-length must be an integer from 88 to 120, got true",
    ),
    (
        "[tool.eingrad]\nlicense = 2020-01-02",
        'tool.eingrad.license must be a string, got "2020-01-02"',
    ),
    (
        "[tool.eingrad]\nsizes = { b = -1 }",
        "tool.eingrad.sizes must be a table of sizes such as { b = 64, i = 128 }, "
        'got {"b": -1}',
    ),
    (
        "[tool.eingrad]\nsizes = { batch = 64 }",
        "tool.eingrad.sizes must be a table of sizes such as { b = 64, i = 128 }, "
        'got {"batch": 64}',
    ),
    (
        "[tool.eingrad]\nsizes = [64]",
        "tool.eingrad.sizes must be a table of sizes such as { b = 64, i = 128 }, "
        "got [64]",
    ),
    (
        "[tool.eingrad]\nmemory-limit = true",
        "tool.eingrad.memory-limit must be a number of elements, "
        'or bytes such as "64MB", got true',
    ),
    (
        "[tool.eingrad]\noptimize = [0, 1]",
        "tool.eingrad.optimize must be the name of a planner, or a path such as "
        "[[0, 2], [0, 1]], got [0, 1]",
    ),
    (
        '[tool.eingrad]\nout = "gen"\nkernels = ["ij->i"]',
        'tool.eingrad.kernels must be a table, got ["ij->i"]',
    ),
    (
        '[tool.eingrad]\nout = "gen"\n[tool.eingrad.kernels]\nmm = "ij->i"',
        'tool.eingrad.kernels.mm must be a table, got "ij->i"',
    ),
]

KERNEL_ERRORS = [
    # (the text of [tool.eingrad.kernels.mm], the error after "tool.eingrad.kernels.mm")
    ("", '.spec is missing, such as spec = "ij,jk->ik"'),
    ("spec = 3", ".spec must be a string, got 3"),
    ('spce = "ij"', ".spce is not a known key; did you mean 'spec'?"),
    (
        'out = "elsewhere"',
        ".out is not a known key; did you mean 'output'?",
    ),
    ('spec = "ij"\nwrt = 3', ".wrt must be a list of strings, got 3"),
    ('spec = "ij"\nwrt = "x"', '.wrt must be a list of strings, got "x"'),
    ('spec = "ij"\nwrt = ["x", 3]', '.wrt must be a list of strings, got ["x", 3]'),
    ('spec = "ij"\noperands = {}', ".operands must be a list of strings, got {}"),
    ('spec = "ij"\noutput = ["c"]', '.output must be a string, got ["c"]'),
    (
        'spec = "ij"\nshapes = [2, 3]',
        ".shapes must be a list of shapes such as [[2, 3], [3, 4]], got [2, 3]",
    ),
    (
        'spec = "ij"\nshapes = [[2, 3.5]]',
        ".shapes must be a list of shapes such as [[2, 3], [3, 4]], got [[2, 3.5]]",
    ),
    ('spec = "ij"\nlicense = 0', ".license must be a string, got 0"),
]


@pytest.mark.parametrize(("text", "error"), GENERAL_ERRORS)
def test_general_errors(tmp_path: Path, text: str, error: str) -> None:
    assert refusal(tmp_path, text) == error


@pytest.mark.parametrize(("text", "error"), KERNEL_ERRORS)
def test_kernel_errors(tmp_path: Path, text: str, error: str) -> None:
    assert refusal(tmp_path, kernel(text)) == f"tool.eingrad.kernels.mm{error}"


VENDOR_ERRORS = [
    # (the text of [tool.eingrad.vendor.mm], the error after "tool.eingrad.vendor.mm")
    ("", " must have either spec or from"),
    ('spec = "ij"\ncolour = 3', ".colour is not a known key; the keys here are from, "),
    ('spec = "ij"\ndset = "mm.py"', ".dset is not a known key; did you mean 'dest'?"),
    ("spec = 3", ".spec must be a string, got 3"),
    (
        'spec = "ij"',
        '.dest is missing: the file, such as "src/mypkg/_vendor/mm.py"',
    ),
    (
        'spec = "ij"\ndest = "gen/mm.py"',
        ".dest must not be inside 'gen', the folder of `eingrad build`",
    ),
    ('spec = "ij"\ndest = "mm.py"\norder = 3', ".order must be 1 or 2, got 3"),
]


@pytest.mark.parametrize(("text", "error"), VENDOR_ERRORS)
def test_a_build_sees_the_mistakes_in_tables_of_copies(
    tmp_path: Path, text: str, error: str
) -> None:
    held = kernel('spec = "ij"')
    table = f"{held}[tool.eingrad.vendor.mm]\n{text}\n"
    assert refusal(tmp_path, table).startswith(f"tool.eingrad.vendor.mm{error}")


def test_config_errors_are_eingrad_errors() -> None:
    assert issubclass(ConfigError, EingradError)


PRECEDENCE = [
    # (general, kernel, field, value)
    ("", "", "line_length", 88),
    ("line-length = 100", "", "line_length", 100),
    ("line-length = 100", "line-length = 99", "line_length", 99),
    ('license = "MIT"', 'license = ""', "license", ""),
    ("optimize = [[0, 1], [0, 1]]", "optimize = [[0, 2]]", "optimize", ((0, 2),)),
    ("optimize = [[0, 1]]", 'optimize = "auto"', "optimize", "auto"),
    ("memory-limit = 1e6", "", "memory_limit", 1e6),
    ("memory-limit = 1000", 'memory-limit = "64MB"', "memory_limit", "64MB"),
    ('complex = "transpose"', "", "complex", "transpose"),
    ("sizes = { i = 2, j = 3 }", "", "sizes", {"i": 2, "j": 3}),
    ("sizes = { i = 2, q = 3 }", "", "sizes", {"i": 2}),
    ("sizes = { q = 3 }", "", "sizes", None),
    ("sizes = { i = 2, j = 3 }", "sizes = { k = 4 }", "sizes", {"k": 4}),
    ("sizes = { i = 2, j = 3 }", "sizes = {}", "sizes", {}),
    ("", "sizes = { q = 0 }", "sizes", {"q": 0}),
    ("sizes = { i = 2 }", "shapes = [[5, 6], [6, 7]]", "sizes", None),
    ("", "shapes = [[5, 6], [6, 7]]", "shapes", ((5, 6), (6, 7))),
    ("", "shapes = [[], []]", "shapes", ((), ())),
    ("", "wrt = []", "wrt", ()),
]


@pytest.mark.parametrize(("general", "own", "field", "value"), PRECEDENCE)
def test_precedence(
    tmp_path: Path, general: str, own: str, field: str, value: object
) -> None:
    text = f'[tool.eingrad]\nout = "gen"\n{general}\n'
    text += f'[tool.eingrad.kernels.mm]\nspec = "ij,jk->ik"\n{own}\n'
    assert getattr(load(tmp_path, text).kernels[0].options, field) == value


VERSIONS = [
    (">=1.0,<2", "1.2.0", None),
    (">=1.0", "1.1.dev3", None),
    ("", "1.2.0", None),
    (
        ">=2",
        "1.2.0",
        'tool.eingrad.required-version is ">=2", but this is eingrad 1.2.0; install a '
        "version that it accepts, or change it",
    ),
    (
        "new",
        "1.2.0",
        'tool.eingrad.required-version must be versions such as ">=1.0,<2", got "new"',
    ),
]


@pytest.mark.parametrize(("wanted", "version", "error"), VERSIONS)
def test_required_version(
    tmp_path: Path, wanted: str, version: str, error: str | None
) -> None:
    text = f'[tool.eingrad]\nrequired-version = "{wanted}"\nout = "gen"\n'
    if error is None:
        load(tmp_path, text, version)
    else:
        assert refusal(tmp_path, text, version) == error


def test_required_version_comes_before_keys_of_the_future(tmp_path: Path) -> None:
    text = '[tool.eingrad]\nfuture = 1\nrequired-version = ">=2"\n'
    assert "but this is eingrad 1.2.0" in refusal(tmp_path, text)


LETTERS = "must be lower-case ASCII letters, digits and '_', a letter first"
KEYWORD = "must not be a Python keyword: its module could not be imported"
NAMES = [
    ("bilinear", None),
    ("mm2_x", None),
    ("match", None),
    ("Bilinear", LETTERS),
    ("_mm", LETTERS),
    ("__init__", LETTERS),
    ("2mm", LETTERS),
    ("a-b", LETTERS),
    ("a/b", LETTERS),
    ("..", LETTERS),
    ("", LETTERS),
    ("mm\n", LETTERS),
    ("größe", LETTERS),
    ("lambda", KEYWORD),
]


@pytest.mark.parametrize(("name", "reason"), NAMES)
def test_kernel_names(name: str, reason: str | None) -> None:
    assert why_bad_name(name) == reason


def test_bad_name_is_quoted_in_its_key(tmp_path: Path) -> None:
    text = kernel('spec = "i"') + '[tool.eingrad.kernels."a/b"]\nspec = "i"\n'
    assert refusal(tmp_path, text) == (
        f'tool.eingrad.kernels."a/b": a kernel\'s name {LETTERS}'
    )


def test_names_that_differ_in_case(tmp_path: Path) -> None:
    text = kernel('spec = "i"') + '[tool.eingrad.kernels.Mm]\nspec = "i"\n'
    assert refusal(tmp_path, text) == (
        "tool.eingrad.kernels.mm and tool.eingrad.kernels.Mm differ only in case; "
        "their files would be one file on some systems"
    )


SEPARATOR = "must be a path with '/' between folders"
RELATIVE = "must be relative to the project's root"
PARENT = "must stay inside the project's root, without '..'"
LINK = "must stay inside the project's root, but the symbolic link {} leads out of it"
BLOCKED = "must be a folder, but something else is in its way"
OUTS = [
    ("", '""', SEPARATOR),
    ("a\\\\b", '"a\\\\b"', SEPARATOR),
    ("a\\u0000b", '"a\\u0000b"', SEPARATOR),
    ("/etc", '"/etc"', RELATIVE),
    ("C:/kernels", '"C:/kernels"', RELATIVE),
    ("../other", '"../other"', PARENT),
    ("src/../../other", '"src/../../other"', PARENT),
    ("link", '"link"', LINK.format("link")),
    ("link/deeper", '"link/deeper"', LINK.format("link")),
    ("dangling", '"dangling"', LINK.format("dangling")),
    ("pyproject.toml", '"pyproject.toml"', BLOCKED),
    ("pyproject.toml/gen", '"pyproject.toml/gen"', BLOCKED),
    ("loop", '"loop"', BLOCKED),
    ("loop/gen", '"loop/gen"', BLOCKED),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "real").mkdir()
    (root / "link").symlink_to(outside)
    (root / "dangling").symlink_to(tmp_path / "nothing")
    (root / "inner").symlink_to("real")
    (root / "loop").symlink_to("loop")
    return root


@pytest.mark.parametrize(("out", "quoted", "reason"), OUTS)
def test_out_stays_inside(project: Path, out: str, quoted: str, reason: str) -> None:
    text = f'[tool.eingrad]\nout = "{out}"\n'
    assert refusal(project, text) == f"tool.eingrad.out {reason}, got {quoted}"


@pytest.mark.parametrize("out", ["gen", "a/b/c", ".", "inner", "inner/x", "real/"])
def test_out_inside_is_accepted(project: Path, out: str) -> None:
    config = load(project, f'[tool.eingrad]\nout = "{out}"\n')
    assert config.out == PurePosixPath(out)


def test_root_may_be_reached_through_a_link(project: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(project)
    load(tmp_path / "alias", '[tool.eingrad]\nout = "gen"\n')


def test_toml_error_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    assert refusal(tmp_path, "[tool.eingrad]\nout =\n").startswith(
        f"{path} is not TOML: Invalid value (at line 2, column 6)"
    )


def test_an_integer_too_long_to_read_is_an_error_of_the_file(tmp_path: Path) -> None:
    text = f"[tool.eingrad]\nsizes = {{ i = {'9' * 5000} }}\n"
    path = tmp_path / "pyproject.toml"
    assert refusal(tmp_path, text).startswith(f"{path} is not TOML: Exceeds the limit")


def test_a_byte_order_mark_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    said = "it begins with a byte order mark; save it without"
    text = "\N{BYTE ORDER MARK}[tool.eingrad]\n"
    assert refusal(tmp_path, text) == f"{path} is not TOML: {said}"


def test_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"[tool.eingrad]\nout = '\xff'\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert str(caught.value) == f"{path} is not UTF-8: invalid start byte"


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.mkdir()
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert str(caught.value) == f"cannot read {path}: Is a directory"
