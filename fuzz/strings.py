"""Ask buildx's own parser and ours about the same cache strings: ``make fuzz-go``, which builds ``fuzz/go/specs``.

Compared are the entries (type, keys and values, letter by letter) or the words of the error.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cachegraph.errors import SpecError, encodable, masked
from cachegraph.loaders.specs import read_cache_entries
from fuzz.__main__ import KEPT
from fuzz.sources import Choices

__all__ = ["cache_string"]

BATCH = 2_000

_TYPES = ("gha", "registry", "local", "s3", "azblob", "inline", "GHA", " gha", "gha ", "", "foo", "İnline", "ΣΑΣ")
_KEYS = (
    *("type", "Type", "TYPE", " type", "type ", "scope", " scope", "SCOPE", "ref", "Ref", " ref", "src", "dest", "tag"),
    *("mode", "mod", "ref\t", "digest", "url", "url_v2", "token", "version", "name", "bucket", "prefix", "reset"),
    *("ignore-error", "image-manifest", "", " ", "İD", "SCOPEΣ", "ΣΣ", "ß", "ǅ", "ﬁ", "K", "\u200bscope", "type\u00a0"),
)
_VALUES = (
    *(
        "",
        "web",
        " web",
        "web ",
        "max",
        "MAX",
        "a=b",
        "=",
        "==",
        "a:1",
        "docker.io/acme/app:cache",
        "./cache",
        "latest",
    ),
    *(
        "a b",
        "true",
        "'web'",
        "https://host/x?y=1&z=2",
        "a;b",
        "\n",
        "a\nb",
        "a\r\nb",
        "\t",
        "\u2028",
        "é",
        "日本",
        "\\",
    ),
    *("sha256:" + "a" * 64, "$HOME", "${{ github.ref }}", "\x00", "\x7f", "\U0001f40b", "<&>", "%s", "`x`"),
)
_ENDS = ("", "", "", "", "\n", "\r\n", "\r", "\n\n", ",", ",,", " ", ";", '"', "=")
_ALPHABET = 'ab=,,""\n\r ;:\'\\tT=yYpPeE\u00e9\u0130\u03a3'


def cache_string(chance: Choices) -> str:
    """Make a string such as people write, or such as nobody does."""
    if chance.sometimes(10):
        return "".join(chance.one(_ALPHABET) for _ in range(chance.number(0, 24)))
    if chance.sometimes(20):  # references
        text = chance.one((",", ",", ", ", ";", "\n")).join(
            _quoted(chance, chance.one(_VALUES)) for _ in range(chance.number(1, 4))
        )
        return text + chance.one(_ENDS)
    fields = [_quoted(chance, f"{_key(chance)}={chance.one(_VALUES)}") for _ in range(chance.number(0, 5))]
    if chance.sometimes(90):
        fields.insert(chance.number(0, len(fields)), _quoted(chance, f"type={chance.one(_TYPES)}"))
    if chance.sometimes(10):
        fields.insert(chance.number(0, len(fields)), chance.one(_VALUES))
    return chance.one((",", ",", ",", ",", ", ", ";", ",\n")).join(fields) + chance.one(_ENDS)


def _key(chance: Choices) -> str:
    """Take a key that is known or nearly so, or one with any letter of the world in it."""
    if chance.sometimes(90):
        return chance.one(_KEYS)
    letter = chr(chance.number(0, 0x1FFFF))
    # What this Python's Unicode does not know yet, Go may print in an error as it is.
    return "a" if unicodedata.category(letter) in ("Cn", "Cs") else f"k{letter}"


def _quoted(chance: Choices, field: str) -> str:
    """Quote a field as CSV wants it, or nearly so."""
    if not chance.sometimes(6):
        return field
    doubled = field.replace('"', '""')
    return chance.one((f'"{doubled}"', f'"{doubled},x"', f'"{doubled}', f' "{doubled}"', f'"{doubled}" ', f'{field}"'))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz.strings", description=__doc__)
    parser.add_argument("program", help="the Go program, built")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    chance = random.Random(asked.seed)
    counts: Counter[str] = Counter()
    differences: list[dict[str, Any]] = []
    distinct: set[str] = set()
    began = time.monotonic()
    while len(distinct) < asked.count and len(differences) < 10:
        batch = [cache_string(Choices(chance.randbytes(64))) for _ in range(BATCH)]
        distinct.update(batch)
        for text, theirs in zip(batch, answers(asked.program, batch), strict=True):
            ours = read(text)
            counts["refused" if theirs["error"] is not None else "read"] += 1
            if ours != theirs:
                differences.append({"input": text, "buildx": theirs, "ours": ours})
    if differences:
        KEPT.mkdir(parents=True, exist_ok=True)
        path = KEPT / "strings.json"
        path.write_text(json.dumps(differences, indent=1))
        print(f"{path}: {len(differences)} strings are read differently, such as {differences[0]}"[:600])
    print(f"{len(distinct):,} distinct strings in {time.monotonic() - began:.0f} s:", dict(counts))
    return int(bool(differences))


def answers(program: str, batch: Sequence[str]) -> list[dict[str, Any]]:
    """Ask buildx."""
    asked = "\n".join(json.dumps({"input": text}) for text in batch)
    done = subprocess.run([program], input=asked.encode(), capture_output=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    # What may be a credential is never in an error of ours.
    return [{**one, "error": one["error"] and masked(encodable(one["error"]))} for one in found]


def read(text: str) -> dict[str, Any]:
    """Read a string; give what the Go program gives."""
    try:
        entries = read_cache_entries(text)
    except SpecError as error:
        return {"entries": [], "error": error.message}
    return {"entries": [{"type": one.type, "attrs": dict(one.attrs)} for one in entries], "error": None}


if __name__ == "__main__":
    sys.exit(main())
