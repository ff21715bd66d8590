"""Whatever an export, a path or a server says, no format of any command passes on what could do harm."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from markdown_it import MarkdownIt

from cachegraph.cli.answer import Answer
from cachegraph.cli.app import app, complain
from cachegraph.cli.output import ROWS, Output, Row
from cachegraph.cli.reports import REPORTS
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheExport, Name, Names, Problem, StrayBlob
from cachegraph.errors import AccessError
from cachegraph.graph import CacheGraph
from cachegraph.loaders.catalogue import Failure
from cachegraph.loaders.config import export_from_config
from cachegraph.queries.catalogue import QUERIES
from cachegraph.schema.summary import summarise
from cachegraph.solver.together import together
from cachegraph.views.files import WRITERS

HOSTILE = [
    "\x1b[31mred\x1b]0;title\x07",
    "\x9b31m\x85\x7f",
    "right\u202eleft\u2066\u200f",
    "one\rtwo\r\nthree\x00four\u2028five",
    "::error file=x,line=1::wrong",
    " \n  ::add-mask::a\n::stop-commands::b",
    "a ##[error]wrong ##vso[task.setvariable variable=a]b",
    "=HYPERLINK(1)",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    " '=1",
    "\t=1",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt; <!-- --> ]]> \" ' `",
    "[x](javascript:alert(1)) ![y](https://evil.example/y.png)",
    "https://evil.example/ www.evil.example me@evil.example",
    "@someone org/repo#12 #34",
    "a|b \\| c ``` d",
    "**bold** _it_ ~~no~~",
    "- x\n\n# y\n\n> z",
    "\udcff\ufffe\U000e0041\ue000",
    "{{ 7 * 7 }} {% raw %} %0A::error::x",
]


def hostile_export(text: str) -> CacheExport:
    """Make an export that says the text wherever an export can say something."""
    text = text.encode("utf-8", "replace").decode()  # JSON from outside holds no half characters, see core.gojson
    layer = {"blob": f"{text}-layer", "parent": -1}
    records: list[dict[str, Any]] = [
        {"digest": text},
        {"digest": f"{text}-missing", "inputs": [[{"link": 0, "selector": text}]]},
        {"digest": f"{text}-cached", "inputs": [[{"link": 1}]], "layers": [{"layer": 0}]},
        {"digest": f"{text}-cached", "inputs": [[{"link": 1}]], "chains": [{"layers": [0]}]},
        {"digest": f"{text}-orphan"},
    ]
    data = json.dumps({"layers": [layer, {"blob": f"{text}-unused", "parent": -1}], "records": records})
    made = export_from_config(data.encode())
    return CacheExport(
        source=text,
        kind="local",
        config=made.config,
        config_digest=made.config_digest,
        config_bytes=made.config_bytes,
        platform=text,
        manifest_digest=text,
        refusal=None,
        problems=(Problem(code="source-note", message=text, digest=text, severity="note"),),
        strays=(StrayBlob(digest=text, size=1, modified_at=None),),
        store=text,
    )


def hostile_graph(text: str) -> CacheGraph:
    export = hostile_export(text)
    text = export.source
    names = {
        record.digest: Name(op="exec", name=f"{text} {number}") for number, record in enumerate(export.config.records)
    }
    return CacheGraph([export], Names(records=names, selectors={text: text}))


def check_line(line: str) -> None:
    """No line drives a terminal or a CI system."""
    assert all(c.isprintable() or c == "\t" for c in line), line
    assert not line.lstrip().startswith("::"), line
    assert "##[" not in line
    assert "##vso[" not in line


def check_text(text: str) -> None:
    for line in text.split("\n"):
        check_line(line)


def check_json(text: str) -> None:
    check_text(text)
    json.loads(text)


def check_csv(text: str) -> None:
    check_text(text)
    rows = list(csv.reader(io.StringIO(text), strict=True))
    assert len({len(row) for row in rows}) == 1
    for row in rows:
        for cell in row:
            assert not cell.startswith(("=", "+", "@", "\t", "\r"))
            assert not cell.startswith("-") or cell.removeprefix("-").isdigit()


def check_markdown(text: str) -> None:
    """Nothing is live: no HTML, link, image, emphasis; no mention, address or reference outside code."""
    check_text(text)
    assert not {"<", "@"} & set(text)
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    tables = sum(token.type == "table_open" for token in tokens)
    columns = sum(token.type == "th_open" for token in tokens) // (tables or 1)
    cells = sum(token.type == "td_open" for token in tokens)
    rows = sum(token.type == "tr_open" for token in tokens) - tables
    assert (rows, cells) == (len(re.findall(r"^\|", text, re.MULTILINE)) - 2 * tables, rows * columns)
    headings = [token for token in tokens if token.type == "heading_open"]
    assert len(headings) == len(re.findall(r"^### ", text, re.MULTILINE))
    assert {heading.tag for heading in headings} <= {"h3"}
    for token in [*tokens, *(child for parent in tokens for child in parent.children or ())]:
        assert not re.match(r"html|link|image|em_|strong|s_open|fence|hr|blockquote", token.type), token
        if token.type == "text":
            assert not re.search(r"@\w|://|www\.|#\d", token.content), token


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td"),
    *("footer", "ul", "li", "strong"),
}


def check_html(text: str) -> None:
    check_text(text)
    tags = _Tags()
    tags.feed(text)
    assert tags.found <= TAGS
    assert tags.attributes <= {"lang", "charset", "name", "content", "class", "title"}


def check_xml(text: str) -> None:
    check_text(text)
    ET.fromstring(text)


def check_github(text: str) -> None:
    """Every line is an annotation as the runner reads it, with no property but its own, or plain words."""
    for line in text.removesuffix("\n").split("\n"):
        found = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        if found is None:
            assert line.startswith("cachegraph: ")
            check_line(line)
            continue
        properties = [part.split("=", 1)[0] for part in found[2].split(",")]
        assert properties in (["title"], ["file", "title"], ["file", "line", "title"])
        assert found[2].isprintable()
        check_line(f"cachegraph: {found[3]}")


def check_dot(text: str) -> None:
    """Outside strings stands nothing but the language."""
    check_text(text)
    assert re.fullmatch(r'(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9_=;,{}\[\]\-> \n])*', text)


CHECKS: Mapping[str, Callable[[str], None]] = {
    "table": check_text,
    "json": check_json,
    "csv": check_csv,
    "markdown": check_markdown,
    "sarif": check_json,
    "junit": check_xml,
    "github": check_github,
    "html": check_html,
    "graphml": check_xml,
    "dot": check_dot,
}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("format_", REPORTS)
def test_check(text: str, format_: str) -> None:
    graph = hostile_graph(text)
    failure = Failure(spec=text, error=AccessError(f"{text}: refused", hint=text))
    answer = Answer(exports=[summarise(one) for one in graph], findings=graph.check(), failures=[failure])
    made = REPORTS[format_](answer, Output(format=format_), True)
    CHECKS[format_](made)
    assert len(made) > 20


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("format_", REPORTS)
def test_what_is_said_of_several_caches_and_by_settings(text: str, format_: str) -> None:
    graph = hostile_graph(text)
    (one,) = graph
    both = [one, ExportGraph(replace(one.export, source=f"{one.export.source}2", config_digest="other"))]
    answer = Answer(
        exports=list(map(summarise, both)),
        findings=graph.check(),
        together=together(both),
        remarks=[f"1 finding is ignored: 1 CG105 (cachegraph.toml: {text})."],
    )
    assert len(answer.said) == 2
    CHECKS[format_](REPORTS[format_](answer, Output(format=format_), True))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_json_says_exactly_what_the_export_says(text: str) -> None:
    graph = hostile_graph(text)
    answer = Answer(exports=[summarise(one) for one in graph], findings=graph.check())
    read = json.loads(REPORTS["json"](answer, Output(format="json"), True))
    assert read["exports"][0]["source"] == graph.graphs[0].export.source
    assert [finding["digest"] for finding in read["findings"]] == [finding.digest for finding in graph.check()]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("format_", ROWS)
def test_rows_of_any_command(text: str, format_: str) -> None:
    """What `records`, `query`, `cypher`, `contents` and the others write passes here."""
    rows: list[Row] = [
        {"a": text, "b": [text, 1], "c": {text: text}, "d": -1},
        {"a": None, "b": True, "c": 1.5, "d": text},
    ]
    output = Output(format=format_)
    made = ROWS[format_](rows, ("a", "b", "c", "d"), text, output)
    CHECKS[format_](made)
    if format_ == "json":
        assert json.loads(made) == rows


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("format_", [name for name in WRITERS if name != "parquet"])
def test_export(text: str, format_: str, tmp_path: Path) -> None:
    WRITERS[format_](hostile_graph(text).graphs, tmp_path / "graph")
    CHECKS[format_]((tmp_path / "graph").read_text("utf-8"))


def run(*args: str) -> Result:
    return CliRunner().invoke(app, args)


@pytest.fixture(params=HOSTILE, ids=ascii)
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A cache config with a hostile name and hostile contents."""
    text: str = request.param
    name = text.replace("/", "_").replace("\x00", "_").replace("\ufffe", "_")
    path = tmp_path / f"{name[:80]}.json"
    path.write_text(json.dumps({"records": [{"digest": text.encode("utf-8", "replace").decode()}]}))
    return str(path)


def commands() -> list[tuple[str, list[str]]]:
    found = [(format_, ["check", "--all", "--fail-on", "never", "-f", format_]) for format_ in REPORTS]
    found += [(format_, ["records", "-f", format_]) for format_ in ROWS]
    found += [(format_, ["export", "-f", format_]) for format_ in WRITERS if format_ != "parquet"]
    return found + [(f, ["query", query.name, "-f", f]) for f in ROWS for query in QUERIES[:4]]


def test_every_command_that_reads(spec: str) -> None:
    for format_, command in commands():
        arguments = [one for one in command if one != "--all" or format_ == "table"]
        result = run(*arguments, spec)
        assert result.exit_code == 0, result.stderr
        CHECKS[format_](result.stdout)
        check_text(result.stderr)


def test_every_command_that_compares(spec: str) -> None:
    for format_ in ROWS:
        for command in (["diff", spec, spec], ["history", spec, spec], ["why", spec, "0"]):
            result = run(*command, "-f", format_)
            assert result.exit_code == 0, result.stderr
            CHECKS[format_](result.stdout)
            check_text(result.stderr)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_standard_error(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    complain(AccessError(f"{text}: refused", hint=text), text)
    said = capsys.readouterr().err
    check_text(said)
    assert said.startswith("cachegraph: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_the_user_typed_is_quoted_cleanly(text: str) -> None:
    text = text.replace("\x00", "")  # no argument of a process holds it
    for arguments in (
        ["check", text],
        ["check", "--format", text, "x"],
        ["query", text, "x"],
        [text],
        ["explain-rule", text],
        ["check", f"--{text}"],
        ["check", "--from-file", text, "x"],
    ):
        result = run(*arguments)
        assert result.exit_code in (0, 2, 3)
        assert "unexpected" not in result.stderr
        check_text(result.stderr)
