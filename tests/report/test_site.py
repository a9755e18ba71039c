"""The report's site: kept, whole, in two languages, without a person, and reachable page by page."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest
from conftest import Run
from personal_data import personal_values, traces_in
from sites import STOPPED, Page, home_beside, stopped_at_gate, write_sites

from crm_warehouse.files import read_json
from crm_warehouse.profile import load_profile
from crm_warehouse.report import trends
from crm_warehouse.report.pages import PAGES, file_name
from crm_warehouse.report.site import write_report

LARGEST_PAGE = 1_000_000


@pytest.fixture(scope="module")
def sites(reference_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sites(reference_run, tmp_path_factory.mktemp("sites") / "home")


@pytest.fixture(scope="module")
def pages(sites: Path) -> dict[Path, Page]:
    return {file: Page(file) for file in sites.rglob("*.html")}


def bytes_of(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_link_of_every_page_leads_somewhere(pages):
    dead = []
    for file, page in pages.items():
        for link in page.links:
            if link.startswith("data:"):
                continue
            path, _, anchor = link.partition("#")
            target = (file.parent / unquote(path)).resolve() if path else file
            if not target.is_file() or (anchor and unquote(anchor) not in pages[target].ids):
                dead.append((file.name, link))
    assert not dead, dead[:10]
    assert sum(len(page.links) for page in pages.values()) > 1000


def test_every_page_can_be_reached_from_the_list_of_reports(sites, pages):
    seen, todo = set(), [sites / "index.html"]
    while todo:
        file = todo.pop()
        if file in seen or file not in pages:
            continue
        seen.add(file)
        todo += [(file.parent / link.partition("#")[0]).resolve() for link in pages[file].links if link[:1] not in "#"]
    printable = {file for file in pages if file.name.startswith("print.")}  # for `report pdf`
    assert set(pages) - printable == seen


def test_every_page_has_a_twin_in_the_other_language_that_shows_the_same(pages):
    english = [file for file in pages if not file.name.endswith(".zh.html")]
    assert len(english) == len(pages) / 2
    for file in english:
        twin = pages[file.with_name(file.name.replace(".html", ".zh.html"))]
        page = pages[file]
        assert (page.elements[0], twin.elements[0]) == (("html", {"lang": "en"}), ("html", {"lang": "zh-CN"}))
        assert twin.file.name in page.links and file.name in twin.links
        assert all(page.count(tag) == twin.count(tag) for tag in ("section", "table", "tr", "svg", "rect", "h2"))


def test_a_chinese_page_says_in_chinese_what_an_english_one_says_in_english(sites):
    chinese = {name: Page(sites / "reference" / file_name(name, "zh")).text for name in PAGES}
    for name in ("index", "figures", "rules", "lineage"):
        english = re.findall(r".{20}\b(?:the|is|was|that|which|of|to)\b.{20}", chinese[name])
        assert not english, (name, english[:5])
    assert "What was checked?" in Page(sites / "reference" / "index.html").text
    assert "检查了什么？" in chinese["index"]


def test_pages_are_small_and_ask_nothing_of_the_network_and_run_nothing(pages):
    for file, page in pages.items():
        assert file.stat().st_size < LARGEST_PAGE, file
        assert not page.count("script"), file
        assert not [link for link in page.links if re.match(r"(https?:)?//", link)], file
    for style in {page.file.parent / "style.css" for page in pages.values()}:
        assert not style.is_file() or "url(" not in style.read_text(encoding="utf-8")


def test_ids_are_unique_on_every_page(pages):
    for file, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), file


def test_no_file_of_a_site_tells_who_a_customer_is(sites, everything, reference_run):
    """Nor names a token: it is somebody."""
    with duckdb.connect(str(reference_run.published_file), read_only=True) as connection:
        tokens = {key for (key,) in connection.execute("select customer_key from marts.dim_customers").fetchall()}
    assert traces_in(sites, personal_values(everything) | tokens) == []


def test_a_report_is_never_overwritten_and_the_same_run_told_otherwise_stands_beside_it(reference_run, tmp_path):
    settings, profile = home_beside(reference_run, tmp_path / "home"), load_profile(reference_run.settings)
    summary = stopped_at_gate(reference_run.summary)
    first = write_report(settings, profile, summary)
    kept = bytes_of(first.parent)
    assert write_report(settings, profile, summary) == first
    second = write_report(settings, profile, {**summary, "problem": "another"})
    assert second.parent == first.parent.with_name("stopped.2")
    assert write_report(settings, profile, {**summary, "problem": "another"}) == second
    assert bytes_of(first.parent) == kept
    assert "another" in Page(second).text
    listed = Page(settings.report / "index.html").links
    assert {"stopped/index.html", "stopped.2/index.html"} <= set(listed)


def test_the_same_run_gives_the_same_bytes(reference_run, tmp_path):
    profile, sites = load_profile(reference_run.settings), []
    for name in ("a", "b"):
        settings = home_beside(reference_run, tmp_path / name)
        page = write_report(settings, profile, stopped_at_gate(reference_run.summary))
        sites.append({str(file.relative_to(page.parent)): content for file, content in bytes_of(page.parent).items()})
    assert sites[0] == sites[1]


def test_a_report_that_breaks_off_leaves_no_half_of_one(reference_run, tmp_path, monkeypatch):
    settings, profile = home_beside(reference_run, tmp_path / "home"), load_profile(reference_run.settings)
    summary = stopped_at_gate(reference_run.summary)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", lambda self, target: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            write_report(settings, profile, summary)
    assert not [path for path in settings.report.glob("*") if not path.name.startswith(".")]
    assert write_report(settings, profile, summary).is_file()
    assert not list(settings.report.glob(".*"))


def test_a_run_that_stopped_says_so_in_both_languages_and_what_stopped_it(sites):
    for name in ("stopped", "unread"):
        english, chinese = (Page(sites / name / file_name("index", language)).text for language in ("en", "zh"))
        assert "Nothing was published; BI stays on the last good version." in english
        assert "本次未发布，BI 仍使用上一个合格版本。" in chinese
    assert STOPPED in Page(sites / "stopped" / "index.html").text
    assert "停止于落地关口" in Page(sites / "stopped" / "index.zh.html").text
    assert "It stopped while reading the source core" in Page(sites / "unread" / "index.html").text


@pytest.mark.parametrize("last", ["extract_core", "landing_gate", "build", "mart_gate"])
def test_a_run_that_ended_at_any_step_has_its_report(reference_run, tmp_path, last):
    settings, profile = home_beside(reference_run, tmp_path / "home"), load_profile(reference_run.settings)
    names = list(reference_run.summary["results"])
    results = {name: reference_run.summary["results"][name] for name in names[: names.index(last) + 1]}
    results[last] = {**results[last], "problem": "it broke"} if last != "build" else {"problem": "it broke"}
    summary = {**reference_run.summary, "results": results, "outcome": "failed", "problem": "it broke"}
    page = write_report(settings, profile, summary)
    assert "it broke" in Page(page).text
    figures = Page(page.with_name("figures.html")).text
    assert ("These figures were not published." in figures) == (last == "mart_gate")


def test_the_digest_says_how_the_run_ended_and_is_small(sites):
    digest = read_json(sites / "stopped" / trends.DIGEST)
    assert (digest["outcome"], digest["gates"]["landing_gate"]["planned"]) == ("failed", 1424)
    assert (sites / "stopped" / trends.DIGEST).stat().st_size < 2000
