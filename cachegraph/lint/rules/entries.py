"""Rules about one entry: what buildx makes of its text, letter by letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachegraph.errors import SpecError
from cachegraph.lint.model import Step
from cachegraph.lint.rules.base import Level, LintFinding, LintRule
from cachegraph.lint.rules.editing import without_blanks
from cachegraph.lint.rules.examples import bake, build_step, workflow
from cachegraph.lint.rules.facts import SECRETS, cost_of, is_padded
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.rules.steps import is_plain
from cachegraph.loaders.specs.reference import parse_reference

__all__ = ["ENTRY_RULES"]

_FORMAT = "https://docs.docker.com/reference/cli/docker/buildx/build/#cache-to"
_READ = "cache-from: type=gha,scope=app"
_WRITE = "cache-to: type=gha,scope=app,mode=max"
_GOOD = workflow(build_step(_READ, _WRITE))


def _refused(scene: Scene) -> Iterator[LintFinding]:
    for _, entry in scene.repository.entries:
        if entry.error is not None and not without_blanks(entry.value.text or ""):
            message = (
                f"buildx refuses this cache-{entry.direction} ({entry.error}), so the build fails before it begins. "
                "Write type=TYPE and then key=value pairs, with commas and nothing else between them."
            )
            yield LintFinding(rule="refused-entry", severity="error", message=message, place=entry.place)


def _blanks(scene: Scene) -> Iterator[LintFinding]:
    for _, entry in scene.repository.entries:
        fields = [
            *(key for cache in entry.caches for key in cache.attrs if key != key.strip()),
            *(f"type={cache.type.text}" for cache in entry.caches if is_padded(cache.type.text)),
            *(
                key
                for cache in entry.caches
                for key, value in cache.attrs.items()
                if key == key.strip() and is_padded(value.text) and key not in SECRETS
            ),
        ]
        if not fields:
            continue
        shown = ", ".join(repr(field) for field in dict.fromkeys(fields))
        message = (
            f"There is a blank in {shown}. buildx trims nothing: a key with a blank is another key, which is ignored, "
            "and a value with a blank is another value. Take the blanks out."
        )
        after = without_blanks(entry.written)
        yield LintFinding(
            rule="blank-in-entry",
            severity="error",
            message=message,
            place=entry.place,
            fix=scene.fix(entry, after),
        )


def _repeated_key(scene: Scene) -> Iterator[LintFinding]:
    for _, entry in scene.repository.entries:
        if len(entry.caches) != 1 or '"' in entry.value.pattern:
            continue
        fields = [field.partition("=") for field in entry.value.pattern.split(",")]
        values: dict[str, list[str]] = {}
        for key, _, value in fields:
            values.setdefault(key.lower(), []).append(value)
        for key, given in values.items():
            if len(given) < 2 or not key.strip() or "*" in key:
                continue
            severity: Level = "error" if key == "type" else "warning" if len(set(given)) > 1 else "note"
            if key == "type":
                message = (
                    f"One entry names {len(given)} types, and buildx takes the last, type={given[-1]}, for all of it: "
                    "the other caches are not used. Write each cache on a line, or in a list, of its own."
                )
            else:
                hidden = "" if key in SECRETS else f", {given[-1] or 'an empty value'}"
                message = f"{key} is given {len(given)} times; only the last counts{hidden}. Take the others out."
            yield LintFinding(rule="repeated-key", severity=severity, message=message, place=entry.place)


def _secret(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        for key in sorted(SECRETS & cache.attrs.keys()):
            value = cache.attrs[key]
            if not value.text or value.text not in entry.written:
                continue
            message = (
                f"{key} stands in the file, so everybody who can read the repository has it. Revoke it, and give it "
                "as a secret or in the builder's environment."
            )
            yield LintFinding(rule="secret-in-entry", severity="error", message=message, place=entry.place)


def _reference(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        text = cache.attrs["ref"].text if "ref" in cache.attrs else None
        if cache.type.text != "registry" or not text or is_padded(text):
            continue
        try:
            parse_reference(text)
        except SpecError:
            why = "Repository names are in lower case." if text.lower() != text else "Write HOST/NAME:TAG."
            message = f"{entry.shown} names no image that there can be: {cost_of(entry.direction)}. {why}"
            yield LintFinding(rule="invalid-reference", severity="error", message=message, place=entry.place)


def _empty(scene: Scene) -> Iterator[LintFinding]:
    for build, entry in scene.repository.entries:
        if not entry.value.is_empty or not entry.written.strip() or entry.conditions or build.kind != "workflow":
            continue
        if build.job is None or any(map(_may_set_variables, build.job.steps)):
            continue
        names = re.findall(r"\$\{\{\s*env\.([A-Za-z_]\w*)\s*\}\}", entry.written)
        known = build.env.keys() | build.job.env.keys()
        if not names or any(name in known for name in names) or "inputs." in entry.written:
            continue
        message = (
            f"Nothing sets {' and '.join(names)}, so that this is empty, and buildx passes over an empty "
            f"cache-{entry.direction} without a word: the build has no such cache. Set it, or name the cache."
        )
        yield LintFinding(rule="empty-entry", severity="warning", message=message, place=entry.place)


def _may_set_variables(step: Step) -> bool:
    """Whether a step may set variables for the steps behind it."""
    return (step.run is not None and "GITHUB_ENV" in step.run.pattern) or bool(
        step.action and not is_plain(step.action)
    )


ENTRY_RULES = (
    LintRule(
        name="refused-entry",
        title="An entry that buildx refuses",
        meaning="buildx reads an entry as one line of comma-separated fields. If any field has an equals sign, each "
        "needs one, and type must be given. What it cannot read ends the build before the first step.",
        severity="error",
        cure="Write type=TYPE,key=value,.. or a bare image reference.",
        link=_FORMAT,
        bad=workflow(build_step(_READ, "cache-to: scope=app,mode=max")),
        good=_GOOD,
        check=_refused,
    ),
    LintRule(
        name="blank-in-entry",
        title="A blank in an entry",
        meaning="buildx trims nothing. In `type=gha, scope=app` the key is ` scope`, which BuildKit does not know and "
        "ignores: the cache is read from, or written to, the default place, which other builds use as well.",
        severity="error",
        cure="Take the blanks out. `cachegraph lint --fix` does.",
        link=_FORMAT,
        bad=workflow(build_step(_READ, "cache-to: type=gha, scope=app,mode=max")),
        good=_GOOD,
        check=_blanks,
    ),
    LintRule(
        name="repeated-key",
        title="A key that is given twice",
        meaning="Of equal keys the last wins, also of type. So two caches in one entry are one cache: in "
        "`type=gha,type=registry,ref=..` there is no GitHub cache.",
        severity="error for type, warning for other keys, note if all values are the same",
        cure="Give each cache an entry of its own: a line of the action's input, an option of the command, an element "
        "of the list.",
        link=_FORMAT,
        bad=workflow(build_step(_READ, "cache-to: type=gha,mode=min,scope=app,mode=max")),
        good=_GOOD,
        check=_repeated_key,
    ),
    LintRule(
        name="secret-in-entry",
        title="A credential in an entry",
        meaning="A key or token that is written into the file is known to everybody who can read the repository, and "
        "to everybody who gets a record of the build.",
        severity="error",
        cure="Revoke it. Give the builder the new one in its environment, or as a secret of the CI system.",
        link="https://docs.docker.com/build/cache/backends/s3/",
        bad=workflow(
            build_step(
                "cache-from: type=s3,region=eu-west-1,bucket=acme,name=app",
                "cache-to: type=s3,region=eu-west-1,bucket=acme,name=app,mode=max,secret_access_key=not-a-real-one",
            )
        ),
        good=workflow(
            build_step(
                "cache-from: type=s3,region=eu-west-1,bucket=acme,name=app",
                "cache-to: type=s3,region=eu-west-1,bucket=acme,name=app,mode=max",
            )
        ),
        check=_secret,
    ),
    LintRule(
        name="invalid-reference",
        title="A reference that cannot be",
        meaning="A reference is HOST/NAME:TAG with a name in lower case. BuildKit refuses any other: the build fails "
        "(cache-to), or is cold (cache-from).",
        severity="error",
        cure="Write it in lower case. Names of GitHub repositories may have capitals: lower them first.",
        link="https://docs.docker.com/build/cache/backends/registry/",
        bad=bake(
            'target "app" {\n  cache-from = ["type=registry,ref=ghcr.io/Acme/app:cache"]\n'
            '  cache-to = ["type=registry,ref=ghcr.io/acme/app:cache,mode=max"]\n}\n'
        ),
        good=bake(
            'target "app" {\n  cache-from = ["type=registry,ref=ghcr.io/acme/app:cache"]\n'
            '  cache-to = ["type=registry,ref=ghcr.io/acme/app:cache,mode=max"]\n}\n'
        ),
        check=_reference,
    ),
    LintRule(
        name="empty-entry",
        title="An entry that is empty",
        meaning="An expression whose variable nobody sets is empty, and buildx passes over an empty entry. The file "
        "says that there is a cache, and the build has none.",
        severity="warning",
        cure="Set the variable, or write the entry out.",
        link="https://docs.docker.com/build/ci/github-actions/cache/",
        bad=workflow(build_step("cache-from: ${{ env.CACHE_FROM }}")),
        good=workflow(
            build_step("cache-from: ${{ env.CACHE_FROM }}", _WRITE),
            job="env:\n  CACHE_FROM: type=gha,scope=app",
        ),
        check=_empty,
    ),
)
