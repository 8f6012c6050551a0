"""The documents tell the truth: every example of theirs is run."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from documents import DOCUMENTS, ROOT, prompts, refreshed

import eingrad

EACH = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


@EACH
def test_commands_show_what_the_document_says(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert refreshed(text, tmp_path) == text, "run `make generate`"


@pytest.mark.parametrize(
    "path",
    [path for path in DOCUMENTS if prompts(path.read_text(encoding="utf-8"))],
    ids=lambda path: path.name,
)
def test_prompts_answer_what_the_document_says(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    examples = prompts(path.read_text(encoding="utf-8"))
    parsed = doctest.DocTestParser().get_doctest(examples, {}, path.name, None, 0)
    assert parsed.examples
    report: list[str] = []
    doctest.DocTestRunner().run(parsed, out=report.append)
    assert not report, "".join(report)


def test_table_of_specs_has_their_gradients() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| `([^|]*)` \| ([^|]*) \|$", text, re.MULTILINE)
    assert len(rows) >= 10
    for spec, cell in rows:
        assert tuple(re.findall("`([^`]*)`", cell)) == eingrad.gradient_specs(spec)


@EACH
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8"))
    for link in (link for link in links if "://" not in link):
        assert (path.parent / link).exists(), link
