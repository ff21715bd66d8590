"""Shell completion: what is offered for a SPEC, and what bash puts into the line."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cachegraph.cli.app import app
from cachegraph.cli.completing import complete_spec


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with caches, and a compose file that names others."""
    (tmp_path / "cache-main").mkdir()
    (tmp_path / "cache.json").write_text("{}")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "type-notes").mkdir()
    (tmp_path / "compose.yaml").write_text(
        "services:\n  web:\n    build:\n      context: .\n      cache_from:\n"
        "        - registry.example.com/app:cache\n        - type=gha,scope=web\n        - ${NOT_SET}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOT_SET", raising=False)
    return tmp_path


KINDS = [f"type={kind}," for kind in ("registry", "local", "gha", "s3", "azblob", "config", "daemon")]


def offered(incomplete: str) -> list[str]:
    return [item.value if item.type == "plain" else f"<{item.type}>" for item in complete_spec(incomplete)]


@pytest.mark.parametrize(
    ("incomplete", "values"),
    [
        ("", ["<file>"]),
        ("./ca", ["<file>"]),
        ("cache", ["<file>"]),
        ("type=lo", ["type=local,"]),
        ("type=", [*KINDS, "type=registry,ref=registry.example.com/app:cache", "type=gha,scope=web"]),
        ("type=local,s", ["type=local,src="]),
        ("type=local,src=ca", ["type=local,src=cache-main/", "type=local,src=cache.json"]),
        ("type=local,src=./.h", ["type=local,src=./.hidden/"]),
        ("type=local,src=nowhere/", []),
        ("type=local,src=cache,t", ["type=local,src=cache,tag="]),
        ("type=local,src=cache,src", []),
        ("type=s3,use_path_style=", ["type=s3,use_path_style=true", "type=s3,use_path_style=false"]),
        ("type=daemon,d", ["type=daemon,db=", "type=daemon,debug="]),
        ("type=registry,ref=reg", ["type=registry,ref=registry.example.com/app:cache"]),
        ("type=gha,scope=w", ["type=gha,scope=web"]),
        ("registry.ex", ["registry.example.com/app:cache"]),
        ("ty", [*KINDS, "type-notes/"]),
        ("type=nosuch,s", []),
    ],
)
def test_what_is_offered(project: Path, incomplete: str, values: list[str]) -> None:
    assert offered(incomplete) == values


def test_a_key_that_only_writes_is_not_offered(project: Path) -> None:
    assert not any(one.endswith(("dest=", "reset=")) for one in offered("type=local,"))


def test_files_that_cannot_be_read_and_odd_names_offer_nothing(project: Path) -> None:
    Path("docker-bake.json").write_text("{")
    Path("odd\nname").mkdir()
    Path("odd name").mkdir()
    assert offered("type=local,src=odd") == []
    assert offered("registry.ex") == ["registry.example.com/app:cache"]


def pieces(line: str) -> list[str]:
    """Break a line as bash does: each run of ``=`` or ``:`` is a word of its own."""
    words = []
    for word in line.split(" "):
        piece = ""
        for char in word:
            if char in "=:":
                words += [piece, char] if piece else [char]
                piece = ""
            else:
                piece += char
        if piece or not word:
            words.append(piece)
    return words


@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("cachegraph chec", ["check"]),
        ("cachegraph check type=lo", ["local,"]),
        ("cachegraph check type=local,src=", ["cache-main/", "cache.json", "compose.yaml", "type-notes/"]),
        ("cachegraph check type=local,src=cache-", ["cache-main/"]),
        ("cachegraph check registry.example.com/app:", ["cache"]),
        ("cachegraph check --ignore CG10", [f"CG10{number}" for number in range(1, 10)]),
        ("cachegraph check --limit archive-b", ["archive-bytes="]),
        ("cachegraph check --format sari", ["sarif"]),
        ("cachegraph query missing-r", ["missing-results"]),
    ],
)
def test_bash_puts_the_rest_into_the_line(
    project: Path, tmp_path_factory: pytest.TempPathFactory, line: str, replies: list[str]
) -> None:
    """The script that `cachegraph completion bash` prints, called as bash calls it."""
    script = CliRunner().invoke(app, ["completion", "bash"]).stdout
    words = pieces(line)
    program = tmp_path_factory.mktemp("bin") / "cachegraph"
    program.write_text(f"#!{sys.executable}\nfrom cachegraph.cli import main\nmain()\n")
    program.chmod(0o700)
    asked = (
        "compopt() { :; }\n"
        f"{script}\nCOMP_LINE={shlex.quote(line)}; COMP_POINT={len(line)}\n"
        f"COMP_WORDS=({' '.join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}\n"
        '_cachegraph_completion cachegraph; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environment = {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parent.parent.parent),
    }
    done = subprocess.run(
        ["bash", "--norc", "-c", asked], capture_output=True, text=True, check=True, env=environment, cwd=project
    )
    assert (done.stdout.splitlines(), done.stderr) == (replies, "")
