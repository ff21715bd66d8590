"""Rules about one entry: what buildx and BuildKit make of its text, letter by letter."""

from __future__ import annotations

from collections.abc import Iterator

from cachegraph.errors import SpecError
from cachegraph.lint.model import Entry, Step
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.editing import changed_field, changed_keys, without_blanks
from cachegraph.lint.rules.examples import bake, build_step, workflow
from cachegraph.lint.rules.facts import BACKENDS, COMPRESSION, SECRETS, VALUES, keys_of
from cachegraph.lint.rules.runners import is_plain
from cachegraph.lint.rules.scene import Scene
from cachegraph.lint.values import Direction
from cachegraph.loaders.specs.reference import parse_reference
from cachegraph.text.nearest import did_you_mean, nearest
from cachegraph.text.words import capital

__all__ = ["ENTRY_RULES"]

_BACKENDS = "https://docs.docker.com/build/cache/backends/"
_FORMAT = "https://docs.docker.com/reference/cli/docker/buildx/build/#cache-to"
_READ = "cache-from: type=gha,scope=app"
_WRITE = "cache-to: type=gha,scope=app,mode=max"
_GOOD = workflow(build_step(_READ, _WRITE))
_EXPORT_ONLY = frozenset({"mode", "ignore-error", "image-manifest", "oci-mediatypes", "oci-artifact"}) | COMPRESSION
_REQUIRED = {("local", "from"): "src", ("local", "to"): "dest", ("registry", "from"): "ref", ("registry", "to"): "ref"}


def _of(direction: Direction) -> str:
    return f"cache-{direction}"


def _cost(direction: Direction) -> str:
    return "the import fails and every step runs" if direction == "from" else "the build fails"


def _refused(scene: Scene) -> Iterator[LintFinding]:
    for _, entry in scene.repository.entries:
        if entry.error is not None and not without_blanks(entry.value.text or ""):
            message = (
                f"buildx refuses this {_of(entry.direction)} ({entry.error}), so the build fails before it begins. "
                "Write type=TYPE and then key=value pairs, with commas and nothing else between them."
            )
            yield LintFinding(rule="refused-entry", severity="error", message=message, place=entry.place)


def _blanks(scene: Scene) -> Iterator[LintFinding]:
    for _, entry in scene.repository.entries:
        fields = [
            *(key for cache in entry.caches for key in cache.attrs if key != key.strip()),
            *(f"type={cache.type.text}" for cache in entry.caches if _is_padded(cache.type.text)),
            *(
                key
                for cache in entry.caches
                for key, value in cache.attrs.items()
                if key == key.strip() and _is_padded(value.text) and key not in SECRETS
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
            fix=scene.fix(entry, after) if after else None,
        )


def _is_padded(text: str | None) -> bool:
    return text is not None and text != text.strip()


def _unknown_type(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        kind = cache.type.text
        if kind is None or kind in BACKENDS or _is_padded(kind):
            continue
        near = nearest(kind, BACKENDS)
        message = (
            f"BuildKit knows no cache of type={kind}: {_cost(entry.direction)}. "
            f"{capital(did_you_mean(kind, BACKENDS, 'types'))}"
        )
        after = changed_field(entry.written, "type", kind, near) if near else ""
        yield LintFinding(
            rule="unknown-type",
            severity="error",
            message=message,
            place=entry.place,
            fix=scene.fix(entry, after, is_safe=near == kind.lower()) if after else None,
        )


def _inline_import(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        if cache.type.text == "inline" and entry.direction == "from":
            message = (
                "type=inline can be written, not read: BuildKit knows no such importer and every step runs. "
                "Read the image that holds the cache: type=registry,ref=IMAGE."
            )
            yield LintFinding(rule="inline-import", severity="error", message=message, place=entry.place)


def _unknown_key(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        kind = cache.type.text or ""
        known = keys_of(kind, entry.direction)
        if known is None:
            continue
        for key in cache.attrs:
            if key in known or key in _EXPORT_ONLY or key.strip() != key or _is_for_the_other(entry, kind, key):
                continue
            near = nearest(key, sorted(known))
            message = (
                f"type={kind} has no key {key} on {_of(entry.direction)}; BuildKit ignores it without a word. "
                f"{capital(did_you_mean(key, sorted(known), 'keys'))}"
            )
            after = changed_keys(entry.written, {key: near}) if near and near not in cache.attrs else ""
            yield LintFinding(
                rule="unknown-key",
                severity="warning",
                message=message,
                place=entry.place,
                fix=scene.fix(entry, after, is_safe=False) if after else None,
            )


def _is_for_the_other(entry: Entry, kind: str, key: str) -> bool:
    """Whether it is ``dest`` for ``src`` or the reverse, which is told as a key that is missing."""
    wanted = _REQUIRED.get((kind, entry.direction))
    return kind == "local" and key in ("src", "dest") and key != wanted


def _repeated_key(scene: Scene) -> Iterator[LintFinding]:
    for _, entry in scene.repository.entries:
        if len(entry.caches) != 1 or '"' in entry.value.pattern:
            continue
        fields = [field.partition("=") for field in entry.value.pattern.split(",")]
        values: dict[str, list[str]] = {}
        for key, _, value in fields:
            values.setdefault(key.lower(), []).append(value)
        for key, given in values.items():
            if len(given) < 2 or not key.strip():
                continue
            if key == "type":
                message = (
                    f"One entry names {len(given)} types, and buildx takes the last, type={given[-1]}, for all of it: "
                    "the other caches are not used. Write each cache on a line, or in a list, of its own."
                )
            else:
                hidden = "" if key in SECRETS else f", {given[-1] or 'an empty value'}"
                message = f"{key} is given {len(given)} times; only the last counts{hidden}. Take the others out."
            yield LintFinding(rule="repeated-key", severity="error", message=message, place=entry.place)


def _unknown_value(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        kind = cache.type.text or ""
        known = keys_of(kind, entry.direction)
        if known is None or kind == "inline":
            continue
        for key, value in cache.attrs.items():
            text, checked = value.text, VALUES.get(key)
            if checked is None or key not in known or text is None or checked.holds(text) or _is_padded(text):
                continue
            if entry.direction == "from" and key == "touch_refresh":
                continue
            if key in COMPRESSION and kind not in ("registry", "local"):
                continue
            cost = f"{checked.otherwise}: {_cost(entry.direction)}" if checked.fails else checked.otherwise
            message = f"{key} takes {checked.takes}, not {text or 'nothing'}; {cost}."
            lower = text.lower() if text.lower() in checked.words else ""
            after = changed_field(entry.written, key, text, lower) if lower else ""
            yield LintFinding(
                rule="unknown-value",
                severity="error" if checked.fails else "warning",
                message=message,
                place=entry.place,
                fix=scene.fix(entry, after) if after else None,
            )


def _missing_key(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        kind = cache.type.text or ""
        key = _REQUIRED.get((kind, entry.direction))
        if key is None:
            continue
        value = cache.attrs.get(key)
        if (value is not None and not value.is_empty) or any(one.strip() == key for one in cache.attrs if one != key):
            continue
        other = {"src": "dest", "dest": "src"}.get(key, "")
        swapped = other in cache.attrs
        why = f"; {other} is for {_of('to' if entry.direction == 'from' else 'from')}" if swapped else ""
        message = f"{_of(entry.direction)} of type={kind} needs {key}={why}. Without it, the build fails at once."
        after = changed_keys(entry.written, {other: key}) if swapped and value is None else ""
        yield LintFinding(
            rule="missing-key",
            severity="error",
            message=message,
            place=entry.place,
            fix=scene.fix(entry, after) if after else None,
        )


def _export_key(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        if entry.direction != "from" or cache.type.text not in BACKENDS:
            continue
        found = [key for key in cache.attrs if key in _EXPORT_ONLY]
        if not found:
            continue
        message = (
            f"{' and '.join(found)} shapes an export and means nothing on cache-from. What is read is what was "
            "written: set it on cache-to."
        )
        after = changed_keys(entry.written, dict.fromkeys(found, ""))
        yield LintFinding(
            rule="export-key-on-import",
            severity="note",
            message=message,
            place=entry.place,
            fix=scene.fix(entry, after) if after else None,
        )


def _inline_mode(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        mode = cache.attrs.get("mode")
        if cache.type.text != "inline" or entry.direction != "to" or mode is None or mode.text == "min":
            continue
        message = (
            "mode means nothing with type=inline: the cache holds the steps whose layers are in the image, and no "
            "step of the other stages. For these, write type=registry,mode=max to a reference of its own."
        )
        after = changed_keys(entry.written, {"mode": ""})
        yield LintFinding(
            rule="inline-mode",
            severity="warning",
            message=message,
            place=entry.place,
            fix=scene.fix(entry, after) if after else None,
        )


def _compression(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        kind = cache.type.text
        if entry.direction != "to" or kind not in ("gha", "azblob", "inline"):
            continue
        found = [key for key in cache.attrs if key in COMPRESSION]
        if not found:
            continue
        how = "has the image's own layers: set it on the image's output" if kind == "inline" else "writes gzip"
        message = f"type={kind} ignores {', '.join(found)}: it {how}. Take it out of the entry."
        after = changed_keys(entry.written, dict.fromkeys(found, ""))
        yield LintFinding(
            rule="ignored-compression",
            severity="note",
            message=message,
            place=entry.place,
            fix=scene.fix(entry, after) if after else None,
        )


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
        if cache.type.text != "registry" or not text or _is_padded(text):
            continue
        try:
            parse_reference(text)
        except SpecError:
            why = "Repository names are in lower case." if text.lower() != text else "Write HOST/NAME:TAG."
            message = f"{entry.shown} names no image that there can be: {_cost(entry.direction)}. {why}"
            yield LintFinding(rule="invalid-reference", severity="error", message=message, place=entry.place)


def _empty(scene: Scene) -> Iterator[LintFinding]:
    for build, entry in scene.repository.entries:
        if not entry.value.is_empty or not entry.written.strip() or entry.conditions or build.kind != "workflow":
            continue
        if build.job is None or any(map(_may_set_variables, build.job.steps)):
            continue
        message = (
            f"{entry.written.strip()} is empty here, since nothing sets it, and buildx passes over an empty "
            f"{_of(entry.direction)} without a word: the build has no such cache. Set it, or name the cache."
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
        name="unknown-type",
        title="A type that BuildKit does not know",
        meaning="The types are registry, local, gha, s3 and azblob, and inline for cache-to, in lower case. buildx "
        "passes any other on; the builder then fails the build (cache-to), or the import (cache-from), which leaves "
        "the build cold.",
        severity="error",
        cure="Write the type as BuildKit does.",
        link=_BACKENDS,
        bad=workflow(build_step(_READ, "cache-to: type=GHA,scope=app,mode=max")),
        good=_GOOD,
        check=_unknown_type,
    ),
    LintRule(
        name="inline-import",
        title="type=inline is read",
        meaning="An inline cache lies in an image, and is read by naming that image. BuildKit has no importer called "
        "inline: the import fails, and every step runs.",
        severity="error",
        cure="Read the image: type=registry,ref=IMAGE.",
        link="https://docs.docker.com/build/cache/backends/inline/",
        bad=bake(
            'target "app" {\n  tags = ["acme/app"]\n  cache-from = ["type=inline"]\n  cache-to = ["type=inline"]\n}\n'
        ),
        good=bake(
            'target "app" {\n  tags = ["acme/app"]\n  cache-from = ["type=registry,ref=acme/app"]\n'
            '  cache-to = ["type=inline"]\n}\n'
        ),
        check=_inline_import,
    ),
    LintRule(
        name="unknown-key",
        title="A key that the backend does not know",
        meaning="No key is unknown to buildx: it passes all of them on, and BuildKit ignores what it does not know, "
        "without a word. `mod=max` exports in mode min.",
        severity="warning",
        cure="Write the key as the backend's page does.",
        link=_BACKENDS,
        bad=workflow(build_step(_READ, "cache-to: type=gha,scope=app,mode=max,ignore_error=true")),
        good=workflow(build_step(_READ, "cache-to: type=gha,scope=app,mode=max,ignore-error=true")),
        check=_unknown_key,
    ),
    LintRule(
        name="repeated-key",
        title="A key that is given twice",
        meaning="Of equal keys the last wins, also of type. So two caches in one entry are one cache: in "
        "`type=gha,type=registry,ref=..` there is no GitHub cache.",
        severity="error",
        cure="Give each cache an entry of its own: a line of the action's input, an option of the command, an element "
        "of the list.",
        link=_FORMAT,
        bad=workflow(build_step(_READ, "cache-to: type=gha,mode=min,scope=app,mode=max")),
        good=_GOOD,
        check=_repeated_key,
    ),
    LintRule(
        name="unknown-value",
        title="A value that the key does not take",
        meaning="Some keys take a few words only. An unknown mode counts as min, an unreadable touch_refresh as 24h, "
        "without a word; an unknown compression ends the build.",
        severity="error if the build or the import fails, warning if the value is ignored",
        cure="Write one of the values that are taken.",
        link=_BACKENDS,
        bad=workflow(build_step(_READ, "cache-to: type=gha,scope=app,mode=Max")),
        good=_GOOD,
        check=_unknown_value,
    ),
    LintRule(
        name="missing-key",
        title="A key that must be there",
        meaning="A local cache has a src to be read from and a dest to be written to, a registry cache has a ref. "
        "Without it, buildx ends the build at once.",
        severity="error",
        cure="Give the key. `cachegraph lint --fix` swaps src and dest where the wrong one is given.",
        link="https://docs.docker.com/build/cache/backends/local/",
        bad=bake(
            'target "app" {\n  cache-from = ["type=local,dest=../cache"]\n'
            '  cache-to = ["type=local,dest=../cache,mode=max"]\n}\n'
        ),
        good=bake(
            'target "app" {\n  cache-from = ["type=local,src=../cache"]\n'
            '  cache-to = ["type=local,dest=../cache,mode=max"]\n}\n'
        ),
        check=_missing_key,
    ),
    LintRule(
        name="export-key-on-import",
        title="A key of exports on cache-from",
        meaning="mode, compression and the like say how a cache is written. On cache-from they are ignored; somebody "
        "who sets mode=max there alone exports in mode min.",
        severity="note",
        cure="Set it on cache-to. `cachegraph lint --fix` takes it off cache-from.",
        link=_BACKENDS,
        bad=workflow(build_step(f"{_READ},mode=max", _WRITE)),
        good=_GOOD,
        check=_export_key,
    ),
    LintRule(
        name="inline-mode",
        title="mode with type=inline",
        meaning="An inline cache describes the layers of the image and nothing else. mode=max does not add the steps "
        "of other stages to it.",
        severity="warning",
        cure="Take mode out, or write a registry cache in mode=max to a reference of its own.",
        link="https://docs.docker.com/build/cache/backends/inline/",
        bad=bake(
            'target "app" {\n  tags = ["acme/app"]\n  cache-from = ["type=registry,ref=acme/app"]\n'
            '  cache-to = ["type=inline,mode=max"]\n}\n'
        ),
        good=bake(
            'target "app" {\n  tags = ["acme/app"]\n  cache-from = ["type=registry,ref=acme/app"]\n'
            '  cache-to = ["type=inline"]\n}\n'
        ),
        check=_inline_mode,
    ),
    LintRule(
        name="ignored-compression",
        title="A compression that the backend ignores",
        meaning="GitHub and Azure caches are always written in gzip, and an inline cache has the layers of the image. "
        "Their compression keys are ignored without a word.",
        severity="note",
        cure="Take the keys out; for an inline cache, set the compression of the image's output.",
        link=_BACKENDS,
        bad=workflow(build_step(_READ, "cache-to: type=gha,scope=app,mode=max,compression=zstd")),
        good=_GOOD,
        check=_compression,
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
