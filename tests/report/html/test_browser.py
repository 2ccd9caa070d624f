"""The review page in a real Chromium: what a reviewer does with it, and what a source may not."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from porter.cli import main

pytestmark = pytest.mark.browser

Review = Callable[..., Path]
#: A playwright Page; the library is imported only where a browser is.
Page = Any
Open = Callable[..., Page]

#: Milliseconds, for a machine that does much else.
_PATIENCE = 120_000
_NO_STORE = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('refused') }})"


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Open a file in a context of its own; at the end nothing may have gone wrong in it."""
    contexts, wrong = [], []

    def watched(page: Page, path: Path) -> None:
        def asked(request: Any) -> None:
            if not request.url.startswith(("blob:", path.as_uri())):
                wrong.append(f"request: {request.url}")

        page.on("request", asked)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
        page.on("console", lambda message: wrong.append(f"console: {message.text}"))

    def run(path: Path, *, script: str = "", **options: Any) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
        contexts.append(context)
        context.set_default_timeout(_PATIENCE)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        watched(page, path)
        page.goto(path.as_uri())
        return page

    yield run
    for context in contexts:
        context.close()
    assert wrong == []


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def reload_until(page: Page, holds: Callable[[], bool]) -> None:
    """Chromium hands what a page stored to the next one a moment after it was stored."""
    for _ in range(20):
        page.reload()
        if holds():
            return
    pytest.fail("what the page stored is lost by a reload")


def shown(page: Page) -> str:
    return str(page.inner_text("#shown"))


def where(page: Page) -> str:
    return str(page.inner_text("#detail .where"))


def exported(page: Page, folder: Path, *, leave: bool = False) -> Path:
    press(page, "e")
    if leave:
        page.check("input[value=leave]")
    with page.expect_download() as download:
        page.click("#download")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def porter(*arguments: object) -> Any:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_it_opens_with_the_overview_and_leads_to_the_findings(
    open_page: Open, sample_page: Path
) -> None:
    page = open_page(sample_page)
    assert page.is_visible("#verdicts")
    assert page.inner_text("#decided-text") == "0 of 12 changes decided"
    page.click("#folders summary >> text=pagepool/")
    page.click("#folders button >> text=pool.py")
    assert page.is_visible("#list")
    assert shown(page) == "10 of 26 findings"


def test_every_finding_is_reached_by_keyboard(open_page: Open, sample_page: Path) -> None:
    page = open_page(sample_page)
    press(page, "2")
    places = [where(page)]
    for _ in range(25):
        press(page, "j")
        places.append(where(page))
    assert len(set(places)) == 26
    press(page, "jj")
    assert where(page) == places[-1]
    press(page, "k")
    assert where(page) == places[-2]
    press(page, "[")
    assert where(page).startswith("pagepool/replay.py:4")
    press(page, "]")
    assert where(page).startswith("pagepool/settings.py:9")


def test_a_change_is_shown_with_its_words_and_reason(open_page: Open, sample_page: Path) -> None:
    page = open_page(sample_page)
    press(page, "/")
    page.keyboard.type("set_device")
    assert shown(page) == "1 of 26 findings"
    gone = "".join(page.locator("td.gone .word").all_inner_texts())
    assert gone == "cudacudafcuda:{rank}"
    assert set(page.locator(".windows .new .word").all_inner_texts()) == {"hpu"}
    gone = page.locator("td.text.gone .line").nth(1).inner_text()
    assert gone.strip() == "torch.cuda.set_device(rank)"
    assert page.locator(".code .t-k").count() > 0
    assert "One process owns one card" in page.inner_text(".reason")
    assert page.locator(".together li").count() == 2
    page.keyboard.press("Escape")
    columns = page.locator(".code tr").first.locator("td").count()
    press(page, "d")
    assert page.locator(".code tr").first.locator("td").count() != columns


def test_what_is_not_converted_is_shown_with_its_advice(open_page: Open, sample_page: Path) -> None:
    page = open_page(sample_page)
    press(page, "/")
    page.keyboard.type("import cupy")
    assert "".join(page.locator("#detail .focus").all_inner_texts()) == "import cupy"
    assert "effort high" in page.inner_text("#detail .badges")
    assert "Use torch operations on the HPU" in page.inner_text(".reason")
    assert page.locator("#detail td.new").count() == 0


def test_filters(open_page: Open, sample_page: Path) -> None:
    page = open_page(sample_page)
    press(page, "2")
    page.click(".chip.unsupported")
    assert shown(page) == "2 of 26 findings"
    page.click(".chip.exact")
    assert shown(page) == "7 of 26 findings"
    page.click(".chip.unsupported")
    page.select_option("#rule", "HPU210")
    assert shown(page) == "2 of 26 findings"
    page.fill("#path", "kernels")
    assert shown(page) == "1 of 26 findings"
    page.select_option("#status", "reported")
    assert shown(page) == "0 of 26 findings"
    assert "No finding fits" in page.inner_text("#detail")
    page.click("#clear")
    assert shown(page) == "26 findings"
    page.select_option("#effort", "high")
    assert shown(page) == "2 of 26 findings"
    page.select_option("#effort", "")
    page.click(".chip.no-op")
    press(page, "a")
    page.click("#clear")
    page.select_option("#decision", "accepted")
    assert shown(page) == "1 of 26 findings"


def test_decisions_survive_a_reload_and_only_the_others_are_applied(
    open_page: Open, sample_page: Path, tmp_path: Path
) -> None:
    page = open_page(sample_page)
    press(page, "/")
    page.keyboard.type("mem_get_info")
    page.keyboard.press("Escape")
    press(page, "rn")
    page.keyboard.type("Who waits here?")
    page.keyboard.press("Escape")
    press(page, "/")
    page.keyboard.type("set_device")
    page.keyboard.press("Escape")
    press(page, "r")
    reload_until(page, lambda: page.inner_text("#decided-text") == "2 of 12 changes decided")
    press(page, "2")
    page.select_option("#decision", "note")
    assert page.input_value("#note") == "Who waits here?"

    selection = exported(page, tmp_path)
    document = json.loads(selection.read_text())
    schema = json.loads((files("porter.report") / "selection.schema.json").read_text())
    jsonschema.validate(document, schema)
    refused = [item for item in document["decisions"] if item["decision"] == "refused"]
    assert [item["rules"] for item in refused] == [["HPU401"], ["HPU101", "HPU130", "HPU211"]]
    assert refused[0]["note"] == "Who waits here?"

    out = tmp_path / "out"
    source = sample_page.parent / "sample"
    result = porter("rewrite", source, "--selection", selection, "--output", out)
    assert result.exit_code == 0
    assert "10 hunks of the review applied, 2 refused" in result.stderr
    scanned = json.loads(porter("scan", out, "--format", "json").stdout)
    left = [
        (file["path"], finding["rule"])
        for file in scanned["files"]
        for finding in file["findings"]
        if finding["status"] == "fixable"
    ]
    settings = "pagepool/settings.py"
    assert left == [
        ("pagepool/pool.py", "HPU401"),
        *[(settings, rule) for rule in ("HPU101", "HPU130", "HPU211")],
    ]


def test_an_earlier_selection_comes_back_where_nothing_changed(
    open_page: Open, review: Review, sample_page: Path, tmp_path: Path
) -> None:
    page = open_page(sample_page)
    press(page, "2")
    page.click("#accept-shown")
    assert "12 hunks accepted" in page.inner_text("#notice")
    selection = exported(page, tmp_path, leave=True)
    newer = tmp_path / "sample"
    shutil.copytree(sample_page.parent / "sample", newer)
    pool = newer / "pagepool" / "pool.py"
    text = pool.read_text().replace('"""Pages on', '"""A line more.\n\nPages on')
    wait = "        torch.cuda.synchronize()\n"
    pool.write_text(text.replace(wait, "        x = 1\n" * 9 + wait))
    again = open_page(review(newer, tmp_path / "next.html", "--selection", selection))
    assert again.inner_text("#decided-text") == "11 of 12 changes decided"
    press(again, "2")
    again.select_option("#decision", "undecided")
    again.select_option("#status", "fixable")
    assert shown(again) == "3 of 26 findings"
    assert where(again).startswith("pagepool/pool.py:30")


def test_the_notice_takes_back_what_was_decided_at_once(open_page: Open, sample_page: Path) -> None:
    page = open_page(sample_page)
    press(page, "2")
    page.click("#accept-shown")
    page.click("#notice >> text=Undo")
    assert page.inner_text("#decided-text") == "0 of 12 changes decided"


def test_import_takes_the_decisions_of_a_file(
    open_page: Open, sample_page: Path, tmp_path: Path
) -> None:
    page = open_page(sample_page)
    press(page, "2")
    page.click("#accept-shown")
    selection = exported(page, tmp_path)
    other = open_page(sample_page)
    other.set_input_files("#import-file", selection)
    other.wait_for_selector("text=12 decisions taken.")
    assert other.inner_text("#decided-text") == "12 of 12 changes decided"
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    other.set_input_files("#import-file", bad)
    other.wait_for_selector("text=it is no selection file of this porter")


def test_a_browser_that_keeps_nothing(open_page: Open, sample_page: Path, tmp_path: Path) -> None:
    page = open_page(sample_page, script=_NO_STORE)
    assert "Export your decisions before you close" in page.inner_text("#notice")
    press(page, "2jr")
    document = json.loads(exported(page, tmp_path).read_text())
    assert [item["decision"] for item in document["decisions"]].count("refused") == 1


def test_light_and_dark(open_page: Open, sample_page: Path) -> None:
    def paper(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark = open_page(sample_page, color_scheme="dark")
    light = open_page(sample_page, color_scheme="light")
    assert paper(light) == "rgb(255, 255, 255)"
    assert sum(map(int, paper(dark)[4:-1].split(","))) < 120
    press(light, "tt")
    assert paper(light) == paper(dark)
    reload_until(light, lambda: paper(light) == paper(dark))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barrier(open_page: Open, sample_page: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  (as playwright)

    page = open_page(sample_page, color_scheme=scheme)
    for keys in ("", "2jra", "3", "?"):
        press(page, keys)
        violations = Axe().run(page).response["violations"]
        found = [
            (item["id"], item["impact"], [node["html"][:120] for node in item["nodes"]][:3])
            for item in violations
            if item["impact"] in ("serious", "critical")
        ]
        assert found == [], keys


def test_on_paper_the_findings_that_are_shown(open_page: Open, sample_page: Path) -> None:
    page = open_page(sample_page)
    press(page, "2")
    page.click(".chip.exact")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#print article").count() == 5
    assert page.is_visible("#print .code")
    assert page.is_visible("#verdicts")
    assert not page.is_visible("#list")


HOSTILE = (
    "# -*- coding: latin-1 -*-\n"
    "import torch\n"
    "x = torch.device('cuda')  # </script><script>window.ran = 1</script><!-- \" ' ` \xe9\n"
    "s = '</textarea></pre><img src=x onerror=\"window.ran = 2\">', torch.cuda.current_device()\n"
)


@pytest.fixture(scope="session")
def hostile(review: Review, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that a source could try, and a file with thousands of findings."""
    folder = tmp_path_factory.mktemp("hostile")
    source = folder / "s"
    source.mkdir()
    (source / "a b\n\"'<img src=x onerror=window.ran=3>.py").write_text(HOSTILE, "latin-1")
    turned = "import torch\nif torch.cuda.is_available():  # \u202e }\u2066\n    f()  # \u200b\n"
    (source / "turned.py").write_text(turned, encoding="utf-8")
    (source / "nul.env").write_bytes(b"CUDA_VISIBLE_DEVICES=\0</script>\n")
    many = ["import torch", *["torch.cuda.synchronize()"] * 4900]
    many.append("y = [" + ", ".join(["torch.cuda.current_device()"] * 100) + "] # " + "z" * 20_000)
    (source / "many.py").write_text("\n".join(many))
    return review(source, folder / "review.html")


def test_nothing_of_a_source_runs_and_all_of_it_shows(open_page: Open, hostile: Path) -> None:
    page = open_page(hostile)
    press(page, "2")
    said = []
    for word in ("window.ran", "onerror", "u+202e", "turned", "visible_devices"):
        page.fill("#search", word if word != "u+202e" else "turned")
        said.append(page.inner_text("#detail"))
    assert "</script><script>window.ran = 1</script><!-- \" ' ` é" in said[0]
    assert '<img src=x onerror="window.ran = 2">' in said[0] + said[1]
    assert "⟨U+000A⟩\"'<img src=x onerror=window.ran=3>.py" in said[0]
    assert "⟨U+202E⟩ }⟨U+2066⟩" in said[2]
    assert "⟨U+200B⟩" in said[2]
    assert "⟨U+0000⟩</script>" in said[4]
    assert "\u202e" not in page.content()
    assert page.evaluate("window.ran") is None
    assert page.locator("img").count() == 0


def test_thousands_of_findings_are_reached_and_few_rows_drawn(
    open_page: Open, hostile: Path
) -> None:
    page = open_page(hostile)
    press(page, "2")
    page.fill("#path", "many.py")
    assert shown(page).startswith("5,000 of ")
    page.evaluate("document.getElementById('list').scrollTop = 1e9")
    page.click("text=4902 · HPU >> nth=-1")
    assert where(page).startswith("many.py:4902:")
    assert "characters ⋯" in page.inner_text("#detail .code")
    assert page.locator(".row").count() < 60
    page.keyboard.press("Escape")
    press(page, "r")
    assert page.inner_text("#decided-text").startswith("1 of ")


def test_the_policy_holds_in_the_browser(browser: Any, sample_page: Path) -> None:
    """Even what got into the page would neither run nor reach anybody."""
    with socket.create_server(("127.0.0.1", 0)) as server, browser.new_context() as context:
        page = context.new_page()
        page.goto(sample_page.as_uri())
        page.evaluate(
            """address => {
                const script = document.createElement("script");
                script.textContent = "window.ran = 1";
                document.body.append(script);
                const image = `<img src=${address} onerror="window.ran = 2">`;
                document.body.insertAdjacentHTML("beforeend", image);
                fetch(address).catch(() => {});
            }""",
            f"http://127.0.0.1:{server.getsockname()[1]}/",
        )
        page.wait_for_timeout(300)
        assert page.evaluate("window.ran") is None
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
