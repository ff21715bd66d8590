"""Sources of builds that are nearly right: Dockerfiles, ``.dockerignore``, and folders full of traps."""

from __future__ import annotations

import os
from pathlib import Path

from fuzz.sources import Choices

__all__ = ["dockerfile", "ignore", "trap"]

SOUND_NAMES = ("a", "b", "src", "a*", ".", "src/a")
NAMES = (*SOUND_NAMES, "*", "a?", "[a-c]", "**/a", "/", "./a/..", "..", "é", "\udcff", "a b", "", "[", "a\\")
SOUND_WORDS = ("x", "$A", "${A:-y}", '"q"', "1", "/x", "${A#x*}")
WORDS = (*SOUND_WORDS, "'q", "\\", "#", "=", "\0", "\u202e", "a" * 300, "$(x)", "${", "~", "[", '["a", 1]')
MOUNTS = (
    "cache,target=/c",
    "bind,from=s0,target=/b",
    "tmpfs,target=/t",
    "bind,source=src,target=/b",
    "secret,id=k",
    "x=",
)
FLAGS = (
    "--chown=1:1",
    "--chmod=755",
    "--link",
    "--from=s0",
    "--parents",
    "--exclude=*.x",
    "--from=9",
    "--x",
    "--from=",
)


def _word(choices: Choices) -> str:
    return choices.one(SOUND_WORDS if choices.calm else WORDS)


def _name(choices: Choices) -> str:
    return choices.one(SOUND_NAMES if choices.calm else NAMES)


def dockerfile(choices: Choices) -> bytes:
    """Write a Dockerfile."""
    lines = [f"ARG A={_word(choices)}"] * choices.number(0, 1)
    if not choices.calm:
        lines.insert(0, choices.one(("# escape=`", "# syntax=docker/dockerfile:1", "# check=skip=all", "", "RUN x")))
    for stage in range(choices.number(1, 3)):
        base = "scratch" if choices.calm else choices.one(("scratch", "base:$A", "s0", "alpine@sha256:" + "0" * 64))
        lines += [f"FROM {base} AS s{stage}", "ARG A=1"]
        lines += [_instruction(choices) for _ in range(choices.number(0, 6))]
    ending = "\n" if choices.calm else choices.one(("\n", "\n", "\r\n", " \\\n"))
    return ending.join(lines).encode("utf-8", "surrogateescape")


def _instruction(choices: Choices) -> str:
    word, name = _word(choices), _name(choices)
    flag = choices.one(FLAGS[:3] if choices.calm else FLAGS) if choices.sometimes(50) else ""
    match choices.number(0, 8 if choices.calm else 11):
        case 0 | 1:
            return f"COPY {flag} {name} {_name(choices)} /x/"
        case 2:
            return f"RUN --mount=type={choices.one(MOUNTS[:3] if choices.calm else MOUNTS)} {word}"
        case 3:
            return f"RUN <<E {word}\n{word}\n{choices.one(('E', 'E', '', 'F') if not choices.calm else ('E',))}"
        case 4:
            return f"COPY <<E /x\n{word}\nE"
        case 5:
            return f'RUN ["{word.strip(chr(34))}"]' if choices.calm else f"RUN [{word}]"
        case 6:
            return (
                f"{choices.one(('ENV', 'ARG', 'LABEL'))} {choices.one(('A', 'B', 'PATH', 'SOURCE_DATE_EPOCH'))}={word}"
            )
        case 7:
            return f"{choices.one(('WORKDIR', 'USER', 'VOLUME', 'ENTRYPOINT', 'CMD'))} {word}"
        case 8:
            return f"ADD {flag} {choices.one((name, 'https://127.0.0.1:1/x', 'https://h/x.git#b'))} /y/"
        case 9:
            return f"ONBUILD {choices.one(('COPY a b', 'RUN x', 'FROM x', 'ONBUILD RUN x'))}"
        case 10:
            return f"{choices.one(('HEALTHCHECK', 'MAINTAINER', 'EXPOSE', 'STOPSIGNAL', 'SHELL', 'NONE'))} {word}"
    return word


def ignore(choices: Choices) -> bytes:
    """Write a ``.dockerignore``."""
    lines = [
        choices.one(("", "!", "# ", "/", "**/")) + _name(choices) + choices.one(("", "/", "/**", "*" * 9))
        for _ in range(choices.number(0, 8))
    ]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def trap(choices: Choices, folder: Path, outside: Path) -> None:
    """Fill a folder: files, deep folders, links that loop or lead out, pipes, names that are no UTF-8.

    Parameters
    ----------
    choices : Choices
    folder : Path
    outside : Path
        A pipe outside of the folder, which whoever opens it waits for.
    """
    places = [folder]
    for _ in range(choices.number(0, 12)):
        at = choices.one(places)
        path = at / choices.one(("a", "b", "src", "\udcff", "é", "a b", "*", ".x", "-"))
        if os.path.lexists(path):
            continue
        match choices.number(0, 6):
            case 0 | 1 | 2:
                path.write_bytes(choices.raw(8))
            case 3 | 4:
                path.mkdir()
                places.append(path)
            case 5:
                path.symlink_to(
                    choices.one(
                        (".", "..", "a", "src/a", "/", "../" * 40, str(path), str(outside), str(outside.parent))
                    )
                )
            case 6:
                os.mkfifo(path)
