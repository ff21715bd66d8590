"""Every sentence that a question can say: its reasons, and what one, several and none change in it."""

# ruff: noqa: E501 - a sentence is on one line, so that it can be searched for

from __future__ import annotations

from typing import Any

import pytest

from cachegraph.queries.base import Finding
from cachegraph.queries.catalogue import QUERIES, get
from cachegraph.text.rules import CODES

FIELDS = {"export": "e", "record": 1, "digest": "sha256:" + "a" * 64, "severity": "note"}
SIZES = {"layers_bytes": 1, "inputs_bytes": 2, "results_bytes": 3, "other_bytes": 4, "records": 9}

SENTENCES: list[tuple[str, dict[str, Any], str]] = [
    (
        "missing-results",
        {"reason": "not-exported", "impact": "bridged", "downstream_loadable": None},
        "Record 1 has no cached result: the export left it out. A later record is cached, so the step runs again only when a step after it changes. Unless it belongs to an earlier build, mode=max keeps it (an inline cache has no such mode).",
    ),
    (
        "missing-results",
        {"reason": "not-exported", "impact": "bridged", "downstream_loadable": 1},
        "Record 1 has no cached result: the export left it out. 1 later record is cached, so the step runs again only when a step after it changes. Unless it belongs to an earlier build, mode=max keeps it (an inline cache has no such mode).",
    ),
    (
        "missing-results",
        {"reason": "not-exported", "impact": "bridged", "downstream_loadable": 2},
        "Record 1 has no cached result: the export left it out. 2 later records are cached, so the step runs again only when a step after it changes. Unless it belongs to an earlier build, mode=max keeps it (an inline cache has no such mode).",
    ),
    (
        "missing-results",
        {"reason": "not-exported", "impact": "dead-end", "downstream_loadable": 0},
        "Record 1 has no cached result: the export left it out. Nothing after it is cached either, so the step runs in every build. Unless it belongs to an earlier build, mode=max keeps it (an inline cache has no such mode).",
    ),
    (
        "missing-results",
        {"reason": "blob-not-listed", "impact": "bridged", "downstream_loadable": None},
        "Record 1 has no cached result: the manifest does not list one of its blobs, so BuildKit ignores the result and says nothing. A later record is cached, so the step runs again only when a step after it changes. Export again, to a new place.",
    ),
    (
        "missing-results",
        {"reason": "blob-not-listed", "impact": "bridged", "downstream_loadable": 1},
        "Record 1 has no cached result: the manifest does not list one of its blobs, so BuildKit ignores the result and says nothing. 1 later record is cached, so the step runs again only when a step after it changes. Export again, to a new place.",
    ),
    (
        "missing-results",
        {"reason": "blob-not-listed", "impact": "bridged", "downstream_loadable": 2},
        "Record 1 has no cached result: the manifest does not list one of its blobs, so BuildKit ignores the result and says nothing. 2 later records are cached, so the step runs again only when a step after it changes. Export again, to a new place.",
    ),
    (
        "missing-results",
        {"reason": "blob-not-listed", "impact": "dead-end", "downstream_loadable": 0},
        "Record 1 has no cached result: the manifest does not list one of its blobs, so BuildKit ignores the result and says nothing. Nothing after it is cached either, so the step runs in every build. Export again, to a new place.",
    ),
    (
        "missing-results",
        {"reason": "blob-missing", "impact": "bridged", "downstream_loadable": None},
        "Record 1 has no cached result: the store no longer has one of its blobs, so loading it fails. A later record is cached, so a build needs it only when a step after it changes. Export again, and find out what deletes blobs there.",
    ),
    (
        "missing-results",
        {"reason": "blob-missing", "impact": "bridged", "downstream_loadable": 1},
        "Record 1 has no cached result: the store no longer has one of its blobs, so loading it fails. 1 later record is cached, so a build needs it only when a step after it changes. Export again, and find out what deletes blobs there.",
    ),
    (
        "missing-results",
        {"reason": "blob-missing", "impact": "bridged", "downstream_loadable": 2},
        "Record 1 has no cached result: the store no longer has one of its blobs, so loading it fails. 2 later records are cached, so a build needs it only when a step after it changes. Export again, and find out what deletes blobs there.",
    ),
    (
        "missing-results",
        {"reason": "blob-missing", "impact": "dead-end", "downstream_loadable": 0},
        "Record 1 has no cached result: the store no longer has one of its blobs, so loading it fails. Nothing after it is cached either, so every build needs it. Export again, and find out what deletes blobs there.",
    ),
    (
        "unreachable-roots",
        {"severity": "note", "reason": "orphan"},
        "No record uses record 1. A source is often there under two keys, and builds use one of them; this costs nothing.",
    ),
    (
        "unreachable-roots",
        {"severity": "note", "reason": "orphan", "records": tuple(range(1, 21))},
        "No record uses record 1, or any of the 19 records with its digest. A source is often there under two keys, and builds use one of them; this costs nothing.",
    ),
    (
        "unreachable-roots",
        {"severity": "note", "reason": "dead"},
        "Record 1 leads to no cached result: every step that depends on it runs in every build. uncached-steps says why.",
    ),
    (
        "unreachable-roots",
        {"severity": "warning", "reason": "lost", "merge": 2, "slot": 1, "layers": None},
        "Record 1 has no inputs, so the export left its result out. Which layers it brought to record 2 in slot 1 is unknown, and they cannot be loaded alone. It runs again as soon as another input of the merge changes. Give it an input: copy from a base image instead of starting on scratch.",
    ),
    (
        "unreachable-roots",
        {"severity": "warning", "reason": "lost", "merge": 2, "slot": 1, "layers": ()},
        "Record 1 has no inputs, so the export left its result out. It brought no layer to record 2 in slot 1. It runs again as soon as another input of the merge changes. Give it an input: copy from a base image instead of starting on scratch.",
    ),
    (
        "unreachable-roots",
        {"severity": "warning", "reason": "lost", "merge": 2, "slot": 1, "layers": (3,)},
        "Record 1 has no inputs, so the export left its result out. It brought layer 3 of record 2 in slot 1, which cannot be loaded alone. It runs again as soon as another input of the merge changes. Give it an input: copy from a base image instead of starting on scratch.",
    ),
    (
        "unreachable-roots",
        {"severity": "note", "reason": "lost", "merge": 2, "slot": 1, "layers": (3, 4)},
        "Record 1 has no inputs, so the export left its result out. It brought layers 3 to 4 of record 2 in slot 1, which cannot be loaded alone. With 2 layers it is a source, such as a base image: it is fetched from where it came from, and nothing is lost.",
    ),
    (
        "unreachable-roots",
        {"severity": "note", "reason": "lost", "merge": 2, "slot": 0, "layers": (0,)},
        "Record 1 has no inputs, so the export left its result out. It brought layer 0 of record 2 in slot 0, which cannot be loaded alone. As the first input of a merge it is nearly always a base image, and then nothing is lost; an operation on scratch would run again. --names can tell.",
    ),
    (
        "unreachable-roots",
        {"severity": "note", "reason": "lost", "merge": 2, "slot": 3, "layers": None},
        "Record 1 has no inputs, so the export left its result out. Which layers it brought to record 2 in slot 3 is unknown, and they cannot be loaded alone. Whether it is a source or an operation on scratch, which would run again, cannot be told: --names can tell.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": None, "start": None, "stop": None, "merged_layers": None},
        "Record 1, slot 0: record 3 cannot be compared, because the merge has no cached result that could be.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "prefix", "start": 0, "stop": 0, "merged_layers": 4},
        "Record 1, slot 0: record 3 brought none of 4 layers.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "prefix", "start": 0, "stop": 1, "merged_layers": 4},
        "Record 1, slot 0: record 3 brought 1 of 4 layers, position 0.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "prefix", "start": 0, "stop": 2, "merged_layers": 4},
        "Record 1, slot 0: record 3 brought 2 of 4 layers, positions 0 to 1.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "prefix", "start": 0, "stop": 1, "merged_layers": 1},
        "Record 1, slot 0: record 3 brought 1 of 1 layer, position 0.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "subset", "start": 3, "stop": 4, "merged_layers": 4},
        "Record 1, slot 0: record 3 brought 1 of 4 layers, position 3.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "subset", "start": 2, "stop": 4, "merged_layers": 5},
        "Record 1, slot 0: record 3 brought 2 of 5 layers, positions 2 to 3.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "scattered", "start": 0, "stop": 3, "merged_layers": 4},
        "Record 1, slot 0: record 3 brought layers at positions 0 to 2 of 4 layers, with others between them.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "absent", "start": None, "stop": None, "merged_layers": 4},
        "Record 1, slot 0: record 3 is not among the 4 layers of the merge: the two come from different builds.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "no-result", "start": None, "stop": None, "merged_layers": 4},
        "Record 1, slot 0: record 3 has no cached result, and which layers it brought is unknown.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "no-result", "start": 1, "stop": 1, "merged_layers": 4},
        "Record 1, slot 0: record 3 has no cached result; the other slots leave it no layer.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "no-result", "start": 1, "stop": 2, "merged_layers": 4},
        "Record 1, slot 0: record 3 has no cached result; the other slots leave it 1 of 4 layers, position 1.",
    ),
    (
        "merge-subsets",
        {"slot": 0, "input": 3, "relation": "no-result", "start": 1, "stop": 3, "merged_layers": 4},
        "Record 1, slot 0: record 3 has no cached result; the other slots leave it 2 of 4 layers, positions 1 to 2.",
    ),
    (
        "empty-exports",
        {"records": 2, "record": None},
        "The export holds 2 records without inputs and no step: BuildKit imports it, finds nothing, and every step runs. Export again.",
    ),
    (
        "empty-exports",
        {"records": 0, "record": None},
        "The export holds no record: BuildKit imports it, finds nothing, and every step runs. Export again.",
    ),
    (
        "import-errors",
        {"error": "invalid looping record", "record": None},
        'BuildKit refuses this export ("invalid looping record"), so every build that imports it starts cold. Export again, to a new place.',
    ),
    (
        "import-errors",
        {"error": "panic: runtime error: index out of range [0] with length 0", "record": None},
        'Importing this export ends buildkitd ("panic: runtime error: index out of range [0] with length 0"), and every build on it fails. Take it out of --cache-from, and build the image again.',
    ),
    (
        "import-errors",
        {"error": "blob x is too large (2 > 1)", "record": None},
        'BuildKit refuses this export ("blob x is too large (2 > 1)"), so every build that imports it starts cold. Export less (mode=min, fewer stages), or export to S3, Azure or GitHub, which have no such limit.',
    ),
    (
        "legacy-misses",
        {"chains": 1},
        "Record 1 has 1 chain and no other result to load. Builders before BuildKit 0.10 skip chains and run the step again: update them, or export with mode=max instead of inline.",
    ),
    (
        "legacy-misses",
        {"chains": 2},
        "Record 1 has 2 chains and no other result to load. Builders before BuildKit 0.10 skip chains and run the step again: update them, or export with mode=max instead of inline.",
    ),
    (
        "fragile-links",
        {"reason": "missable", "slots": (0,), "cost": 1, "steps": (1,)},
        "BuildKit 0.25 to 0.32 can miss record 1, at random from import to import: its importer may drop every link of slot 0. Then it runs, though nothing changed. Update the builders to 0.33 or newer, or export a cache for each target.",
    ),
    (
        "fragile-links",
        {"reason": "missable", "slots": (0, 2), "cost": 31, "steps": (1, 2, 3, 4, 5, 6)},
        "BuildKit 0.25 to 0.32 can miss record 1, at random from import to import: its importer may drop every link of slots 0, 2. Then it runs, and so do 30 steps after it: record 2, record 3, record 4 and 27 more, though nothing changed. Update the builders to 0.33 or newer, or export a cache for each target.",
    ),
    (
        "fragile-links",
        {"record": None, "digest": None, "reason": "cannot-tell"},
        "Whether BuildKit 0.25 to 0.32 can miss steps of this export cannot be told: it has so many records and targets that finding out takes too long. Newer builders miss none.",
    ),
    (
        "duplicate-keys",
        {"key": 0, "dropped_results": 0},
        "BuildKit folds record 1 into record 0: same digest, matching inputs. Both keep the results of both, which costs nothing.",
    ),
    (
        "duplicate-keys",
        {"key": 0, "dropped_results": 0, "records": tuple(range(1, 21))},
        "BuildKit folds record 1 and 19 other records into record 0: same digest, matching inputs. Both keep the results of both, which costs nothing.",
    ),
    (
        "duplicate-keys",
        {"key": 0, "dropped_results": 1},
        "BuildKit folds record 1 into record 0: same digest, matching inputs. 1 result with the same time and number of layers as another is dropped and cannot be loaded. Export again, to a new place.",
    ),
    (
        "duplicate-keys",
        {"key": 0, "dropped_results": 2},
        "BuildKit folds record 1 into record 0: same digest, matching inputs. 2 results with the same time and number of layers as another are dropped and cannot be loaded. Export again, to a new place.",
    ),
    (
        "orphan-layers",
        {"layer": 3, "bytes": None},
        "Layer 3 (sha256:aaaaaaaaaaaa, unknown size) is part of no cached result, so no build can load it: it only takes room. In an image with inline cache it may still be a layer of the image.",
    ),
    (
        "orphan-layers",
        {"layer": 3, "bytes": 0},
        "Layer 3 (sha256:aaaaaaaaaaaa, 0 B) is part of no cached result, so no build can load it: it only takes room. In an image with inline cache it may still be a layer of the image.",
    ),
    (
        "orphan-layers",
        {"layer": 3, "bytes": 1},
        "Layer 3 (sha256:aaaaaaaaaaaa, 1 B) is part of no cached result, so no build can load it: it only takes room. In an image with inline cache it may still be a layer of the image.",
    ),
    (
        "orphan-layers",
        {"layer": 3, "bytes": 2048},
        "Layer 3 (sha256:aaaaaaaaaaaa, 2.0 KiB) is part of no cached result, so no build can load it: it only takes room. In an image with inline cache it may still be a layer of the image.",
    ),
    (
        "orphan-blobs",
        {"store": "./cache", "bytes": 2048, "modified_at": None},
        "No manifest in ./cache names blob sha256:aaaaaaaaaaaa (2.0 KiB): an earlier export left it there. It can be deleted while no export is running.",
    ),
    (
        "size-forecast",
        {"severity": "note", "bytes": 3000, "limit": None, "records_left": None},
        "The config takes 2.9 KiB, most of it digests. BuildKit sets no limit for this kind of cache.",
    ),
    (
        "size-forecast",
        {"severity": "note", "bytes": 3000, "limit": 1048576, "records_left": 5000},
        "The config takes 2.9 KiB, 0% of BuildKit's limit of 1.0 MiB, most of it digests. It has room for about 5,000 more records.",
    ),
    (
        "size-forecast",
        {"severity": "note", "bytes": 3000, "limit": 1048576, "records_left": None},
        "The config takes 2.9 KiB, 0% of BuildKit's limit of 1.0 MiB, most of it digests.",
    ),
    (
        "size-forecast",
        {"severity": "warning", "bytes": 1000000, "limit": 1048576, "records_left": 1},
        "The config takes 976.6 KiB, 95% of BuildKit's limit of 1.0 MiB, most of it digests. It has room for about 1 more record; then BuildKit refuses it and every step runs. Export less.",
    ),
    (
        "size-forecast",
        {"severity": "warning", "bytes": 1000000, "limit": 1048576, "records_left": 40},
        "The config takes 976.6 KiB, 95% of BuildKit's limit of 1.0 MiB, most of it digests. It has room for about 40 more records; then BuildKit refuses it and every step runs. Export less.",
    ),
    (
        "size-forecast",
        {"severity": "error", "bytes": 2000000, "limit": 1048576, "records_left": 0},
        "The config takes 1.9 MiB, 191% of BuildKit's limit of 1.0 MiB, most of it digests. BuildKit refuses it: export less, or export to S3, Azure or GitHub.",
    ),
    ("source-problems", {"code": "source-note", "detail": "A thing."}, "A thing."),
    ("source-problems", {"code": "source-note", "detail": "a thing"}, "A thing."),
    (
        "uncached-steps",
        {"record": None, "cause": "lost-blob", "kind": "registry", "steps": (1,), "of": 9},
        "Blob sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is gone, and 1 step of 9 cannot be loaded without it: record 1. A build fails as soon as it needs it; every build that exports its cache as well fails, unless it says ignore-error=true. Export again to a new place, and look at the registry's clean-up.",
    ),
    (
        "uncached-steps",
        {"record": None, "cause": "lost-blob", "kind": "s3", "steps": (1, 2), "of": 9},
        "Blob sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is gone, and 2 steps of 9 cannot be loaded without it: record 1, record 2. A build fails as soon as it needs one of them; every build that exports its cache as well fails, unless it says ignore-error=true. Export again to a new place, and look at the bucket's lifecycle rules (they must outlast touch_refresh).",
    ),
    (
        "uncached-steps",
        {"record": None, "cause": "lost-blob", "kind": "azblob", "steps": (1, 2), "of": 9},
        "Blob sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is gone, and 2 steps of 9 cannot be loaded without it: record 1, record 2. A build that needs one of them cannot load it, and may fail; every build that exports its cache as well fails, unless it says ignore-error=true. Export again to a new place, and look at the container's lifecycle rules.",
    ),
    (
        "uncached-steps",
        {"record": None, "cause": "lost-blob", "kind": "gha", "steps": (1, 2), "of": 9},
        "Blob sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is gone, and 2 steps of 9 cannot be loaded without it: record 1, record 2. A build that needs one of them cannot load it, and may fail; every build that exports its cache as well fails, unless it says ignore-error=true. Export again to a new place, and look at GitHub's quota (10 GB by default) and its age limit of 7 days.",
    ),
    (
        "uncached-steps",
        {"record": None, "cause": "lost-blob", "kind": "local", "steps": (1, 2), "of": 9},
        "Blob sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is gone, and 2 steps of 9 cannot be loaded without it: record 1, record 2. A build that needs one of them runs the step instead, and fails if the blob belongs to its base image; every build that exports its cache as well fails, unless it says ignore-error=true. Export again to a new place, and look at who deletes files there.",
    ),
    (
        "uncached-steps",
        {"record": None, "cause": "lost-blob", "kind": "inline", "store": "local", "bytes": 2048, "steps": (), "of": 9},
        "Blob sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (2.0 KiB) is gone. No step needs it to be loaded, but every build that exports its cache as well fails, unless it says ignore-error=true. Export again to a new place, and look at who deletes files there.",
    ),
    (
        "uncached-steps",
        {
            "record": None,
            "cause": "damaged-blob",
            "fault": "wrong-size",
            "kind": "registry",
            "store": "registry",
            "severity": "error",
            "steps": (1,),
            "of": 9,
        },
        "Of 9 steps, 1 cannot be loaded: blob sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa has another size than the manifest says. They are: record 1. A build that needs one of them fails. Export again, to a new place, and look at what rewrites manifests or blobs there.",
    ),
    (
        "uncached-steps",
        {
            "record": None,
            "digest": None,
            "cause": "damaged-blob",
            "fault": "no-diff-id",
            "kind": "registry",
            "store": "registry",
            "severity": "warning",
            "steps": (1, 2),
            "of": 9,
        },
        "Of 9 steps, 2 cannot be loaded: the manifest says no containerd.io/uncompressed of their blobs. They are: record 1, record 2. A build that needs one of them runs it. Export again, to a new place, and look at what rewrites manifests or blobs there.",
    ),
    (
        "uncached-steps",
        {"record": None, "digest": None, "cause": "inline-link", "kind": "inline", "steps": (1,), "of": 9},
        "Of 9 steps, 1 keeps no result: an inline cache keeps no result of the COPY --link steps that the build ends in. Without: record 1. They run in every build, even if nothing changed. Export a cache of its own beside the image: --cache-to type=registry,ref=REF,mode=max.",
    ),
    (
        "uncached-steps",
        {"record": None, "cause": "unlisted-blob", "kind": "registry", "steps": (1, 2, 3), "of": 9},
        "Of 9 steps, 3 keep no result: the manifest does not list blob sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, so BuildKit ignores every result that needs it. Without: record 1, record 2, record 3. Each runs again whenever something after it changes. Export again, to a new place.",
    ),
    (
        "uncached-steps",
        {"record": None, "digest": None, "cause": "inline", "kind": "inline", "steps": (1, 2, 3, 4), "of": 9},
        "Of 9 steps, 4 keep no result: an inline cache holds the layers of the final image only. Without: record 1, record 2, record 3 and 1 more. Each runs again whenever something after it changes. Export a cache of its own beside the image: --cache-to type=registry,ref=REF,mode=max.",
    ),
    (
        "uncached-steps",
        {"record": None, "digest": None, "cause": "final-image", "kind": "registry", "steps": (1,), "of": 9},
        "Of 9 steps, 1 keeps no result: the export holds the layers of the final image only, as mode=min (the default) leaves it. Without: record 1. Each runs again whenever something after it changes. Export with mode=max; where the cache is imported too, build once without it.",
    ),
    (
        "uncached-steps",
        {"record": None, "digest": None, "cause": "earlier-build", "kind": "registry", "steps": (1,), "of": 9},
        "Of 9 steps, 1 keeps no result: their keys are those of earlier builds. Without: record 1. That costs nothing, unless such a build comes back.",
    ),
    (
        "uncached-steps",
        {"record": None, "digest": None, "cause": "unknown", "kind": "registry", "steps": (1,), "of": 9},
        "Of 9 steps, 1 keeps no result: the builder had none when it exported, and the export does not say why. Without: record 1. Each runs again whenever something after it changes. To fill the gap, build once without this cache and export with mode=max.",
    ),
]


@pytest.mark.parametrize(("query", "fields", "sentence"), SENTENCES)
def test_what_it_says(query: str, fields: dict[str, Any], sentence: str) -> None:
    question = get(query)
    more = {"size-forecast": SIZES, "merge-subsets": {"alternative": 0, "inferred": False}}.get(query, {})
    finding: Finding = question.finding(**{**FIELDS, **more, **fields, "query": query})
    assert question.worded(finding, lambda record: f"record {record}").message == sentence


def test_every_question_is_in_the_table() -> None:
    assert {query for query, *_ in SENTENCES} == {query.name for query in QUERIES}


def test_every_sentence_ends_and_says_its_own_thing() -> None:
    texts = [text for query, _, text in SENTENCES if query != "source-problems"]
    assert len(set(texts)) == len(texts)
    assert all(text.endswith((".", ").")) and "  " not in text and "None" not in text for text in texts)


def test_every_rule_has_a_code_an_example_and_a_cure() -> None:
    assert {query.name for query in QUERIES} <= set(CODES)
    assert len(set(CODES.values())) == len(CODES)
    for query in QUERIES:
        rule = query.rule
        assert rule.code.startswith("CG1")
        assert rule.example
        assert rule.cure
        assert rule.title.endswith("?")
        assert rule.meaning.endswith(".")
