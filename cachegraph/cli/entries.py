"""``cachegraph entries``: what a repository's GitHub Actions cache holds of BuildKit."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from cachegraph.cli.formats import output_options
from cachegraph.cli.options import SpecText
from cachegraph.cli.output import Output, json_text, write, write_rows
from cachegraph.errors import UsageError
from cachegraph.text.words import plural, size_text

if TYPE_CHECKING:
    from cachegraph.loaders.github.overview import Overview

__all__ = ["entries"]

_COLUMNS = ("scope", "branch", "index", "written", "used", "superseded")


@click.command(
    epilog="\b\nExamples:\n  cachegraph entries acme/app\n  cachegraph entries type=gha,scope=web,repository=acme/app\n"
    "  GITHUB_TOKEN=.. cachegraph entries acme/app --format json"
)
@click.argument("spec", metavar="[REPOSITORY|SPEC]", default="type=gha", type=SpecText())
@click.option("--timeout", type=click.FloatRange(min=0.1), default=30, show_default=True, help="Seconds for a request.")
@output_options()
def entries(spec: str, timeout: float, outputs: tuple[Output, ...]) -> None:
    """List what a GitHub Actions cache holds of BuildKit: scopes, branches, sizes, ages, what is superseded.

    It asks GitHub's REST API (GITHUB_REPOSITORY, GITHUB_TOKEN or GH_TOKEN), which tells names, sizes and times from
    anywhere; what an entry holds is told inside a workflow only, where `cachegraph check type=gha` reads it.
    """
    from cachegraph.loaders.base import Options
    from cachegraph.loaders.github.rest import overview
    from cachegraph.loaders.specs.parse import parse

    is_repository = "=" not in spec and spec.count("/") == 1
    read = parse(f"type=gha,repository={spec}" if is_repository else spec)
    if read.type != "gha":
        raise UsageError(f"{read.text}: this is no GitHub Actions cache", hint="give OWNER/NAME, or type=gha,...")
    found = overview(read, Options(timeout=timeout))
    now = datetime.now(UTC)
    for output in outputs:
        if output.format == "json":
            write(json_text(asdict(found)), output)
        elif output.format == "csv":
            write_rows([asdict(row) for row in found.rows], list(asdict(found.rows[0])) if found.rows else (), output)
        else:
            write_rows(_rows(found, now), _COLUMNS, output, title=_summary(found, now))


def _rows(found: Overview, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "scope": row.scope + (" (signed)" if row.signed else ""),
            "branch": row.branch.removeprefix("refs/heads/"),
            "index": size_text(row.size),
            "written": _ago(row.written, now),
            "used": _ago(row.used, now),
            "superseded": f"{row.superseded} ({size_text(row.superseded_size)})" if row.superseded else "",
        }
        for row in found.rows
    ]


def _summary(found: Overview, now: datetime) -> str:
    parts = [f"{found.repository}: {plural(found.blobs, 'layer')} of all scopes, {size_text(found.blobs_size)}"]
    if found.oldest_use:
        parts.append(f"the least used last used {_ago(found.oldest_use, now)}")
    if found.all_size is None:
        parts.append(
            f"how full the whole cache is, GitHub did not say; the limit is {size_text(found.quota)} by default"
        )
    else:
        share = 100 * found.all_size / found.quota
        parts.append(
            f"the whole cache has {_entries(found.all_entries or 0)},"
            f" {size_text(found.all_size)}, {share:.0f} % of the {size_text(found.quota)} that are kept by default"
        )
    over = found.all_size is not None and found.all_size > found.quota
    return "; ".join(parts) + ("; GitHub deletes what was not used for longest." if over else ".")


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count:,} entries"


def _ago(time: str, now: datetime) -> str:
    """Say how long ago an RFC 3339 time was."""
    try:
        seconds = (now - datetime.fromisoformat(time)).total_seconds()
    except (ValueError, TypeError):
        return "unknown"
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{plural(int(seconds // size), unit)} ago"
    return "just now"
