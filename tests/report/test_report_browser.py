"""The page in a real browser, offline."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipt_outcomes import simulate
from ipt_outcomes.evidence import synthesise
from ipt_outcomes.report import Document, write_html
from ipt_outcomes.report.evidence import evidence_document

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH"),
]

OPEN_ALL = "document.querySelectorAll('details').forEach(part => part.open = true)"
SMALL_TEXT = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const small = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const size = parseFloat(getComputedStyle(node.parentElement).fontSize);
    if (node.data.trim() && size < 11) small.push([size, node.data]);
  }
  return small;
}"""
SMALL_LABELS = """() => [...document.querySelectorAll('td')]
  .map(cell => parseFloat(getComputedStyle(cell, '::before').fontSize)).filter(size => size < 11)"""
WIDE = """() => [...document.querySelectorAll('body *')]
  .filter(part => !part.closest('svg') && part.checkVisibility())
  .filter(part => part.getBoundingClientRect().right > innerWidth + 0.5)
  .map(part => part.outerHTML.slice(0, 80))"""

# Words of at most 20 letters in a table that is no stack of cards: a word on two lines has two boxes.
BROKEN = """() => {
  const broken = [];
  for (const cell of document.querySelectorAll('tbody th, tbody td')) {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (const word of node.data.matchAll(/[\\p{L}\\p{N}.\u2212]{2,20}(?![^ ,;)])/gu)) {
        if (word.index > 0 && !' ('.includes(node.data[word.index - 1])) continue;
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map(box => box.top)).size > 1) broken.push(word[0]);
      }
    }
  }
  return broken;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--headless", "--disable-gpu"]
        )
        yield launched
        launched.close()


@pytest.fixture(scope="module", params=["every block", "evidence"])
def shown(request: pytest.FixtureRequest, document: Document) -> Document:
    """A document with every block and hostile names, and a real report."""
    return document if request.param == "every block" else evidence_document(synthesise(simulate.studies()))


@pytest.fixture(scope="module")
def address(shown: Document, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(write_html(shown), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(params=[(320, 700), (375, 800), (768, 1024), (1280, 900)], ids=lambda size: str(size[0]))
def page(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
    opened = context.new_page()
    opened.trouble = []
    opened.on("console", lambda message: opened.trouble.append(message.text))
    opened.on("pageerror", lambda error: opened.trouble.append(str(error)))
    opened.on("request", lambda made: made.url != address and opened.trouble.append(made.url))
    opened.goto(address)
    yield opened
    context.close()


def test_page_asks_for_nothing_and_complains_of_nothing(page: Any, shown: Document) -> None:
    page.evaluate(OPEN_ALL)
    page.wait_for_timeout(100)
    assert page.trouble == []
    assert page.title() == f"{shown.title} (simulated data)"


@pytest.mark.parametrize("opened", [False, True])
def test_page_does_not_scroll_sideways(page: Any, opened: bool) -> None:
    if opened:
        page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert page.evaluate(WIDE) == []


def test_no_text_is_smaller_than_11_pixels(page: Any) -> None:
    page.evaluate(OPEN_ALL)
    assert page.evaluate(SMALL_TEXT) == []
    assert page.evaluate(SMALL_LABELS) == []


def test_each_figure_shows_one_drawing(page: Any) -> None:
    assert page.locator("figure svg:visible").count() == page.locator("figure").count() > 0


def test_tables_become_cards_on_a_phone_only(page: Any) -> None:
    page.evaluate(OPEN_ALL)
    display = page.evaluate("getComputedStyle(document.querySelector('table tbody td')).display")
    assert display == ("flex" if page.viewport_size["width"] <= 375 else "table-cell")


def test_words_and_numbers_in_tables_stay_whole(page: Any) -> None:
    page.evaluate(OPEN_ALL)
    assert page.evaluate(BROKEN) == []


def test_download_is_a_file_of_the_page(page: Any) -> None:
    page.evaluate(OPEN_ALL)
    link = page.locator("a[download]").first
    with page.expect_download() as waiting:
        link.click()
    assert waiting.value.suggested_filename == link.get_attribute("download")


def test_axe_finds_no_violation(page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe-core (axe-playwright-python) is not installed")
    page.evaluate(OPEN_ALL)
    # As a debugger would: the page's own policy allows no script.
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 20
    assert [(rule["id"], rule["impact"]) for rule in found["violations"]] == []
