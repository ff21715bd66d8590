"""A project on disk: a folder in a git repository, and the cache that a build of it leaves."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

import cachegraph as cg
from cachegraph.building import BuildGraph, build
from cachegraph.causes.lines import Line
from cachegraph.graph import CacheGraph
from cachegraph.predicting import forecast

BASES = Path(__file__).parents[1] / "data" / "dockerfiles" / "bases"
BASE = "sha256:f1d8a44e922142131ed382ef191746dac780c4cd7a6b2ba42e024d91d9b0d2da"
OTHER_BASE = "sha256:d2a67de27d3830945cb95284cdb71e4345c046b6376b201ca21fd2efc2e046cd"
IMAGES = {"busybox:1": BASE, "busybox:2": OTHER_BASE, "layout": str(BASES)}


@dataclass
class Project:
    """A build context.

    Attributes
    ----------
    root : Path
    """

    root: Path

    def write(self, files: Mapping[str, str]) -> None:
        """Write files, mode 0644."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o644)

    def commit(self, message: str = "a commit", *, seconds: int = 1_700_000_000) -> str:
        """Commit everything, and give the commit's hash."""
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main")
        when = f"{seconds} +0000"
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str, **environment: str) -> str:
        """Run git as somebody with a name."""
        who = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.com",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=os.environ | who | environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def config(self, *, platform: str | None = None, build_args: Mapping[str, str] | None = None) -> bytes:
        """Give the cache config that a build leaves, every step with a result."""
        return config_of(self.build(platform, build_args))

    def cache(self, *, platform: str | None = None, build_args: Mapping[str, str] | None = None) -> CacheGraph:
        """Give the cache that a build leaves."""
        return cg.from_config(self.config(platform=platform, build_args=build_args))

    def lines(
        self, cache: CacheGraph, *, platform: str | None = None, build_args: Mapping[str, str] | None = None
    ) -> list[Line]:
        """Predict a build."""
        return list(forecast(self.build(platform, build_args), cache).lines)

    def build(self, platform: str | None, build_args: Mapping[str, str] | None) -> BuildGraph:
        """Compute the keys of a build."""
        return build(
            self.root,
            images=IMAGES,
            offline=True,
            builder="linux/amd64",
            platform=platform,
            build_args=build_args,
        )


def config_of(made: CacheGraph) -> bytes:
    """Give the cache config that a build leaves, every step with a result."""
    config = msgspec.to_builtins(made.graphs[0].export.config)
    config["layers"] = [{"blob": "sha256:" + "0" * 64, "parent": -1}]
    for record in config["records"]:
        if record.get("inputs"):
            record["layers"] = [{"layer": 0, "createdAt": "2026-01-01T00:00:00Z"}]
    return json.dumps(config).encode()
