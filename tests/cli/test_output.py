"""Formats, files, options that cannot be followed, and progress: what every command does alike."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cachegraph.cli import progress
from cachegraph.cli.app import app
from cachegraph.cli.output import ROWS, Output, write, write_rows
from cachegraph.cli.reports import REPORTS
from cachegraph.errors import AccessError, UnknownNameError
from cachegraph.text.rules import CODES

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


def on_a_terminal(*args: str, columns: int = 80, **environment: str) -> str:
    """Run a command with a terminal for its output, and give what was written to it."""
    parent, child = pty.openpty()
    os.environ.pop("COLUMNS", None)
    command = ["stty", "cols", str(columns)]
    subprocess.run(command, stdin=child, check=True)
    running = subprocess.Popen(
        [sys.executable, "-m", "cachegraph", *args],
        stdin=subprocess.DEVNULL,
        stdout=child,
        stderr=child,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(child)
    written = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        written += part
    running.wait()
    os.close(parent)
    return written.decode().replace("\r\n", "\n")


@pytest.fixture
def spec(layouts: Path) -> str:
    return str(layouts / "scratch-file-inline")


# --- Formats and files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", REPORTS)
def test_a_file_holds_what_standard_output_would(format_: str, spec: str, tmp_path: Path) -> None:
    path = tmp_path / "answer"
    printed = run("check", "-f", format_, spec).stdout
    for arguments in (["-f", format_, "-o", str(path)], ["-f", f"{format_}={path}"]):
        result = run("check", *arguments, spec)
        assert (result.exit_code, result.stdout) == (0, "")
        assert path.read_text() == printed
        path.unlink()
    assert list(tmp_path.iterdir()) == []


def test_one_run_writes_several_formats(spec: str, tmp_path: Path) -> None:
    sarif, page = tmp_path / "cache.sarif", tmp_path / "report.html"
    result = run("check", "-f", f"sarif={sarif}", "-f", "table", "-f", f"html={page}", spec)
    assert result.stdout == run("check", spec).stdout
    assert json.loads(sarif.read_text())["version"] == "2.1.0"
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-f", "jsno"], "there is no format 'jsno' (did you mean json?)"),
        (["-f", "yml"], "there is no format 'yml' (formats: table, json, csv, markdown, sarif, junit, github, html)"),
        (["-f", "json="], "'json=' names no file"),
        (["-f", "json", "-f", "csv"], "--format json and csv would be written to one place"),
        (["-f", "json=a", "-o", "b"], "has no format left to write"),
    ],
)
def test_formats_that_cannot_be_written(arguments: list[str], message: str, spec: str) -> None:
    result = run("check", *arguments, spec)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


def test_an_unknown_format_never_becomes_a_table() -> None:
    with pytest.raises(UnknownNameError, match="there is no format 'text'"):
        write_rows([], (), Output(format="text"))
    assert {"table", "json", "csv", "markdown"} == set(ROWS) <= set(REPORTS)


def test_a_file_that_cannot_be_written_is_one_line(spec: str, tmp_path: Path) -> None:
    result = run("check", "-o", str(tmp_path / "gone" / "answer"), spec)
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1
    assert "No such file or directory" in result.stderr
    before = tmp_path / "before"
    before.write_text("kept")
    before.chmod(0o640)
    with pytest.raises(AccessError):
        write("new", Output(format="json", path=before / "below"))
    assert before.read_text() == "kept"


def test_a_full_disk_is_told(spec: str) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "cachegraph", "records", "-f", "json", spec]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == "cachegraph: the answer could not be written: No space left on device (make room for it)\n"


# --- Text that can be copied -----------------------------------------------------------------------------------------

DIGEST = "digest=sha256:45feb6dfaaa202c398440bad24ef9137f75662958697955d2903e4b53fb7f38a"


@pytest.mark.parametrize("columns", [40, 80, 160])
@pytest.mark.parametrize("command", [["check", "--all"], ["records"], ["query", "merge-subsets"]])
def test_no_digest_or_reference_is_broken_on_a_terminal(command: list[str], columns: int, spec: str) -> None:
    shown = ESCAPES.sub("", on_a_terminal(*command, spec, columns=columns))
    assert DIGEST in shown
    assert "sha256:6eac9d425e3d" in shown
    folded = [line for line in shown.splitlines() if "type=local" not in line and "─" not in line]
    assert command[0] == "records" or max(map(len, folded)) <= columns


def test_without_a_terminal_nothing_is_folded_padded_or_coloured(spec: str) -> None:
    text = run("check", spec).stdout
    assert text.splitlines()[0].endswith(DIGEST)
    assert not any(line != line.rstrip() for line in text.splitlines())
    assert "starting on scratch.\n" in text
    assert text.count("\n") == 7
    rows = run("records", spec).stdout.splitlines()[1:]
    assert {row.count("\t") for row in rows} == {6}


def test_no_colour_where_it_is_not_wanted(spec: str) -> None:
    assert "\x1b[33m" in on_a_terminal("check", spec)
    assert "\x1b[3" not in on_a_terminal("check", spec, NO_COLOR="1")


def test_query_says_what_check_says(spec: str) -> None:
    said = run("query", "unreachable-roots", spec).stdout
    whole = run("check", "--all", spec).stdout
    lines = [line for line in said.splitlines() if " CG104 " in line]
    assert len(lines) == 2
    assert all(line in whole for line in lines)
    assert "Nothing found in 1 export." in run("query", "missing-results", spec).stdout


def test_what_could_not_be_read_is_in_every_format(spec: str) -> None:
    for format_ in REPORTS:
        result = run("check", "-f", format_, spec, "gone.json")
        assert result.exit_code == 3
        assert "gone.json" in result.stdout
    (failed,) = json.loads(run("check", "-f", "json", "gone.json").stdout)["sources_failed"]
    assert failed == {
        "source": "gone.json",
        "error": "NotFoundError",
        "message": "gone.json: there is no such file",
        "hint": "check the path",
        "place": None,
        "buildkit": None,
        "warnings": [],
        "verdict": "UNREADABLE",
    }


# --- Options that cannot be followed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--verify", "registry.example/app"], "--verify cannot be used here: it reads the blobs of a directory"),
        (["--all-tags", "c.json"], "--all-tags cannot be used here: it reads the tags of a directory or a repository"),
        (["--tags", "v*", "c.json"], "--tags cannot be used here"),
        (["--insecure-registry", "a", "SPEC"], "--insecure-registry cannot be used here"),
        (["--probe", "cache.json"], "--probe cannot be used here: it asks a registry or a bucket"),
        (["--all-tags", "--tags", "v*", "registry.example/app"], "--all-tags and --tags: give one of them"),
        (["--database", "neo4j", "SPEC"], "--database cannot be used here: the SPECs are read without a server"),
        (["--export", "x", "SPEC"], "--export cannot be used here"),
        (["--neo4j", "bolt://localhost:1", "--probe"], "--probe cannot be used here: --neo4j asks what was loaded"),
        (["--neo4j", "bolt://localhost:1", "SPEC"], "SPEC cannot be used here"),
        (["--neo4j", "bolt://localhost:1", "--timeout", "3", "--names", "x"], "--names and --timeout cannot be used"),
        (["--all", "-f", "json", "SPEC"], "--all cannot be used here: only the table folds findings"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(arguments: list[str], message: str, spec: str) -> None:
    result = run("check", *(spec if argument == "SPEC" else argument for argument in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


def test_a_source_that_cannot_follow_an_option_is_named(spec: str, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text("{}")
    result = run("check", "--fail-on", "never", "--verify", "--probe", spec, str(config))
    assert result.exit_code == 0
    assert result.stderr == (
        f"cachegraph: {config}: --verify reads the blobs of a directory or archive, so it changes nothing for "
        "type=config\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chekc"], "there is no command 'chekc' (did you mean check?)"),
        (["neo4j", "stop"], "there is no command 'stop' (commands: up, down,"),
        (["explain-rule", "CG999"], "there is no rule 'CG999'"),
        (["explain-rule", "missing-result"], "(did you mean missing-results?)"),
        (["cypher", "shared-layer"], "there is no Cypher file 'shared-layer' (did you mean shared-layers?)"),
        (["cypher", "--param", "a=1"], "--param cannot be used here"),
        (["cypher", "-e", "RETURN 1", "--file", __file__], "--file and --execute: give one of them"),
        (["neo4j", "schema", "--print", "--database", "x"], "--database cannot be used here: --print asks no server"),
    ],
)
def test_other_commands(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


# --- Rules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*CODES, *CODES.values(), "cg101"])
def test_every_rule_is_explained_by_name_and_code(name: str) -> None:
    text = run("explain-rule", name).stdout
    assert [word for word in ("Meaning", "Severity", "Example", "Cure") if f"\n{word}\n" not in text] == []


def test_rules_as_a_list() -> None:
    listed = json.loads(run("explain-rule", "-f", "json").stdout)
    assert {rule["name"]: rule["code"] for rule in listed} == dict(CODES)


def test_a_finding_has_its_code_in_every_format(spec: str) -> None:
    for format_ in REPORTS:
        assert "CG104" in run("check", "-f", format_, spec).stdout


# --- Progress --------------------------------------------------------------------------------------------------------


def test_work_that_is_done_at_once_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress() as report:
        for number in range(10_000):
            report("sources", number, 10_000)
    assert capsys.readouterr().err == ""


def test_without_a_terminal_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "SECONDS", 0.05)
    with progress.progress() as report:
        report("sources", 312, 1000)
        report("probing registry.example/app\x1b[31m", 3, 7)
        time.sleep(0.12)
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 3
    assert lines[0].startswith("cachegraph: sources: 312 of 1,000, probing registry.example/app�[31m: 3 of 7 (0 s)")


def test_on_a_terminal_one_region_of_constant_height_that_goes() -> None:
    code = (
        "import time\nfrom cachegraph.cli import progress\nprogress._AT_ONCE = 0.0\n"
        "with progress.progress() as report:\n"
        "    for number in range(300):\n"
        "        report('sources', number, 300); report(f'reading {number} ' + 'x' * 200, number, None)\n"
        "        time.sleep(0.002)\n"
        "print('done')\n"
    )
    parent, child = pty.openpty()
    running = subprocess.Popen([sys.executable, "-c", code], stdout=child, stderr=child, stdin=subprocess.DEVNULL)
    os.close(child)
    written = b""
    reader = threading.Thread(target=lambda: running.wait())
    reader.start()
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:
            break
        written += part
    reader.join()
    os.close(parent)
    text = written.decode()
    assert "sources: " in text
    assert text.count("\n") <= 3, "each redraw stays on its line"
    assert ESCAPES.sub("", text.split("\n")[-2]).strip() == "done"
    assert text.rstrip().endswith("done")
    assert "\x1b[1A\x1b[2K" in text or "\x1b[2K" in text


def test_reports_may_come_from_any_thread() -> None:
    def work(report: Callable[[str, int, int | None], None]) -> None:
        for number in range(1000):
            report(f"thread {threading.get_ident()}", number, 1000)

    with progress.progress() as report:
        threads = [threading.Thread(target=work, args=(report,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
