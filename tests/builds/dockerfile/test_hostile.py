"""Dockerfiles that want to break their reader: read or refused, in bounded time and without a traceback."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.dockerfile.convert import Converted, convert
from cachegraph.builds.dockerfile.errors import DockerfileError, TooMuchError
from cachegraph.builds.dockerfile.options import read_options
from cachegraph.builds.images import ImageConfig, ResolvedImage
from cachegraph.builds.llb import Platform
from cachegraph.errors import CacheGraphError

SECONDS = 20


class AnyImage:
    """Every image is there, and has one layer."""

    def resolve(self, reference: str, platform: Platform) -> ResolvedImage | Unknown:
        assert reference
        config = ImageConfig(platform=platform, env=("PATH=/bin", "FOO=foo"), layers=1, on_build=("RUN x",))
        return ResolvedImage(digest="sha256:" + "0" * 64, config=config)

    def resolve_layout(self, layout: str, digest: str, platform: Platform) -> ResolvedImage | Unknown:
        assert layout
        return self.resolve(digest, platform)


def read(data: bytes, **options: str) -> Converted:
    return convert(data, read_options(options, Platform(os="linux", architecture="amd64")), AnyImage())


PIECES = st.sampled_from(
    [
        *("FROM a\n", "FROM a AS b\n", "FROM scratch\n", "FROM $A\n", "ARG A=1\n", "ENV A=$A$A B=${A:-x}\n", "RUN x\n"),
        *(
            "RUN <<E\n",
            "E\n",
            "COPY a b\n",
            "COPY --from=b a b\n",
            "COPY <<E /x\n",
            "ADD http://h/f /x\n",
            "WORKDIR $A\n",
        ),
        *(
            "ONBUILD ",
            "RUN --mount=type=",
            "cache,target=/c",
            "\\\n",
            "# c\n",
            "# escape=`\n",
            "'",
            '"',
            "\\",
            "$",
            "${",
        ),
        *("}", ":-", "#", "/", "[", "]", ",", "=", "\0", "\r\n", "\t", "\ufeff", "é", "--", "<<", "-", " ", "\n"),
        *("USER u\n", 'SHELL ["a"]\n', "HEALTHCHECK ", "EXPOSE 1-\n", "STOPSIGNAL ", "LABEL a=", "VOLUME "),
    ]
)


@given(
    st.lists(PIECES, max_size=30).map("".join),
    st.dictionaries(st.sampled_from(["build-arg:A", "target"]), st.text(max_size=8)),
)
@settings(max_examples=400, deadline=None)
def test_pieces_of_the_language_in_any_order(text: str, options: dict[str, str]) -> None:
    with contextlib.suppress(CacheGraphError):
        assert len(read(text.encode(), **options).targets) == 1


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(DockerfileError):
        read(b"FROM a\nRUN " + data)
    with contextlib.suppress(DockerfileError):
        read(data)


HOSTILE = {
    "nested substitutions": b"FROM a\nENV A=" + b"${A:-" * 10_000 + b"}" * 10_000,
    "a variable that doubles": b"FROM a\nENV A=xxxxxxxxxx\n" + b"ENV A=$A$A\n" * 60,
    "a pattern of stars": b"FROM a\nENV A=" + b"a" * 5_000 + b"\nENV B=${A#" + b"*a" * 3_000 + b"b}\n",
    "a replacement of stars": b"FROM a\nENV A=" + b"a" * 5_000 + b"\nENV B=${A//" + b"*a" * 3_000 + b"b/c}\n",
    "nested JSON": b"FROM a\nRUN " + b"[" * 60_000,
    "nested triggers": b"FROM a\n" + b"ONBUILD " * 5_000 + b"RUN x",
    "empty lines": b"\n" * 4_000_000,
    "continued lines": b"FROM a\nRUN " + b"a\\\n" * 1_000_000,
    "instructions": b"FROM a\n" + b"ENV A=1\n" * 300_000,
    "names": b"FROM a\n" + b"".join(b"ENV A%d=1\n" % n for n in range(20_000)),
    "pairs": b"FROM a\nENV " + b" \\\n".join(b"A%d=1" % n for n in range(200_000)),
    "stages": b"".join(b"FROM a AS s%d\nRUN x\n" % n for n in range(20_000)),
    "a chain of stages": b"FROM a AS s0\n" + b"".join(b"FROM s%d AS s%d\nRUN x\n" % (n, n + 1) for n in range(4_000)),
    "a chain of copies": b"FROM a AS s0\n"
    + b"".join(b"FROM a AS s%d\nCOPY --from=s%d x y\n" % (n + 1, n) for n in range(4_000)),
    "a heredoc without end": b"FROM a\nRUN <<E\n" + b"x\n" * 1_000_000,
    "heredocs": b"FROM a\nRUN " + b"<<E " * 15_000 + b"\n" + b"E\n" * 15_000,
    "a long line": b"FROM a\nRUN " + b"x" * 70_000,
    "too large": b"FROM a\n" + b"#" * (16 << 20),
    "mounts": b"FROM a\nRUN " + b"--mount=target=/a \\\n" * 20_000 + b" x",
    "ports": b"FROM a\nEXPOSE " + b"1-65535 " * 8_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_in_time(name: str) -> None:
    started = time.monotonic()
    message = ""
    try:
        read(HOSTILE[name])
    except DockerfileError as error:
        message = str(error)
    assert len(message) < 1_000
    assert time.monotonic() - started < SECONDS


def test_a_limit_of_this_reader_is_said_to_be_one() -> None:
    with pytest.raises(TooMuchError, match="its substitutions grow without end"):
        read(HOSTILE["a variable that doubles"])
    with pytest.raises(TooMuchError, match="substitutions nested more than 64 deep"):
        read(HOSTILE["nested substitutions"])
