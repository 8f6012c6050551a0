"""The formats that other programs read: LaTeX, HTML in a browser, SVG."""

from __future__ import annotations

import functools
import html
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import eingrad
from eingrad.activations import ACTIVATIONS
from eingrad.explanation.drawing import MOST_LEAVES
from eingrad.explanation.explain import Explanation
from eingrad.explanation.latex import escaped

LATEX = shutil.which("pdflatex")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")

# Names and letters that would break a format that does not expect them.
HARD: dict[str, tuple[str, dict[str, Any]]] = {
    "names": ("ij,jk->ik", {"operands": ["left_1", "r__2"], "output": "Out_"}),
    "Greek": ("αβ,βγ->αγ", {}),
    "capital Greek": ("ΑΩ,Ωϑ->Αϑ", {}),
    "Chinese": ("一二,二三->一三", {}),
    "Hebrew": ("אב,בג->אג", {}),
    "license": ("i->i", {"license": "</script><b>&amp; \\input{x} $%"}),
    "command": ("i->i", {"regenerate": "make <b> \\end{document} #1 ~^_"}),
    "ellipsis": ("...i,...i->...", {}),
    "places": ("ij,kj->ik", {"operands": ["x", "x"]}),
    "no index": (",->", {}),
    "many": (",".join(["ij"] * 9) + "->ij", {}),
    "diagonals": ("ijji,kji,jj->kj", {}),
    "new": ("->ii", {"sizes": {"i": 3}}),
    **{
        row.name: ("i->i", {"bias": "i", "activation": row.name}) for row in ACTIVATIONS
    },
    "sizes": ("ij,jk->ik", {"shapes": [(2, 1), (3, 4)]}),
}
EACH = pytest.mark.parametrize("case", HARD)


@functools.cache
def explain(case: str) -> Explanation:
    spec, options = HARD[case]
    return eingrad.explain(spec, **options)


@functools.cache
def page(case: str) -> str:
    return explain(case).html


# --- LaTeX ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b", r"a\_b"),
        ("100 % & #1 $x$", r"100 \% \& \#1 \$x\$"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("~^<>", r"\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}"),
        ("α", r"$\alpha $"),
        ("σς", r"$\sigma $$\varsigma $"),
        ("φϕ", r"$\varphi $$\phi $"),
        ("εϵ", r"$\varepsilon $$\epsilon $"),
        ("一", r"$\,\mathrm{u4E00}$"),
    ],
)
def test_text_is_escaped_for_latex(text: str, expected: str) -> None:
    assert escaped(text) == expected


@EACH
def test_latex_is_ascii_and_closes_what_it_opens(case: str) -> None:
    text = explain(case).latex
    assert text.isascii()
    plain = re.sub(r"\\[\\{}$]", "", text)
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0
    opened = re.findall(r"\\begin\{(\w+\*?)\}", text)
    assert sorted(opened) == sorted(re.findall(r"\\end\{(\w+\*?)\}", text))


@pytest.mark.skipif(LATEX is None, reason="pdflatex is not installed")
def test_latex_compiles(tmp_path: Path) -> None:
    """All cases in one run: the bodies of the documents, one after the other."""
    bodies = []
    for case in HARD:
        head, _, body = explain(case).latex.partition("\\begin{document}")
        bodies.append(body.rpartition("\\end{document}")[0])
    whole = f"{head}\\begin{{document}}{''.join(bodies)}\\end{{document}}\n"
    (tmp_path / "all.tex").write_text(whole, encoding="utf-8")
    done = subprocess.run(
        [str(LATEX), "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000


# --- HTML ---


class Tags(HTMLParser):
    """Checks that tags nest, and gathers their names and what they load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loads += [
            str(value)
            for name, value in attrs
            if name in ("src", "href", "srcset", "action")
        ]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("meta", "link", "mspace"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(page: str) -> Tags:
    found = Tags()
    found.feed(page)
    assert not found.open
    return found


@EACH
def test_the_page_is_self_contained_and_well_formed(case: str) -> None:
    found = tags(page(case))
    assert "script" not in found.seen and "b" not in found.seen
    assert "math" in found.seen
    assert all(url.startswith(("#", "data:,")) for url in found.loads)
    assert "url(" not in page(case) and "@import" not in page(case)


@EACH
def test_links_of_the_page_lead_somewhere(case: str) -> None:
    anchors = set(re.findall(r'id="([^"]+)"', page(case)))
    assert {url[1:] for url in tags(page(case)).loads if url != "data:,"} <= anchors


@EACH
def test_the_module_on_the_page_is_the_module(case: str) -> None:
    source = re.search("<pre[^>]*><code>(.*?)</code></pre>", page(case), re.DOTALL)
    assert source is not None
    shown = html.unescape(re.sub("<[^>]+>", "", source[1]))
    assert shown.replace("…", "...") == explain(case).content.source


@EACH
def test_the_drawing_is_xml_in_which_no_boxes_overlap(case: str) -> None:
    drawing = re.search("<svg.*?</svg>", page(case), re.DOTALL)
    assert drawing is not None
    root = ElementTree.fromstring(drawing[0])
    rects = [
        tuple(float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        for rect in root.iter("rect")
    ]
    assert len(rects) == len(list(explain(case).content.tree.rows()))
    for k, (x, y, width, height) in enumerate(rects):
        assert x >= 0 and x + width <= float(root.attrib["width"])
        for other_x, other_y, other_width, other_height in rects[:k]:
            apart = x >= other_x + other_width or other_x >= x + width
            assert apart or y >= other_y + other_height or other_y >= y + height


def test_the_drawing_writes_costs_as_the_table_below_does() -> None:
    drawn, table = eingrad.explain("ij,jk,kl->il").html.split("</svg>", 1)
    costs = re.findall('<text class="cost"[^>]*>(.*?)</text>', drawn)
    assert [re.sub("<[^>]+>", "", cost) for cost in costs] == ["i·k·l", "i·j·k"]
    cells = html.unescape(re.sub("<[^>]+>", "", table))
    assert "i·k·l" in cells and "i·j·k" in cells


def test_a_tree_that_nobody_could_see_is_not_drawn() -> None:
    spec = ",".join(["i"] * (MOST_LEAVES + 1)) + "->i"
    assert "<svg" not in eingrad.explain(spec).html


def test_only_the_letters_of_specs_are_indices() -> None:
    found = eingrad.explain("bi,ie->be", activation="gelu").html
    assert found.count(">apply gelu<") == 2


@pytest.mark.parametrize("name", [row.name for row in ACTIVATIONS])
def test_a_prime_stands_beside_its_name(name: str) -> None:
    math = "".join(re.findall("<math>.*?</math>", page(name)))
    assert f"<mrow><mtext>{name}</mtext><mo>&#x02032;</mo></mrow>" in math
    assert not [sign for sign in ("<mi>&#x02032;", "'", "}") if sign in math]


# Loads pages in frames of two widths and writes down what came of them.
HARNESS = """<!DOCTYPE html><meta charset="utf-8"><body><script>
const pages = %s, results = [];
const seen = (frame, name) => {
  const d = frame.contentDocument, boxes = [...d.querySelectorAll(name)];
  return boxes.filter(b => b.getBoundingClientRect().height > 4).length;
};
const ready = [];
for (const [name, page] of Object.entries(pages)) for (const width of [400, 1400]) {
  const frame = document.createElement('iframe');
  frame.style.cssText = `width: ${width}px; height: 900px; border: 0`;
  ready.push(new Promise(done => { frame.onload = () => {
    const d = frame.contentDocument, root = d.documentElement;
    const body = getComputedStyle(d.body);
    results.push({name, width, wide: root.scrollWidth, mode: d.compatMode,
      math: seen(frame, 'math'), allMath: d.querySelectorAll('math').length,
      tree: seen(frame, 'svg.tree'), small: Math.min(...[...d.querySelectorAll(
        'p, td, li, code')].map(e => parseFloat(getComputedStyle(e).fontSize))),
      paper: body.backgroundColor, ink: body.color});
    done(); }; }));
  frame.srcdoc = page;
  document.body.append(frame);
}
Promise.all(ready).then(() => {
  const out = document.createElement('pre');
  out.id = 'results'; out.textContent = JSON.stringify(results);
  document.body.replaceChildren(out);
});
</script></body>"""


def browse(pages: Mapping[str, str], folder: Path, *, dark: bool) -> Any:
    """Load pages in a browser; return what it saw, and what it complained of."""
    source = json.dumps(pages).replace("<", "\\u003c")
    harness = folder / "harness.html"
    harness.write_text(HARNESS % source, encoding="utf-8")
    profile = folder / f"profile-{dark}"
    scheme = f"preferredColorScheme={0 if dark else 1}"
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        f"--disable-dev-shm-usage --enable-logging=stderr --blink-settings={scheme} "
        "--virtual-time-budget=20000 --window-size=1500,1000 --dump-dom"
    ).split()
    done = subprocess.run(
        [str(BROWSER), *flags, f"--user-data-dir={profile}", harness.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = re.search('<pre id="results">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None, done.stderr[-2000:]
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(html.unescape(found[1])), complaints


@pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_in_a_browser(dark: bool, tmp_path: Path) -> None:
    pages = {case: page(case) for case in ("names", "places", "many")}
    chain = {"sizes": dict(zip("ijklmno", (8, 64, 4, 128, 2, 32, 16), strict=True))}
    pages["chain"] = eingrad.explain("ij,jk,kl,lm,mn,no->io", **chain).html
    results, complaints = browse(pages, tmp_path, dark=dark)
    assert complaints == []
    assert len(results) == 2 * len(pages)
    for seen in results:
        assert seen["mode"] == "CSS1Compat"
        assert seen["wide"] <= seen["width"], "the page scrolls sideways"
        assert seen["math"] == seen["allMath"] > 20
        assert seen["tree"] == 1
        assert seen["small"] >= 12
        light, ink = brightness(seen["paper"]), brightness(seen["ink"])
        assert (light < 60 and ink > 200) if dark else (light > 240 and ink < 60)


def brightness(colour: str) -> float:
    """Return the mean of ``rgb(r, g, b)``."""
    parts = [int(part) for part in re.findall(r"\d+", colour)[:3]]
    return sum(parts) / 3


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_colour_of_text_has_contrast() -> None:
    """At least 4.5 : 1 on every paper, as WCAG 2.2 asks (1.4.3)."""
    page = eingrad.explain("i->i").html
    light, dark = (
        dict(re.findall(r"--([\w]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    )
    texts = (
        "ink soft accent c0 c1 c2 c3 c4 c5 c6 c7 comment string keyword figure".split()
    )
    for scheme in (light, dark):
        for paper in ("paper", "card", "shade"):
            for text in texts:
                pair = sorted(luminance(scheme[name]) for name in (paper, text))
                ratio = (pair[1] + 0.05) / (pair[0] + 0.05)
                assert ratio >= 4.5, (paper, text, round(ratio, 2))
