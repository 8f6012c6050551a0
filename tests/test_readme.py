"""The documents tell the truth: every example of theirs is run."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from documents import DOCUMENTS, ROOT, prompts, refreshed

import eingrad
from eingrad.schema import GENERAL, KERNEL

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "examples/*/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
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


def test_table_of_keys_is_that_of_the_configuration() -> None:
    text = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*`) \| (general|kernel|both) \|", text, re.MULTILINE)
    found = {
        (key, place) for keys, place in rows for key in re.findall("`(.*?)`", keys)
    }
    places = dict.fromkeys(GENERAL, "general") | dict.fromkeys(KERNEL, "kernel")
    places |= dict.fromkeys(GENERAL.keys() & KERNEL.keys(), "both")
    assert found == set(places.items()) - {
        ("kernels", "general"),
        ("vendor", "general"),
    }


def test_the_readme_leads_to_each_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in text, page.name


@pytest.mark.parametrize(
    "path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]*)(#[^)]+)?\)", path.read_text(encoding="utf-8"))
    for link, anchor in (pair for pair in links if "://" not in pair[0]):
        target = path.parent / link if link else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), f"{link}{anchor}"


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {f"#{each.replace(' ', '-')}" for each in words}
