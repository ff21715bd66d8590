"""``explain``, ``diff``, ``history``, ``why`` and ``inline-preview`` on the command line."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

from click.testing import CliRunner, Result

from cachegraph.cli.app import app

RECORDS = Path(__file__).parents[1] / "data" / "records"


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


# --- explain ---------------------------------------------------------------------------------------------------------


def test_explain_a_record_whose_cache_was_missing() -> None:
    result = run("explain", RECORDS / "missing-cache.dockerbuild")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "7 of 7 steps ran: 1 cause.",
        "",
        "1. [build 2/6] WORKDIR /src and 6 other steps ran: no cache could be read.",
        "   The others: [build 3/6] COPY go.mod go.sum ./; [build 4/6] RUN mkdir -p /go/pkg && cat go.mod go.sum"
        " > /go/pkg/mods; [build 5/6] COPY . . and 3 more.",
        "   Cost: 7 steps, 0.85 s.",
        "   To change: check the reference and the right to read it, and that some build writes it with --cache-to.",
        "",
        "Note: The cache type=registry,ref=127.0.0.1:15011/oracles/never:was could not be read: failed to configure "
        "registry cache importer: 127.0.0.1:15011/oracles/never:was: not found.",
    ]


def test_explain_an_export_against_another(layouts: Path) -> None:
    result = run("explain", layouts / "web-max", "--cache-from", layouts / "web-min", "--format", "json")
    (answer,) = json.loads(result.stdout)
    assert answer["summary"] == "Nothing ran that need not have: all of 13 steps came from the cache."
    assert (answer["causes"], answer["misses"], answer["notes"]) == ([], [], [])


def test_explain_the_last_export_of_a_directory_by_the_one_before(layouts: Path) -> None:
    result = run("explain", layouts / "web-churn", "--format", "json")
    (answer,) = json.loads(result.stdout)
    assert answer["summary"] == "8 of 13 steps ran: 1 cause."
    (cause,) = answer["causes"]
    assert (cause["kind"], cause["steps"], cause["bytes"], len(cause["follows"])) == ("input-differs", 8, 675, 7)
    assert cause["details"] == ["the content of the files in slot 1 differs; the cache has 4 other versions"]


def test_explain_as_csv(layouts: Path) -> None:
    result = run("explain", RECORDS / "go-cold.dockerbuild", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["kind"] for row in rows] == ["no-cache"] * 7
    assert rows[0]["name"] == "[build 2/6] WORKDIR /src"


def test_explain_several_builds_of_one_file() -> None:
    result = run("explain", RECORDS / "bake-two.dockerbuild")
    assert "no cache was given" in result.stdout
    assert "no cache could be read" in result.stdout


def test_explain_without_an_export_before(layouts: Path) -> None:
    result = run("explain", layouts / "web-max")
    assert result.exit_code == 3
    assert result.stderr.endswith("there is no export before it to compare with (give one with --cache-from)\n")


def test_explain_takes_one_build() -> None:
    assert run("explain").exit_code == 2
    assert "give one NEW" in run("explain", "a", "b").stderr


# --- diff ------------------------------------------------------------------------------------------------------------


def test_diff_with_the_export_before(layouts: Path) -> None:
    result = run("diff", layouts / "web-churn")
    assert result.stdout.splitlines()[-1] == (
        "Keys: 10 gained, 7 lost, 24 the same. Results: 0 gained, 2 lost. "
        "Loadable: 13 of 13 steps (1.0 MiB) before, 13 of 13 steps (1.0 MiB) now."
    )
    spelled = run("diff", f"{layouts / 'web-churn'}^1", layouts / "web-churn")
    assert spelled.stdout == result.stdout


def test_diff_of_an_export_with_itself(layouts: Path) -> None:
    result = run("diff", layouts / "web-max", layouts / "web-max", "--fail-on", "any")
    assert (result.exit_code, result.stdout) == (0, "No difference: 19 keys the same.\n")


def test_diff_fails_on_lost_results(layouts: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(layouts / "web-max", tmp_path / "broken")
    (broken / "blobs" / "sha256" / "474bf3c90d9c7ca0499ddf665ddde0c3b35ad3cd8740c8114615434c4e41d4a4").unlink()
    args = ("diff", layouts / "web-max", broken, "--format", "json", "--fail-on", "lost-results")
    result = run(*args)
    answer = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {change["change"] for change in answer["changes"]} == {"result lost"}
    assert run("diff", broken, layouts / "web-max", "--fail-on", "lost-results").exit_code == 0


def test_diff_beyond_the_first_export(layouts: Path) -> None:
    result = run("diff", f"{layouts / 'web-churn'}^9", layouts / "web-churn")
    assert "the store has 3 earlier exports, not 9" in result.stderr


# --- history, why, inline-preview ------------------------------------------------------------------------------------


def test_history_of_a_directory(layouts: Path) -> None:
    result = run("history", layouts / "web-churn", "--format", "json")
    answer = json.loads(result.stdout)
    assert [(point["loadable"], point["steps"]) for point in answer["exports"]] == [
        (13, 13),
        (13, 13),
        (13, 13),
        (13, 13),
    ]
    assert [point["carried"] for point in answer["exports"]] == [5, 7, 9, 11]
    assert answer["summary"] == (
        "4 exports: 13 of 13 steps loadable at first, 13 of 13 steps now. After the first, steps ran in 3 of 3 builds, "
        "24 of 39 steps in all."
    )


def test_history_of_several(layouts: Path) -> None:
    names = ("web-max", "web-min", "web-max")
    result = run("history", *(layouts / name for name in names), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["loadable"], row["same_as"]) for row in rows] == [("13", ""), ("13", "0"), ("13", "1")]


def test_why_a_record(layouts: Path) -> None:
    result = run("why", layouts / "web-max", "8")
    assert result.stdout.splitlines()[-1] == (
        "Record 8 (merge of 2 inputs) (1.0 MiB) is used by 1 record; without it 4 steps could not be loaded."
    )
    answer = json.loads(run("why", layouts / "web-max", "8", "--format", "json").stdout)
    assert answer["what"] == "record"


def test_why_nothing(layouts: Path) -> None:
    result = run("why", layouts / "web-max", "nothing")
    assert "no record, layer or blob 'nothing'" in result.stderr


def test_inline_preview(layouts: Path) -> None:
    result = run("inline-preview", layouts / "web-max", "--image", layouts / "web-oci")
    assert "Inline export keeps 7 of 13 results" in result.stdout
    assert run("inline-preview", layouts / "web-max").exit_code == 2


def test_inline_preview_of_an_image_of_two_platforms(layouts: Path) -> None:
    args = ("inline-preview", layouts / "web-multi-max", "--image", layouts / "web-multi-inline")
    assert "it must be one image, there are linux/386, linux/amd64" in run(*args).stderr
    answer = json.loads(run(*args, "--platform", "linux/386", "--format", "json").stdout)
    assert len([row for row in answer["results"] if row["kept"] != "lost"]) == 7


def test_inline_preview_of_an_image_without_cache(layouts: Path) -> None:
    result = run("inline-preview", layouts / "web-max", "--image", layouts / "web-prov", "--format", "json")
    answer = json.loads(result.stdout)
    assert (len(answer["image"]), len([row for row in answer["results"] if row["kept"] == "lost"])) == (6, 6)
