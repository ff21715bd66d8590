"""Documents that are nearly right: each of the formats that are read, with something odd in it now and then."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from fuzz.sources import Choices

__all__ = ["ODD", "config", "damaged", "descriptor", "digest", "dumped", "image", "manifest", "odd", "plaintexts"]
__all__ += ["provenance"]

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 1.5, 1e400, "", "x", "\0", "\ud800", "\u202e", "sha256:",
    "a" * 300, "..", "../../x", [], [[]], {}, {"": None}, "2026-11-23T20:36:09.594874001Z", "0001-01-01T00:00:00Z",
    "2026-13-45T99:99:99Z", "::error::x", "=1+1", "random:" + "0" * 64, "${X}", "${{ env.X }}", "token=hunter2-fuzz",
)  # fmt: skip
TIMES = ("2026-11-23T20:36:09.594874001Z", "0001-01-01T00:00:00Z", "2026-11-23T2:36:09,5+24:00", "9999-12-31T23:59:59Z")


def digest(choices: Choices) -> str:
    return "sha256:" + hashlib.sha256(bytes([choices.number(0, 9)])).hexdigest()


def odd(choices: Choices, value: Any, often: int = 3) -> Any:  # noqa: ANN401 - any JSON
    """Give a value, or something else in its place."""
    return choices.one(ODD) if choices.sometimes(often) and not choices.calm else value


def several(choices: Choices, most: int, make: Any) -> list[Any]:  # noqa: ANN401 - a maker of any JSON
    return [make(choices) for _ in range(choices.number(0, most))]


def dumped(choices: Choices, value: Any) -> bytes:  # noqa: ANN401 - any JSON
    """Write JSON, now and then with keys in another case, twice, or damaged."""
    text = json.dumps(value, ensure_ascii=choices.sometimes(50))
    if choices.calm:
        return text.encode("utf-8", "surrogatepass")
    if choices.sometimes(5):
        text = text.replace('"digest"', '"DIGEST"').replace('"link"', '"Link"')
    if choices.sometimes(5):
        text = text.replace('{"', '{"records": [{"layers": [{"createdAt": 7}]}], "', 1)
    if choices.sometimes(3):
        depth = choices.one((10, 900, 995, 9_990, 10_001, 50_000))
        text = text.replace("{", '{"unknown": ' + "[" * depth + "]" * depth + ", ", 1)
    data = text.encode("utf-8", "surrogatepass")
    return damaged(choices, data) if choices.sometimes(10) else data


def damaged(choices: Choices, data: bytes) -> bytes:
    """Change, drop or repeat some bytes."""
    changed = bytearray(data)
    for _ in range(choices.number(1, 8)):
        if not changed:
            break
        at = choices.number(0, min(len(changed) - 1, 65_000))
        match choices.number(0, 4):
            case 0:
                changed[at] = choices.number(0, 255)
            case 1:
                del changed[at : at + choices.number(1, 64)]
            case 2:
                changed[at:at] = changed[at : at + choices.number(1, 64)]
            case 3:
                changed[at:at] = choices.raw(16)
            case 4:
                del changed[at:]
    return bytes(changed)


def record(choices: Choices) -> Any:  # noqa: ANN401 - any JSON
    made: dict[str, Any] = {"digest": odd(choices, digest(choices))}
    if choices.sometimes(60):
        made["inputs"] = several(
            choices, 3, lambda c: several(c, 3, lambda d: odd(d, {"link": odd(d, d.number(-1, 12)), "selector": ""}))
        )
    if choices.sometimes(60):
        made["layers"] = several(
            choices, 2, lambda c: {"layer": odd(c, c.number(-1, 8)), "createdAt": odd(c, c.one(TIMES))}
        )
    if choices.sometimes(20):
        made["chains"] = several(
            choices,
            2,
            lambda c: {"layers": several(c, 3, lambda d: odd(d, d.number(-1, 8))), "createdAt": c.one(TIMES)},
        )
    return odd(choices, made, 1)


def layer(choices: Choices) -> Any:  # noqa: ANN401 - any JSON
    made: dict[str, Any] = {"blob": odd(choices, digest(choices)), "parent": odd(choices, choices.number(-1, 8))}
    if choices.sometimes(40):
        made["annotations"] = odd(
            choices,
            {
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "diffID": odd(choices, digest(choices)),
                "size": odd(choices, choices.number(0, 9999)),
                "createdAt": odd(choices, choices.one(TIMES)),
            },
        )
    return odd(choices, made, 1)


def config(choices: Choices) -> bytes:
    """Write a cache config."""
    made = {
        "layers": odd(choices, several(choices, 8, layer), 1),
        "records": odd(choices, several(choices, 12, record), 1),
    }
    return dumped(choices, odd(choices, made, 1))


def descriptor(choices: Choices, data: bytes | None = None) -> Any:  # noqa: ANN401 - any JSON
    known = data is not None and choices.sometimes(95)
    kinds = (
        "application/vnd.buildkit.cacheconfig.v0", "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.config.v1+json", "",
    )  # fmt: skip
    return odd(
        choices,
        {
            "mediaType": odd(choices, choices.one(kinds)),
            "digest": "sha256:" + hashlib.sha256(data or b"").hexdigest()
            if known
            else odd(choices, digest(choices), 20),
            "size": len(data or b"") if known else odd(choices, choices.number(0, 999), 20),
            "annotations": odd(choices, {"org.opencontainers.image.ref.name": odd(choices, choices.one(("a", "b")))}),
            "platform": odd(choices, {"os": "linux", "architecture": "amd64"}),
        },
        2,
    )


def manifest(choices: Choices, below: list[bytes] | None = None) -> bytes:
    """Write an image manifest or an index, of blobs that are there."""
    made: dict[str, Any] = {"schemaVersion": 2}
    if choices.sometimes(60):
        made["config"] = descriptor(choices, choices.one(below) if below else None)
        made["layers"] = several(choices, 4, descriptor)
    if choices.sometimes(50):
        made["manifests"] = several(choices, 4, lambda c: descriptor(c, c.one(below) if below else None))
    return dumped(choices, odd(choices, made, 1))


def image(choices: Choices) -> bytes:
    """Write an image config with inline cache."""
    records = base64.b64encode(dumped(choices, several(choices, 4, record))).decode()
    made = {
        "os": odd(choices, "linux"),
        "rootfs": odd(choices, {"diff_ids": several(choices, 4, digest)}),
        "history": several(
            choices, 5, lambda c: odd(c, {"created": odd(c, c.one(TIMES)), "empty_layer": c.sometimes(30)})
        ),
        "moby.buildkit.cache.v0": odd(choices, records),
    }
    return dumped(choices, made)


def provenance(choices: Choices) -> bytes:
    """Write an in-toto statement with SLSA provenance."""
    operation = odd(
        choices,
        {
            "Op": odd(choices, {
                choices.one(("exec", "file", "source", "merge", "diff", "build", "x")): odd(choices, {
                    "meta": odd(choices, {"args": odd(choices, ["sh", "-c", "make"]), "env": odd(choices, ["A=b"])}),
                    "mounts": odd(choices, [odd(choices, {"dest": odd(choices, "/"), "input": odd(choices, 0)})]),
                    "actions": odd(choices, [odd(choices, {"Action": odd(choices, {"copy": odd(choices, {"src": odd(choices, "a")})})})]),
                    "inputs": odd(choices, [odd(choices, {"input": odd(choices, 0)})]),
                    "identifier": odd(choices, "docker-image://alpine"),
                }),
            }),
            "platform": odd(choices, {"OS": "linux", "Architecture": odd(choices, "amd64")}),
        },
    )  # fmt: skip
    step = odd(choices, {"id": odd(choices, "step0"), "inputs": odd(choices, ["step1:0"]), "op": operation})
    dependency = odd(choices, {
        "uri": odd(choices, choices.one(("pkg:docker/alpine@3?platform=linux%2Famd64", "https://x.git#y", "pkg:docker/%ff@"))),
        "digest": odd(choices, {"sha256": odd(choices, "0" * 64), "sha1": odd(choices, "1" * 40)}),
    })  # fmt: skip
    made = {"predicate": odd(choices, {"buildDefinition": odd(choices, {
        "resolvedDependencies": odd(choices, [dependency]),
        "internalParameters": odd(choices, {"buildConfig": odd(choices, {"llbDefinition": odd(choices, [step, step])})}),
    })})}  # fmt: skip
    return dumped(choices, made)


def plaintexts(choices: Choices) -> bytes:
    """Write an answer of a daemon's debug address: plaintexts by digest."""

    def one(inner: Choices) -> Any:  # noqa: ANN401 - any JSON
        text = inner.one((
            digest(inner) + "@0", "random:" + "0" * 64 + "@-1", "buildkit.source.v0:session:x:" + digest(inner),
            '{"Type":"buildkit.exec.v0","Exec":{"meta":{"args":["sh","-c","x"]}}}', '{"Type":"buildkit.file.v0","Actions":["e30="]}',
            "a\0b", '{"OS":"linux"}', "", "[" * 2000,
        ))  # fmt: skip
        frames = [
            odd(
                inner,
                {"type": odd(inner, inner.number(0, 3)), "data": odd(inner, base64.b64encode(text.encode()).decode())},
            )
        ]
        kinds = ("string", "json", "string-list", "digest-list", "file-list", "file", "x")
        return odd(
            inner,
            {"digest": odd(inner, digest(inner)), "type": odd(inner, inner.one(kinds)), "data": odd(inner, frames)},
        )

    return dumped(choices, several(choices, 6, one))
