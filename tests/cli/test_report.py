"""``cachegraph report``: what it writes, where, and what it refuses."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli.app import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", *arguments])


def _text(page: str) -> str:
    body = re.sub(r"<(style|script)[^>]*>.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_a_page_in_a_file(layouts: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    result = run(str(layouts / "web-oci"), "-o", str(path))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert re.search(r"report\.html: 1 export, \d+\.\d KiB", result.stderr)
    text = _text(path.read_text())
    assert "Cache report: web-oci linux/amd64" in text
    assert "PARTLY CACHED 7 of 13 steps (54 %)" in text
    assert "6 steps keep no result" in text
    assert "mode=max" in text
    # What no name is known of is placed by what needs it, and stands in the order of the build.
    assert "#4 57a5ab45ee83 #3 4fb8d1b7ddbf #9 63b4006fcfac #13 a37a5b4a45fc #15 e72ec2ad78a9 #18 ed205ca82db4" in text
    assert "What they make is needed by #0 COPY /report /report and #2 COPY /src/dist /srv" in text
    assert text.count("6 steps have no name here") == 1
    assert text.index("6 steps have no name here") < text.index("The records")


def test_steps_that_have_names_are_called_with_their_lines(layouts: Path) -> None:
    text = _text(run(str(layouts / "web-oci"), "--names", str(layouts / "web-prov")).stdout)
    assert (
        "#4 WORKDIR /src (Dockerfile:2) #3 COPY package.json . (Dockerfile:3) "
        "#9 RUN echo installing && mkdir node_module…o dep > node_modules/dep (Dockerfile:4) "
        "#13 COPY app app (Dockerfile:6, 9) #15 RUN mkdir dist && cat app/* > dist/out (Dockerfile:7) "
    ) in text
    assert "is needed by" not in text
    assert "no name here" not in text


def test_on_standard_output(layouts: Path) -> None:
    result = run(str(layouts / "scratch-file-inline"))
    assert result.exit_code == 0
    assert result.stdout.startswith("<!doctype html>")
    assert "mkdir /d, mkfile /d/f" in _text(result.stdout)


def test_compared_with_an_older_export(layouts: Path) -> None:
    text = _text(run(str(layouts / "web-churn"), "--compare", str(layouts / "web-max")).stdout)
    assert "What changed since web-max" in text
    assert "Keys: 22 gained, 7 lost, 12 the same." in text
    assert "is needed by" not in text  # what earlier builds left is needed by nothing
    assert "Had this build imported the older export: 17 of 22 steps ran: 5 causes." in text
    assert "The content of the files in slot 1 differs" in text


def test_history_where_the_store_has_it(layouts: Path) -> None:
    text = _text(run(str(layouts / "web-churn")).stdout)
    assert (
        "History 4 exports: 13 of 13 steps loadable at first, 13 of 13 steps now. After the first, steps ran in 3 of 3 "
        "builds, 24 of 39 steps in all. export newest result"
    ) in text
    assert "8 of 13 13 of 13 1.0 MiB" in text
    assert "8 of 13 steps ran: other files for" in text
    assert "History" not in _text(run(str(layouts / "web-max")).stdout)


def test_several_exports_and_what_could_not_be_read(layouts: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    result = run(str(layouts / "web-max"), str(layouts / "web-oci"), str(nowhere))
    assert result.exit_code == 3
    text = _text(result.stdout)
    assert "Cache report: 2 exports; 1 source could not be read" in text
    assert text.index("web-oci linux/amd64 PARTLY CACHED") < text.index("web-max CACHED")
    assert text.index(f"UNREADABLE {nowhere} There is no such file or directory.") < text.index("Overview")


def test_nothing_that_could_be_read(tmp_path: Path) -> None:
    """The page says so first, the title names it, and the exit code is that of a source that cannot be read."""
    broken, path = tmp_path / "broken.json", tmp_path / "report.html"
    broken.write_text("{not json")
    result = run(str(broken), "-o", str(path))
    assert result.exit_code == 3
    assert re.search(r"report\.html: 0 exports, 1 source could not be read, \d", result.stderr)
    page = path.read_text()
    assert f"<title>Cache report: {broken} could not be read</title>" in page
    text = _text(page)
    assert "Could not be read What a build makes of it cannot be told. UNREADABLE" in text
    assert "BuildKit refuses it as well; export the cache again." in text
    assert "2 sources could not be read" in _text(run(str(broken), "nowhere").stdout)


def test_an_export_that_is_refused(tmp_path: Path) -> None:
    """It loops: nothing can be predicted, and the rest of the page stands."""
    config = tmp_path / "loop.json"
    config.write_text(
        '{"records": [{"digest": "a"}, {"digest": "b", "inputs": [[{"link": 2}]]},'
        ' {"digest": "c", "inputs": [[{"link": 1}]]}]}'
    )
    result = run(str(config))
    assert result.exit_code == 0
    text = _text(result.stdout)
    assert "COLD" in text
    assert "The next build" not in result.stdout
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    assert run(str(empty)).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'SPEC...'"),
        (["{web-max}", "{web-oci}", "--compare", "{web-max}"], "--compare takes one export beside OLD"),
        (["{web-max}", "--compare", "{web-multi-inline}"], "2 exports"),
        (["{web-max}", "--compare", "nowhere"], "nowhere"),
    ],
)
def test_what_it_refuses(layouts: Path, arguments: list[str], said: str) -> None:
    given = [re.sub(r"\{(.*)\}", lambda found: str(layouts / found[1]), text) for text in arguments]
    result = run(*given)
    assert result.exit_code in (2, 3)
    assert said in result.stderr


def test_more_exports_than_a_page_can_draw(layouts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cachegraph.views.html.report._DRAWN", 30)
    text = _text(run(str(layouts / "web-max"), str(layouts / "web-oci"), str(layouts / "scratch-file-inline")).stdout)
    assert "This page has no room for a drawing of it" in text
    assert text.count("The records") == 2  # 19 and 6 of them; another 19 would be too many


def test_what_is_wrong_in_the_files_that_name_the_caches(layouts: Path, tmp_path: Path) -> None:
    file = tmp_path / "docker-bake.hcl"
    file.write_text(f'target "app" {{ cache-from = ["type=local,src={layouts / "web-max"},mode=max"] }}')
    result = run("--from-file", str(file))
    assert result.exit_code == 0
    text = _text(result.stdout)
    assert "Settings How the caches are named, written and read" in text
    assert re.search(r"note CG309 \S*docker-bake\.hcl:1 mode shapes an export", text)
    assert "Settings" not in _text(run(str(layouts / "web-max")).stdout)
