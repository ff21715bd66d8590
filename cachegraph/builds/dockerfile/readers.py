"""From a node to the instruction that it is (BuildKit ``frontend/dockerfile/instructions/parse.go``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from cachegraph.builds.dockerfile import instructions as read
from cachegraph.builds.dockerfile.errors import DockerfileError
from cachegraph.builds.dockerfile.flags import Flags, Kind, read_flags
from cachegraph.builds.dockerfile.gotext import BLANKS, parse_int
from cachegraph.builds.dockerfile.heredocs import Heredoc, Mark, read_mark
from cachegraph.builds.dockerfile.lines import Node
from cachegraph.builds.dockerfile.mounts import check_mount, parse_device
from cachegraph.builds.dockerfile.quantities import check_duration

__all__ = ["read_instruction"]

_COPY_FLAGS: dict[str, Kind] = {"chown": "text", "chmod": "text", "link": "switch", "exclude": "texts"}
_FLAGS: dict[str, dict[str, Kind]] = {
    "add": _COPY_FLAGS | {"keep-git-dir": "switch", "checksum": "text", "unpack": "switch"},
    "copy": _COPY_FLAGS | {"from": "text", "parents": "switch"},
    "from": {"platform": "text"},
    "healthcheck": dict.fromkeys(("interval", "timeout", "start-period", "start-interval", "retries"), "text"),
    "run": {"mount": "texts", "network": "text", "security": "text", "device": "texts"},
}
_ONBUILD = re.compile(r"\A[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*", re.IGNORECASE)
_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")
_NETWORKS = frozenset({"default", "none", "host"})
_SECURITIES = frozenset({"insecure", "sandbox"})


def read_instruction(node: Node) -> read.Stage | read.Instruction:
    """Understand one instruction.

    Raises
    ------
    DockerfileError
        Without its line.
    """
    reader = _READERS.get(node.keyword)
    if reader is None:
        raise DockerfileError(f"unknown instruction: {node.written}")
    place = read.Place(
        start=node.start, end=node.end, keyword=node.written, text=node.text.strip(BLANKS), comments=node.comments
    )
    return reader(node, place)


def _flags(node: Node) -> Flags:
    return read_flags(node.flags, _FLAGS.get(node.keyword, {}))


def _words(node: Node, least: int = 1, most: int | None = None) -> tuple[str, ...]:
    words = node.arguments.words
    if most == least == 1 and len(words) != 1:
        raise DockerfileError(f"{node.keyword.upper()} requires exactly one argument")
    if len(words) < least:
        raise DockerfileError(f"{node.keyword.upper()} requires at least one argument")
    return words


def _from(node: Node, place: read.Place) -> read.Stage:
    words = node.arguments.words
    name = ""
    if len(words) == 3 and words[1].lower() == "as":
        name = words[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            raise DockerfileError(
                f'invalid name for build stage: "{words[2]}", name can\'t start with a number or contain symbols'
            )
    elif len(words) != 1:
        raise DockerfileError("FROM requires either one or three arguments")
    return read.Stage(place=place, base=words[0], name=name, platform=_flags(node).text("platform"))


def _pairs(node: Node) -> tuple[read.Pair, ...]:
    _flags(node)
    words = _words(node)
    pairs = [
        read.Pair(name=name, value=value, old=not sign)
        for name, value, sign in zip(words[::3], words[1::3], words[2::3], strict=True)
    ]
    if not all(pair.name for pair in pairs):
        raise DockerfileError(f"{node.keyword.upper()} names can not be blank")
    return tuple(pairs)


def _arg(node: Node, place: read.Place) -> read.Arg:
    declarations = []
    for word in _words(node):
        name, equals, value = word.partition("=")
        if equals and not name:
            raise DockerfileError("ARG names can not be blank")
        declarations.append(read.Declaration(name=name, value=value if equals else None))
    return read.Arg(place=place, declarations=tuple(declarations))


def _sources(node: Node) -> tuple[tuple[str, ...], tuple[Heredoc, ...], str]:
    """Sort the arguments of COPY and ADD into paths, heredocs and the target."""
    keyword = node.keyword.upper()
    *sources, target = node.arguments.words
    if _mark(target) is not None:
        raise DockerfileError(f"{keyword} cannot accept a heredoc as a destination")
    texts = {heredoc.mark.name: heredoc.text for heredoc in node.heredocs}
    paths: list[str] = []
    documents: list[Heredoc] = []
    for source in sources:
        mark = _mark(source)
        if mark is None:
            paths.append(source)
        else:
            documents.append(Heredoc(mark=mark, text=texts.get(mark.name, "")))
    return tuple(paths), tuple(documents), target


def _mark(word: str) -> Mark | None:
    try:
        return read_mark(word)
    except DockerfileError:
        return None


def _two(node: Node) -> None:
    if len(node.arguments.words) < 2:
        raise DockerfileError(
            f"{node.keyword.upper()} requires at least two arguments, but only one was provided. "
            "Destination could not be determined"
        )


def _copy(node: Node, place: read.Place) -> read.Copy:
    _two(node)
    flags = _flags(node)
    sources, documents, target = _sources(node)
    return read.Copy(
        place=place,
        sources=sources,
        documents=documents,
        target=target,
        source=flags.text("from"),
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        link=bool(flags.switch("link")),
        parents=bool(flags.switch("parents")),
        exclude=flags.texts("exclude"),
    )


def _add(node: Node, place: read.Place) -> read.Add:
    _two(node)
    flags = _flags(node)
    sources, documents, target = _sources(node)
    return read.Add(
        place=place,
        sources=sources,
        documents=documents,
        target=target,
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        link=bool(flags.switch("link")),
        exclude=flags.texts("exclude"),
        checksum=flags.text("checksum"),
        keep_git_dir=flags.switch("keep-git-dir"),
        unpack=flags.switch("unpack"),
    )


def _run(node: Node, place: read.Place) -> read.Run:
    flags = _flags(node)
    mounts = flags.texts("mount")
    for mount in mounts:
        check_mount(mount)
    network, security = flags.text("network", "default"), flags.text("security", "sandbox")
    if network not in _NETWORKS:
        raise DockerfileError(f'invalid network mode "{network}"')
    if security not in _SECURITIES:
        raise DockerfileError(f'security "{security}" is not valid')
    return read.Run(
        place=place,
        arguments=node.arguments.words,
        in_shell=not node.arguments.is_json,
        heredocs=node.heredocs,
        mounts=mounts,
        devices=tuple(parse_device(device) for device in flags.texts("device")),
        network=network,
        insecure=security == "insecure",
    )


def _launch(node: Node, place: read.Place) -> read.Launch:
    _flags(node)
    return read.Launch(place=place, is_entrypoint=node.keyword == "entrypoint", in_shell=not node.arguments.is_json)


def _shell(node: Node, place: read.Place) -> read.Shell:
    _flags(node)
    words = _words(node)
    if not node.arguments.is_json:
        raise DockerfileError(f"SHELL requires the arguments to be in JSON form, not {place.text}")
    return read.Shell(place=place, arguments=words)


def _onbuild(node: Node, place: read.Place) -> read.OnBuild:
    if node.trigger is None:
        raise DockerfileError("ONBUILD requires at least one argument")
    _flags(node)
    trigger = node.trigger.written.strip(BLANKS).upper()
    if trigger == "ONBUILD":
        raise DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("MAINTAINER", "FROM"):
        raise DockerfileError(f"{trigger} isn't allowed as an ONBUILD trigger")
    text = _ONBUILD.sub("", node.text)
    documents = "".join(f"\n{heredoc.text}{heredoc.mark.name}" for heredoc in node.heredocs)
    return read.OnBuild(place=place, trigger=text + documents)


def _healthcheck(node: Node, place: read.Place) -> read.Healthcheck:
    kind, *command = _words(node)
    if kind.upper() == "NONE":
        if command:
            raise DockerfileError("HEALTHCHECK NONE takes no arguments")
        return read.Healthcheck(place=place)
    flags = _flags(node)
    if kind.upper() != "CMD":
        raise DockerfileError(f'Unknown type "{kind.upper()}" in HEALTHCHECK (try CMD)')
    if not command:
        raise DockerfileError("Missing command after HEALTHCHECK CMD")
    for name in ("interval", "timeout", "start-period", "start-interval"):
        check_duration(name, flags.text(name))
    retries = flags.text("retries")
    count = parse_int(retries, bits=32, signed=True) if retries else 0
    if count is None or count < 0:
        raise DockerfileError(f"--retries must be a number from 0 on, not {retries}")
    return read.Healthcheck(place=place)


def _volume(node: Node, place: read.Place) -> read.Volume:
    words = _words(node)
    _flags(node)
    paths = tuple(word.strip(BLANKS) for word in words)
    if not all(paths):
        raise DockerfileError("VOLUME specified can not be an empty string")
    return read.Volume(place=place, paths=paths)


def _one(node: Node) -> str:
    words: Sequence[str] = _words(node, 1, 1)
    if node.keyword != "stopsignal":
        _flags(node)
    return words[0]


def _expose(node: Node, place: read.Place) -> read.Expose:
    words = _words(node)
    _flags(node)
    return read.Expose(place=place, ports=tuple(sorted(words)))


def _maintainer(node: Node, place: read.Place) -> read.Maintainer:
    _one(node)
    return read.Maintainer(place=place)


_READERS: dict[str, Callable[[Node, read.Place], read.Stage | read.Instruction]] = {
    "add": _add,
    "arg": _arg,
    "cmd": _launch,
    "copy": _copy,
    "entrypoint": _launch,
    "env": lambda node, place: read.Env(place=place, pairs=_pairs(node)),
    "expose": _expose,
    "from": _from,
    "healthcheck": _healthcheck,
    "label": lambda node, place: read.Label(place=place, pairs=_pairs(node)),
    "maintainer": _maintainer,
    "onbuild": _onbuild,
    "run": _run,
    "shell": _shell,
    "stopsignal": lambda node, place: read.StopSignal(place=place, signal=_one(node)),
    "user": lambda node, place: read.User(place=place, user=_one(node)),
    "volume": _volume,
    "workdir": lambda node, place: read.Workdir(place=place, path=_one(node)),
}
