"""The pages as people meet them: in a real headless Chromium, at a desk and on a phone, by keyboard, and on paper."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
from browser import Browser, opened_browser
from conftest import Run
from sites import write_sites
from typer.testing import CliRunner

from crm_warehouse import cli
from crm_warehouse.errors import ReportRefused
from crm_warehouse.report.printing import print_report

pytestmark = pytest.mark.browser
DESK, PHONE = 1280, 390
LEAST_CONTRAST = 4.5

# Text whose colour differs too little from what is behind it, with the ratio (WCAG 2.2, 1.4.3).
CONTRAST = """
(() => {
  const parse = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3]) return c; } return [255, 255, 255, 1]; };
  const found = []; let checked = 0;
  for (const e of document.querySelectorAll('body, body *')) {
    if (![...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim()) || !e.getClientRects().length) continue;
    const style = getComputedStyle(e), front = e instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(parse(front)), light(behind(e))], ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    checked++;
    if (ratio < LEAST) found.push(e.tagName + ' ' + e.className + ' ' + ratio.toFixed(2));
  }
  return [checked, found];
})()
""".replace("LEAST", str(LEAST_CONTRAST))

# What needs a name for those who do not see: links, buttons, pictures, tables' headings, languages.
NAMELESS = """
[...document.querySelectorAll('a, summary, button')].filter(e => !(e.textContent.trim() || e.getAttribute('aria-label'))).map(e => e.outerHTML)
.concat([...document.querySelectorAll('svg')].filter(e => e.getAttribute('aria-hidden') != 'true' && !e.getAttribute('aria-label')).map(e => 'svg ' + e.className.baseVal))
.concat([...document.querySelectorAll('thead th')].filter(e => !e.scope && !e.closest('.gx')).map(e => 'th ' + e.textContent))
.concat([...document.querySelectorAll('section')].filter(e => !e.querySelector('h2')).map(e => 'section'))
.concat([...document.querySelectorAll('[tabindex]')].filter(e => e.tabIndex > 0).map(e => 'tabindex ' + e.outerHTML))
"""


@pytest.fixture(scope="module")
def sites(reference_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sites(reference_run, tmp_path_factory.mktemp("shown") / "home")


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


def pages_of(sites: Path) -> list[Path]:
    """All pages; of the Data Docs' suites, which are alike, three."""
    pages = [page for page in sorted(sites.rglob("*.html")) if page.parent.name != "data_docs"]
    return pages + sorted(sites.glob("reference/data_docs/*.html"))[:3]


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_page_shows_without_an_error_and_within_the_window(browser: Browser, sites, width):
    for page in pages_of(sites):
        browser.open(page, width)
        assert browser.problems == [], page
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), (page, width)
        assert browser.evaluate("document.body.innerText.length") > 100
    assert len(pages_of(sites)) > 30


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_text_stands_out_from_what_is_behind_it(browser: Browser, sites, width):
    for page in pages_of(sites):
        browser.open(page, width)
        browser.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
        checked, too_faint = browser.evaluate(CONTRAST)
        assert too_faint == [], (page, too_faint[:5])
        assert checked > 5


def test_the_measure_of_contrast_finds_what_is_too_faint(browser: Browser, sites):
    browser.open(sites / "reference" / "index.html")
    browser.evaluate("document.querySelector('h1').style.color = '#bbb'")
    assert browser.evaluate(CONTRAST)[1][0].startswith("H1")


def test_links_pictures_headings_and_languages_have_a_name(browser: Browser, sites):
    for page in pages_of(sites):
        browser.open(page)
        assert browser.evaluate(NAMELESS) == [], page
        assert browser.evaluate("document.documentElement.lang") == ("zh-CN" if ".zh." in page.name else "en")
        assert browser.evaluate("document.querySelectorAll('h1').length") == 1


def test_the_keyboard_reaches_everything_in_the_order_it_is_read(browser: Browser, sites):
    browser.open(sites / "reference" / "index.html")
    browser.press("Tab")
    where = "(e => [e.className, e.getBoundingClientRect().left >= 0])(document.activeElement)"
    assert browser.evaluate(where) == ["skip", True]
    browser.press("Enter")
    browser.press("Tab")
    assert browser.evaluate("!!document.activeElement.closest('main')")
    browser.open(sites / "reference" / "figures.html")
    expected = browser.evaluate("document.querySelectorAll('a[href], summary, [tabindex=\"0\"]').length")
    order = []
    for _ in range(expected):
        browser.press("Tab")
        order.append(
            browser.evaluate(
                "[...document.querySelectorAll('*')].indexOf(document.activeElement) * (getComputedStyle(document.activeElement).outlineStyle != 'none' ? 1 : -1)"
            )
        )
    assert order == sorted(set(order)) and order[0] > 0  # each once, from the top down, each with a ring around it


def test_what_is_folded_opens_by_keyboard(browser: Browser, sites):
    browser.open(sites / "reference" / "lineage.html")
    browser.evaluate("document.querySelector('summary').focus()")
    browser.press("Enter")
    assert browser.evaluate("document.querySelector('details').open")


def test_the_language_is_changed_by_a_link_alone(browser: Browser, sites):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(sites / "reference" / "rules.html")
        twin = browser.evaluate("document.querySelector('.language').href")
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert twin.endswith("/reference/rules.zh.html")


def test_chinese_is_drawn_in_a_font_that_has_it(browser: Browser, sites):
    browser.open(sites / "reference" / "index.zh.html")
    browser.send("CSS.enable")
    root = browser.send("DOM.getDocument")["root"]["nodeId"]
    for part in ("h1", "h2", ".lead p"):
        node = browser.send("DOM.querySelector", nodeId=root, selector=part)["nodeId"]
        fonts = browser.send("CSS.getPlatformFontsForNode", nodeId=node)["fonts"]
        assert any(re.search("CJK|Han|Hei|Song|Ping|Ming|Kai", font["familyName"]) for font in fonts), fonts


def test_first_page_and_figures_print_with_chinese_glyphs_in_the_file(sites, tmp_path):
    english, chinese = print_report(sites / "reference", tmp_path / "paper")
    assert (english.name, chinese.name) == ("report.pdf", "report.zh.pdf")
    for file in (english, chinese):
        content = file.read_bytes()
        assert content.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", content)) >= 3
        # Every font is in the file, as a font or as drawings of its glyphs (type 3), so that it reads the same anywhere.
        embedded = re.findall(rb"/FontFile[23]?\b|/Subtype\s*/Type3\b", content)
        assert len(embedded) >= len(set(re.findall(rb"/FontName\s*/([\w+-]+)", content))) > 0
    texts = _glyphs(chinese.read_bytes())
    assert set("数据质量报告检查什么未通过隔离豁免总账资产变动集中度") <= texts


def _glyphs(pdf: bytes) -> set[str]:
    """Characters that the fonts of a PDF say their glyphs stand for."""
    found = set()
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, flags=re.DOTALL):
        try:
            text = zlib.decompressobj().decompress(stream)
        except zlib.error:
            continue
        if b"begincmap" in text:
            for first, last, start in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]{4})>", text):
                found |= {chr(int(start, 16) + step) for step in range(int(last, 16) - int(first, 16) + 1)}
            found |= {
                chr(int(code, 16))
                for code in re.findall(rb"<[0-9A-Fa-f]+>\s*<([0-9A-Fa-f]{4})>\s*$", text, flags=re.MULTILINE)
            }
    return found


def test_the_command_prints_the_newest_report_or_says_what_is_missing(sites, tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_WAREHOUSE_HOME", str(sites.parent))
    done = CliRunner().invoke(cli.app, ["report", "pdf", "--to", str(tmp_path / "paper")])
    assert done.exit_code == 0, done.output
    assert {file.name for file in (tmp_path / "paper").iterdir()} == {"report.pdf", "report.zh.pdf"}
    with pytest.raises(ReportRefused, match="has no report nowhere: the newest is unread"):
        CliRunner().invoke(cli.app, ["report", "pdf", "nowhere"], catch_exceptions=False)
    monkeypatch.setenv("CRM_WAREHOUSE_BROWSER", str(tmp_path / "none"))
    with pytest.raises(ReportRefused, match="did not print print.html"):
        CliRunner().invoke(cli.app, ["report", "pdf"], catch_exceptions=False)
