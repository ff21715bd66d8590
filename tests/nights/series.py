"""What the thirty nights build: the sources of each night, and what happened to it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import MappingProxyType

__all__ = ["Night", "nights"]

DOCKERFILE = """\
FROM os:3 AS base
RUN pkg install libc

FROM base AS deps
RUN pkg install compiler
WORKDIR /src
COPY deps.lock ./
RUN pkg fetch deps.lock

FROM deps AS build
COPY src ./src
RUN compile src > /app

FROM build AS test
COPY tests ./tests
RUN sh tests/run.sh > /report

FROM base AS docs
COPY docs ./docs
RUN cat docs/* > /manual

FROM base
COPY --from=build /app /usr/bin/app
COPY --from=docs /manual /usr/share/manual
COPY --from=test /report /usr/share/report
CMD ["app"]
"""

FILES = {
    "README.md": "A small service.\n",
    "deps.lock": "http 1.4.0\njson 2.0.1\nlog 0.9.3\n",
    "docs/install.md": "Install it with `pkg install app`.\n",
    "docs/use.md": "Start it with `app`.\n",
    "src/main.c": "int main(void) { return serve(8080); }\n",
    "src/serve.c": "int serve(int port) { return listen(port); }\n",
    "tests/run.sh": 'test -s /app && echo "12 tests passed"\n',
}


@dataclass(frozen=True, kw_only=True)
class Night:
    """One nightly build: its sources and settings, and in words what is new.

    Attributes
    ----------
    number : int
    words : str
        What was changed since the night before.
    dockerfile : str
    files : mapping of str to str or bytes
        The context, by path.
    base : str
        Which `os:3` the registry has.
    mode : str
        Of the cache export.
    loses : str
        Instruction whose layer the store's lifecycle rule deletes after this night.
    """

    number: int
    words: str
    dockerfile: str = DOCKERFILE
    files: MappingProxyType[str, str | bytes] = field(default_factory=lambda: MappingProxyType(dict(FILES)))
    base: str = "3.1"
    mode: str = "max"
    loses: str = ""

    def edited(self, path: str, content: str | bytes) -> Night:
        """Give it with a file written."""
        return replace(self, files=MappingProxyType({**self.files, path: content}))


def nights() -> Iterator[Night]:
    """Give the nights in order."""
    now = Night(number=1, words="first build, without a cache")
    yield now

    def next_night(words: str, night: Night) -> Night:
        nonlocal now
        now = replace(night, number=now.number + 1, words=words, loses="")
        return now

    def source(change: int) -> Night:
        return now.edited("src/serve.c", f"int serve(int port) {{ return listen(port, {change}); }}\n")

    yield next_night("nothing", now)
    yield next_night("src/serve.c edited", source(3))
    yield next_night("docs/use.md edited", now.edited("docs/use.md", "Start it with `app --port 8080`.\n"))
    yield next_night("nothing", now)
    yield next_night("deps.lock: json 2.0.1 to 2.1.0", _locked(now, "json 2.1.0"))
    yield next_night("src/serve.c edited", source(7))
    yield next_night("os:3 is another image", replace(now, base="3.2"))
    yield next_night("src/serve.c edited", source(9))
    yield next_night("nothing", now)
    mistaken = replace(now, mode="min")
    yield next_night(
        "deps.lock: http 1.4.0 to 1.5.0; mode=min set by mistake", _locked(mistaken, "http 1.5.0", "json 2.1.0")
    )
    yield next_night("src/serve.c edited; mode=max again", replace(source(12), mode="max"))
    yield next_night("nothing", now)
    dated = DOCKERFILE.replace("libc\n", 'libc\nARG BUILD_DATE\nRUN echo "$BUILD_DATE" > /etc/build-date\n', 1)
    yield next_night("the build's date is written in the first stage", replace(now, dockerfile=dated))
    yield next_night("nothing but the date", now)
    yield next_night("nothing but the date", now)
    label = DOCKERFILE.replace("CMD", "ARG BUILD_DATE\nLABEL built=$BUILD_DATE\nCMD")
    yield next_night("the date is a label of the last stage", replace(now, dockerfile=label))
    yield next_night("nothing but the date", now)
    yield next_night("src/serve.c edited", source(19))
    yield replace(next_night("nothing but the date; then the store lost a layer", now), loses="RUN pkg fetch deps.lock")
    yield next_night("src/serve.c edited", source(21))
    yield next_night("nothing but the date", now)
    everything = label.replace("COPY src ./src", "COPY . .")
    dump = random.Random(23).randbytes(64 << 10)  # the same bytes in every making
    yield next_night(
        "COPY . . in place of COPY src, with a core dump beside the source",
        replace(now, dockerfile=everything).edited("core", dump),
    )
    yield next_night("docs/use.md edited", now.edited("docs/use.md", "Start it with `app --port 80`.\n"))
    yield next_night("README.md edited", now.edited("README.md", "A small and quick service.\n"))
    yield next_night("COPY src again", replace(now, dockerfile=label))
    yield next_night("README.md edited", now.edited("README.md", "A small, quick and quiet service.\n"))
    yield next_night("deps.lock: log 0.9.3 to 1.0.0", _locked(now, "http 1.5.0", "json 2.1.0", "log 1.0.0"))
    yield next_night("tests/run.sh edited", now.edited("tests/run.sh", 'test -s /app && echo "13 tests passed"\n'))
    yield next_night("nothing but the date", now)


def _locked(night: Night, *versions: str) -> Night:
    lock = {"http": "1.4.0", "json": "2.0.1", "log": "0.9.3"} | dict(version.split() for version in versions)
    return night.edited("deps.lock", "".join(f"{name} {version}\n" for name, version in lock.items()))
