"""Rules about one entry: what its backend makes of its type, keys and values."""

from __future__ import annotations

from collections.abc import Iterator

from cachegraph.lint.model import Entry
from cachegraph.lint.rules.base import LintFinding, LintRule
from cachegraph.lint.rules.editing import changed_field, changed_keys
from cachegraph.lint.rules.examples import bake, build_step, workflow
from cachegraph.lint.rules.facts import (
    BACKENDS,
    COMPRESSION,
    cost_of,
    export_keys,
    is_padded,
    key_named,
    keys_of,
    taken,
    words_of,
)
from cachegraph.lint.rules.scene import Scene
from cachegraph.text.nearest import did_you_mean, nearest
from cachegraph.text.words import capital

__all__ = ["BACKEND_RULES"]

_BACKENDS = "https://docs.docker.com/build/cache/backends/"
_READ = "cache-from: type=gha,scope=app"
_WRITE = "cache-to: type=gha,scope=app,mode=max"
_GOOD = workflow(build_step(_READ, _WRITE))
_REQUIRED = {("local", "from"): "src", ("local", "to"): "dest", ("registry", "from"): "ref", ("registry", "to"): "ref"}


def _unknown_type(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        kind = cache.type.text
        if kind is None or kind in BACKENDS or is_padded(kind):
            continue
        near = nearest(kind, BACKENDS)
        message = (
            f"BuildKit knows no cache of type={kind}: {cost_of(entry.direction)}. "
            f"{capital(did_you_mean(kind, BACKENDS, 'types'))}"
        )
        after = changed_field(entry.written, "type", kind, near) if near else ""
        yield LintFinding(
            rule="unknown-type",
            severity="error",
            message=message,
            place=entry.place,
            fix=scene.fix(entry, after, is_safe=near == kind.lower()),
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
            if (
                key in known
                or key in export_keys(kind) | COMPRESSION
                or key.strip() != key
                or _is_for_the_other(entry, kind, key)
            ):
                continue
            near = nearest(key, sorted(known))
            message = (
                f"type={kind} has no key {key} on cache-{entry.direction}; BuildKit ignores it without a word. "
                f"{capital(did_you_mean(key, sorted(known), 'keys'))}"
            )
            after = changed_keys(entry.written, {key: near}) if near and near not in cache.attrs else ""
            yield LintFinding(
                rule="unknown-key",
                severity="warning",
                message=message,
                place=entry.place,
                fix=scene.fix(entry, after, is_safe=False),
            )


def _is_for_the_other(entry: Entry, kind: str, key: str) -> bool:
    """Whether it is ``dest`` for ``src`` or the reverse, which is told as a key that is missing."""
    wanted = _REQUIRED.get((kind, entry.direction))
    return kind == "local" and key in ("src", "dest") and key != wanted


def _unknown_value(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        kind = cache.type.text or ""
        known = keys_of(kind, entry.direction)
        if known is None or kind == "inline":
            continue
        for name, value in cache.attrs.items():
            key, text = key_named(kind, name), value.text
            if key is None or key.values is None or not key.counts(entry.direction) or text is None:
                continue
            if key.values.take(text) or is_padded(text):
                continue
            if key.values.refused:
                cost = f"BuildKit refuses it: {cost_of(entry.direction)}"
            else:
                cost = f"it counts as {key.default}, without a word"
            message = f"{name} takes {words_of(key.values)}, not {text or 'nothing'}; {cost}."
            lower = taken(key.values, text)
            after = changed_field(entry.written, name, text, lower) if lower else ""
            yield LintFinding(
                rule="unknown-value",
                severity="error" if key.values.refused else "warning",
                message=message,
                place=entry.place,
                fix=scene.fix(entry, after),
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
        why = f"; {other} is for cache-{'to' if entry.direction == 'from' else 'from'}" if swapped else ""
        message = f"cache-{entry.direction} of type={kind} needs {key}={why}. Without it, the build fails at once."
        after = changed_keys(entry.written, {other: key}) if swapped and value is None else ""
        yield LintFinding(
            rule="missing-key",
            severity="error",
            message=message,
            place=entry.place,
            fix=scene.fix(entry, after),
        )


def _export_key(scene: Scene) -> Iterator[LintFinding]:
    for _, entry, cache in scene.caches:
        if entry.direction != "from" or cache.type.text not in BACKENDS:
            continue
        found = [key for key in cache.attrs if key in export_keys(cache.type.text or "")]
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
            fix=scene.fix(entry, after),
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
            fix=scene.fix(entry, after),
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
            fix=scene.fix(entry, after),
        )


BACKEND_RULES = (
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
        meaning="An inline cache is part of an image, and is read by naming the image. BuildKit has no importer called "
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
)
