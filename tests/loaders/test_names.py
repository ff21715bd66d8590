"""Names: hand-checked against the Dockerfile behind ``web-max``, from every source; and strings that mean harm."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import lzma
import re
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cachegraph.builds.cachemaps import cache_text, selectors
from cachegraph.builds.llb import Platform, Step
from cachegraph.builds.operation_names import MAX_TEXT, clean, describe_operation
from cachegraph.builds.plaintext_names import name_all
from cachegraph.builds.plaintexts import Plaintext
from cachegraph.builds.provenance import decode_provenance
from cachegraph.core.graph import ExportGraph
from cachegraph.core.model import CacheConfig, Name, Names
from cachegraph.errors import DecodeError, NotFoundError, SourceError, SpecError
from cachegraph.loaders import catalogue
from cachegraph.loaders.base import Options
from cachegraph.loaders.names.plaintexts import decode_answer
from cachegraph.loaders.names.read import read_names

DATA = Path(__file__).parent.parent / "data" / "daemon"
MANIFEST = "sha256:d04511c7f39c7f2f7e7f4f8875964b284898c16d4dc986dec4d4ba99dc232e83"
CHAIN = "sha256:8ede0b9438a3800388301fddd0d47529084fd735c9b86d5d5020a81b6936f5f7"
STATEMENT = "131dd7cfb693dcd140254dad83f15ec892da1ea144511f7c4241c3a31e5f690d"

# FROM 127.0.0.1:5000/base:1 AS deps            12 (by manifest), 16 (by layers)
# WORKDIR /src                                  4
# COPY package.json .                           3, its file 14
# RUN echo installing && mkdir node_modules ..  9
# FROM deps AS build
# COPY app app                                  13, its files 17
# RUN mkdir dist && cat app/* > dist/out        15
# FROM deps AS test
# COPY app app                                  13 again
# RUN cat app/f1 && echo ok > /report           18
# FROM 127.0.0.1:5000/base:1 AS final
# COPY --link --from=build /src/dist /srv       2, its files 10; merged in 8
# COPY --link package.json /etc/pkg.json        11; merged in 7
# COPY --link --from=test /report /report       0, its file 1; merged in 6
# RUN echo final > /final                       5
WEB_MAX = [
    ("0e45327b12ea", "file", "COPY report /report"),
    ("15f7a7cf8a13", "content", "content of one file of 3 bytes"),
    ("34e388438e5c", "file", "COPY dist /srv"),
    ("4fb8d1b7ddbf", "file", "COPY package.json /src/"),
    ("57a5ab45ee83", "file", "mkdir /src"),
    ("57b7baa53538", "exec", "RUN echo final > /final"),
    ("5dbfbafede47", "merge", "merge of 2 inputs"),
    ("5dbfbafede47", "merge", "merge of 2 inputs"),
    ("5dbfbafede47", "merge", "merge of 2 inputs"),
    ("63b4006fcfac", "exec", "RUN echo installing && mkdir node_modules && echo dep > node_modules/dep"),
    ("71c962184628", "content", "content of out"),
    ("75d00c77f3a3", "file", "COPY package.json /etc/pkg.json"),
    ("a0307670f3b9", "source", f"image {MANIFEST} (linux/amd64)"),
    ("a37a5b4a45fc", "file", "COPY app /src/app"),
    ("a647687459a6", "content", "content of one file of 10 bytes"),
    ("e72ec2ad78a9", "exec", "RUN mkdir dist && cat app/* > dist/out"),
    ("e74d374577ce", "source", f"image of layers {CHAIN}"),
    ("ed12ed946074", "content", "content of f1, f2, f3"),
    ("ed205ca82db4", "exec", "RUN cat app/f1 && echo ok > /report"),
]
SELECTORS = {"/", "/report", "/src/dist"}

WRITTEN = {
    "0e45327b12ea": "COPY --link --from=test /report /report (Dockerfile:14)",
    "34e388438e5c": "COPY --link --from=build /src/dist /srv (Dockerfile:12)",
    "4fb8d1b7ddbf": "COPY package.json . (Dockerfile:3)",
    "57a5ab45ee83": "WORKDIR /src (Dockerfile:2)",
    "57b7baa53538": "RUN echo final > /final (Dockerfile:15)",
    "63b4006fcfac": "RUN echo installing && mkdir node_modules && echo dep > node_modules/dep (Dockerfile:4)",
    "75d00c77f3a3": "COPY --link package.json /etc/pkg.json (Dockerfile:13)",
    "a0307670f3b9": "image 127.0.0.1:5000/base:1 (linux/amd64)",
    "a37a5b4a45fc": "COPY app app (Dockerfile:6, 9)",
    "e72ec2ad78a9": "RUN mkdir dist && cat app/* > dist/out (Dockerfile:7)",
    "ed205ca82db4": "RUN cat app/f1 && echo ok > /report (Dockerfile:10)",
}

# What provenance cannot know: hashes of files, and an image by its layers. It has the Dockerfile with it.
BY_PROVENANCE = [
    (digest, op, WRITTEN.get(digest, name))
    for digest, op, name in WEB_MAX
    if op != "content" and digest != "e74d374577ce"
]


def unpack(name: str) -> bytes:
    return lzma.decompress((DATA / f"{name}.xz").read_bytes())


ANSWER = unpack("cache-all.json")


def web_max(layouts: Path) -> CacheConfig:
    (export,) = catalogue.load([f"type=local,src={layouts / 'web-max'}"]).exports
    return export.config


def table(config: CacheConfig, names: Names) -> list[tuple[str, str, str]]:
    found = [(record.digest, names.records.get(record.digest)) for record in config.records]
    return [(digest[7:19], name.op, name.name) for digest, name in found if name]


def selector_paths(config: CacheConfig, names: Names) -> set[str]:
    used = {a.selector for record in config.records for slot in record.inputs for a in slot if a.selector}
    return {names.selectors[selector] for selector in used}


@pytest.fixture
def debug_db(tmp_path: Path) -> Path:
    path = tmp_path / "cache-debug.db"
    path.write_bytes(unpack("cache-debug.db"))
    return path


# --- Every source ----------------------------------------------------------------------------------------------------


def test_the_debug_database(debug_db: Path, layouts: Path) -> None:
    names = read_names(str(debug_db), Options())
    config = web_max(layouts)
    assert table(config, names) == WEB_MAX
    assert selector_paths(config, names) == SELECTORS


def test_a_saved_answer(tmp_path: Path, layouts: Path) -> None:
    saved = tmp_path / "all.json"
    saved.write_bytes(unpack("cache-all.json"))
    assert table(web_max(layouts), read_names(str(saved), Options())) == WEB_MAX


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.path == "/debug/cache/all" and self.headers.get("Accept") == "application/json"
        self.send_response(200 if known else 404)
        self.end_headers()
        if known:
            self.wfile.write(unpack("cache-all.json"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_the_live_address(address: str, layouts: Path) -> None:
    assert table(web_max(layouts), read_names(address, Options())) == WEB_MAX


def test_provenance_in_a_layout(layouts: Path) -> None:
    names = read_names(str(layouts / "web-prov"), Options())
    config = web_max(layouts)
    assert table(config, names) == BY_PROVENANCE
    assert selector_paths(config, names) == SELECTORS


def test_provenance_in_an_archive(layouts: Path, tmp_path: Path) -> None:
    archive = tmp_path / "web-prov.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(layouts / "web-prov", arcname=".")
    assert table(web_max(layouts), read_names(str(archive), Options())) == BY_PROVENANCE


def test_a_saved_statement_or_predicate(layouts: Path, tmp_path: Path) -> None:
    statement = (layouts / "web-prov" / "blobs" / "sha256" / STATEMENT).read_bytes()
    saved = tmp_path / "provenance.json"
    for data in (statement, json.dumps(json.loads(statement)["predicate"]).encode()):
        saved.write_bytes(data)
        assert table(web_max(layouts), read_names(str(saved), Options())) == BY_PROVENANCE


def test_provenance_without_steps_still_names_the_base_image(layouts: Path) -> None:
    """``mode=min`` holds the dependencies only."""
    statement = json.loads((layouts / "web-prov" / "blobs" / "sha256" / STATEMENT).read_bytes())
    del statement["predicate"]["buildDefinition"]["internalParameters"]
    names = decode_provenance(json.dumps(statement).encode(), "x.json")
    assert table(web_max(layouts), names) == [("a0307670f3b9", "source", "image 127.0.0.1:5000/base:1 (linux/amd64)")]


def test_older_provenance(layouts: Path) -> None:
    """SLSA v0.2 has the same parts in other places."""
    definition = json.loads((layouts / "web-prov" / "blobs" / "sha256" / STATEMENT).read_bytes())["predicate"][
        "buildDefinition"
    ]
    old = {
        "materials": definition["resolvedDependencies"],
        "buildConfig": definition["internalParameters"]["buildConfig"],
    }
    # Without the Dockerfile, names are made of the operations.
    by_operation = [(digest, op, name) for digest, op, name in WEB_MAX if digest in WRITTEN or op == "merge"]
    found = table(web_max(layouts), decode_provenance(json.dumps({"predicate": old}).encode(), "x"))
    image = ("a0307670f3b9", "source", WRITTEN["a0307670f3b9"])
    assert found == [image if row[0] == "a0307670f3b9" else row for row in by_operation]


def test_every_key_of_a_daemon_has_a_name_but_diffs(debug_db: Path, tmp_path: Path) -> None:
    cache_db = tmp_path / "cache.db"
    cache_db.write_bytes(unpack("cache.db"))
    (export,) = catalogue.load([str(cache_db)]).exports
    names = read_names(str(debug_db), Options())
    unnamed = {record.digest for record in export.config.records} - set(names.records)
    assert {digest[7:19] for digest in unnamed} == {"da0a96236f5d"}
    graph = ExportGraph(export, names)
    assert {graph.naming(n).op for n in range(len(graph))} == {"merge", "diff", "exec", "file", "source", "content"}
    assert {
        "local context (app, package.json)",
        "mkdir /d; mkfile /d/f",
        "content of out12, out2, out5, out7, out9",
    } <= {graph.naming(n).name for n in range(len(graph))}


# --- Operations ------------------------------------------------------------------------------------------------------


def operation(kind: str, **fields: object) -> bytes:
    return json.dumps({"Type": f"buildkit.{kind}.v0"} | fields).encode()


def exec_of(*args: str, **fields: object) -> bytes:
    return operation("exec", Exec={"meta": {"args": args}} | fields, OS="linux", Arch="amd64")


def file_of(*actions: object) -> bytes:
    return operation("file", Actions=[base64.b64encode(json.dumps(a).encode()).decode() for a in actions])


@pytest.mark.parametrize(
    ("text", "op", "name"),
    [
        (exec_of("/bin/sh", "-c", "make all"), "exec", "RUN make all"),
        (exec_of("/usr/bin/env", "-c", "x y"), "exec", "RUN /usr/bin/env -c 'x y'"),
        (exec_of("/bin/sh", "-e", "-c", "x y"), "exec", "RUN /bin/sh -e -c 'x y'"),
        (exec_of(), "exec", "RUN"),
        (
            exec_of(
                *("/bin/sh", "-c", "go build"),
                mounts=[
                    {"dest": "/"},
                    {"dest": "/c", "mountType": 3},
                    {"mountType": 1},
                    {"dest": "/x", "mountType": 77},
                ],
            ),
            "exec",
            "RUN --mount=type=cache,target=/c --mount=type=secret --mount=type=77,target=/x go build",
        ),
        (file_of({"src": "a", "dest": "/b", "mode": -1, "timestamp": -1}), "file", "COPY a /b"),
        (file_of({"src": "a b", "dest": "/b"}), "file", "COPY 'a b' /b"),
        (file_of({"src": "a", "dest": "/", "attemptUnpackDockerCompatibility": True}), "file", "ADD a /"),
        (file_of({"path": "/d", "mode": 493, "makeParents": True, "timestamp": -1}), "file", "mkdir /d"),
        (file_of({"path": "/d", "mode": 493, "timestamp": -1}), "file", "mkdir /d"),
        (file_of({"path": "/f", "mode": 420, "data": "eA==", "timestamp": -1}), "file", "mkfile /f"),
        (file_of({"path": "/f", "mode": 420, "timestamp": -1}), "file", "mkfile /f"),
        (file_of({"path": "/f", "allowNotFound": True}), "file", "rm /f"),
        (file_of({"oldpath": "/a", "newpath": "/b", "timestamp": -1}), "file", "symlink /b -> /a"),
        (file_of({"path": "/d", "mode": 493}, {"src": "a", "dest": "/d/"}), "file", "mkdir /d; COPY a /d/"),
        (file_of(7), "file", "file action that cannot be read"),
        (file_of(), "file", "file operation without actions"),
        (operation("merge", Merge={"inputs": [{}, {"input": 1}, {"input": 2}]}), "merge", "merge of 3 inputs"),
        (operation("diff", Diff={"lower": {}, "upper": {"input": 1}}), "diff", "diff"),
        (operation("build", Exec={"builder": -1}), "unknown", "build"),
    ],
)
def test_operations(text: bytes, op: str, name: str) -> None:
    assert describe_operation(text) == Name(op=op, name=name)  # type: ignore[arg-type]  # parametrized


def test_a_command_of_several_lines_is_named_on_one_and_kept() -> None:
    assert describe_operation(exec_of("/bin/bash", "-c", "a\n\tb")) == Name(
        op="exec", name="RUN a  b", text="RUN a\n b"
    )


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b'{"Type": 7}', b"\xff", b'{"Type":"x","Exec":{"meta":{"args":7}}}']
)
def test_texts_that_are_no_operation(text: bytes) -> None:
    assert describe_operation(text) is None


# --- Records ---------------------------------------------------------------------------------------------------------


def digest(text: bytes) -> str:
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def plaintexts(*texts: tuple[str, bytes]) -> dict[str, Plaintext]:
    return {digest(text): Plaintext(kind, (text,)) for kind, text in texts}


def name_of(kind: str, text: bytes, output: int = 0, **references: str) -> Name | None:
    key = f"{digest(text)}@{output}".encode()
    return name_all(plaintexts((kind, text), ("string", key)), references).records.get(digest(key))


def source(key: str) -> bytes:
    return b"buildkit.source.v0:" + key.encode()


def test_outputs() -> None:
    text = exec_of("/bin/sh", "-c", "make")
    assert name_of("json", text) == Name(op="exec", name="RUN make")
    assert name_of("json", text, output=2) == Name(op="exec", name="RUN make (output 2)")


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (COMMIT, f"git {COMMIT}"),
        (f"{COMMIT}.git#refs/heads/main:sub", f"git {COMMIT}.git#refs/heads/main:sub"),
        ("sha256:" + 64 * "a", "image of layers sha256:" + 64 * "a"),
    ],
)
def test_sources(key: str, name: str) -> None:
    assert name_of("string", source(key)) == Name(op="source", name=name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ({"Digest": MANIFEST, "OS": "linux", "Arch": "arm", "Variant": "v7"}, f"image {MANIFEST} (linux/arm/v7)"),
        (
            {"Filename": "x.tgz", "Perm": 0, "UID": 0, "GID": 0, "Checksum": "sha256:12"},
            "http x.tgz sha256:12",
        ),
    ],
)
def test_sources_with_a_key_of_their_own(text: object, name: str) -> None:
    key = json.dumps(text).encode()
    operation = source(digest(key))
    record = f"{digest(operation)}@0".encode()
    names = name_all(plaintexts(("json", key), ("string", operation), ("string", record)))
    assert names.records[digest(record)] == Name(op="source", name=name)


def test_a_commit_with_a_known_repository() -> None:
    names = name_all(
        plaintexts(("string", source(COMMIT)), ("string", f"{digest(source(COMMIT))}@0".encode())),
        {COMMIT: "https://github.com/moby/buildkit.git"},
    )
    assert list(names.records.values()) == [
        Name(op="source", name=f"git https://github.com/moby/buildkit.git {COMMIT}")
    ]


def test_content_of_directories_and_files() -> None:
    file = Plaintext("file", (b"name", b"mode420", b"size12", b"typeflag0"))
    inner = Plaintext("file-list", (b"\0", b"sha256:h", b"\0b", b"sha256:f"))
    outer = Plaintext("file-list", (b"\0", b"sha256:h", b"\0a", b"sha256:i", b"\0gone", b"sha256:?"))
    listing = Plaintext("digest-list", (b"sha256:o\0sha256:f",))
    key = digest(b"listing")
    record = f"{key}@-1".encode()
    known = {"sha256:f": file, "sha256:i": inner, "sha256:o": outer, key: listing}
    names = name_all(known | {digest(record): Plaintext("string", (record,))})
    assert names.records[digest(record)] == Name(op="content", name="content of a/b, gone, one file of 12 bytes")


def test_a_directory_in_itself_ends() -> None:
    loop = Plaintext("file-list", (b"\0x", b"sha256:o"))
    key = digest(b"loop")
    record = f"{key}@-1".encode()
    known = {"sha256:o": loop, key: Plaintext("digest-list", (b"sha256:o",))}
    names = name_all(known | {digest(record): Plaintext("string", (record,))})
    assert names.records[digest(record)] == Name(op="content", name="content of nothing")


def test_selectors() -> None:
    names = name_all(plaintexts(("string-list", b"/src/b\0/src/a")))
    assert names.selectors == {
        digest(b"/src/b\0/src/a"): "/src/b, /src/a",
        "sha256:8a5edab282632443219e051e4ade2d1d5bbc671c781051bf1437897cbdfea0f1": "/",
    }
    assert digest(b"/") in names.selectors


# --- Provenance: texts as Go writes them -----------------------------------------------------------------------------

LINUX = Platform(os="linux", architecture="arm64", variant="v8")


def step(op: object, inputs: int = 1, **fields: object) -> Step:
    found = {"id": "s", "inputs": [f"x:{n}" for n in range(inputs)], "op": {"Op": op} | fields}
    return msgspec.convert(found, type=Step)


def test_exec_text() -> None:
    """Mounts keep their place, lose their selector, and a cache mount its own id; IPs of hosts are cleared."""
    mounts = [
        {"dest": "/", "selector": "/sub"},
        {"dest": "/root/.cache", "mountType": 3, "cacheOpt": {"ID": "/root/.cache"}, "input": -1, "output": -1},
        {"dest": "/c", "mountType": 3, "cacheOpt": {"ID": "mine", "sharing": 1}, "input": -1, "output": -1},
        {"dest": "/run/s", "mountType": 1, "secretOpt": {"ID": "token", "mode": 256}, "input": -1, "output": -1},
    ]
    meta = {"extraHosts": [{"IP": "10.0.0.1", "Host": "h"}], "cwd": "/", "args": ["a", "<&>"], "user": "me"}
    text = cache_text(step({"exec": {"mounts": mounts, "meta": meta, "network": 2}}), LINUX)
    assert text == (
        b'{"Type":"buildkit.exec.v0","Exec":{"meta":{"args":["a","\\u003c\\u0026\\u003e"],"cwd":"/","user":"me",'
        b'"extraHosts":[{"Host":"h"}]},"mounts":[{"dest":"/"},'
        b'{"input":-1,"dest":"/root/.cache","output":-1,"mountType":3,"cacheOpt":{"ID":"/root/.cache"}},'
        b'{"input":-1,"dest":"/c","output":-1,"mountType":3,"cacheOpt":{}},'
        b'{"input":-1,"dest":"/run/s","output":-1,"mountType":1,"secretOpt":{"ID":"token","mode":256}}],'
        b'"network":2},"OS":"linux","Arch":"arm64","Variant":"v8"}'
    )


def test_file_text() -> None:
    copy = {"copy": {"src": "/a/b/", "dest": "/d", "owner": {"user": {"User": {"byName": {"name": "me", "input": 1}}}}}}
    action = {"Action": copy, "input": -1, "secondaryInput": 0, "output": 0}
    file = {"actions": [action]}
    inner = base64.b64encode(b'{"src":"b","dest":"/d","owner":{"user":{"User":{"byName":{"name":"me","input":1}}}}}')
    text = cache_text(step({"file": file}, inputs=2), LINUX)
    assert text == b'{"Type":"buildkit.file.v0","Actions":["' + inner + b'"],"indexes":[[-1,0,0]]}'
    operation = step({"file": file}, inputs=2).op.op.file
    assert operation is not None
    assert list(selectors(operation)) == [b"/etc/passwd", b"/a/b/"]


def test_file_text_of_several_actions_in_the_usual_order() -> None:
    made = {"Action": {"mkdir": {"path": "/d", "mode": 493}}, "input": 0, "secondaryInput": -1, "output": -1}
    copied = {"Action": {"copy": {"src": "/x", "dest": "/d"}}, "input": 2, "secondaryInput": 1, "output": 0}
    text = cache_text(step({"file": {"actions": [made, copied]}}, inputs=2), LINUX)
    parts = [base64.b64encode(part).decode() for part in (b'{"path":"/d","mode":493}', b'{"src":"x","dest":"/d"}')]
    assert text == f'{{"Type":"buildkit.file.v0","Actions":["{parts[0]}","{parts[1]}"]}}'.encode()


def test_steps_of_other_kinds_have_no_text() -> None:
    assert cache_text(step({"source": {"identifier": "local://context"}}), LINUX) is None
    assert cache_text(step({}), LINUX) is None


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("pkg:docker/alpine@3.20?platform=linux%2Famd64", "image docker.io/library/alpine:3.20 (linux/amd64)"),
        ("pkg:docker/me/tool@1?platform=linux%2Farm%2Fv7", "image docker.io/me/tool:1 (linux/arm/v7)"),
        ("pkg:docker/ghcr.io/me/tool?platform=linux%2Famd64", "image ghcr.io/me/tool (linux/amd64)"),
    ],
)
def test_images_by_their_dependencies(uri: str, name: str) -> None:
    found = {"buildDefinition": {"resolvedDependencies": [{"uri": uri, "digest": {"sha256": 64 * "1"}}]}}
    names = decode_provenance(json.dumps(found).encode(), "x")
    assert list(names.records.values()) == [Name(op="source", name=name)]


def test_git_by_its_dependencies() -> None:
    uri = "https://github.com/moby/buildkit.git#refs/heads/main"
    found = {"buildDefinition": {"resolvedDependencies": [{"uri": uri, "digest": {"sha1": COMMIT}}]}}
    names = decode_provenance(json.dumps(found).encode(), "x")
    record = digest(f"{digest(source(COMMIT))}@0".encode())
    assert names.records == {record: Name(op="source", name=f"git {uri} {COMMIT}")}


# --- An image in a registry ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "type=registry,ref={}"])
def test_an_image_in_a_registry(
    registry: str, push: Callable[[str, str], str], layouts: Path, registry_log: Path, form: str
) -> None:
    push("web-prov", "names/web:prov")
    found = read_names(form.format(f"{registry}/names/web:prov"), Options())
    assert found == read_names(str(layouts / "web-prov"), Options())
    read = set(re.findall(r'"GET /v2/names/web/blobs/(sha256:\w+) ', registry_log.read_text()))
    assert f"sha256:{STATEMENT}" in read
    # The image's config is read for its history, and no layer is.
    others = [json.loads((layouts / "web-prov/blobs" / one.replace(":", "/")).read_bytes()) for one in read]
    assert sorted("history" in other for other in others) == [False, True]


def test_a_cache_in_a_registry_names_nothing_and_no_layer_is_read(
    registry: str, push: Callable[[str, str], str], registry_log: Path
) -> None:
    push("web-min", "names/cache:index")
    with pytest.raises(NotFoundError) as caught:
        read_names(f"{registry}/names/cache:index", Options())
    assert str(caught.value) == (
        f"{registry}/names/cache:index: no provenance that names a step"
        " (build it with --attest type=provenance,mode=max)"
    )
    assert '"GET /v2/names/cache/blobs/' not in registry_log.read_text()


def test_faults_of_a_registry_name_the_reference(registry: str) -> None:
    with pytest.raises(
        NotFoundError, match=rf"^{registry}/names/ghost:latest: manifest latest: {registry} answered 404"
    ):
        read_names(f"{registry}/names/ghost", Options())


# --- Specs -----------------------------------------------------------------------------------------------------------


def test_specs(layouts: Path, tmp_path: Path) -> None:
    database = tmp_path / "cache-debug.db"
    database.write_bytes(unpack("cache-debug.db"))
    assert read_names(f"type=daemon,db={database}", Options()) == read_names(str(database), Options())
    local = f"type=local,src={layouts / 'web-prov'},tag=latest"
    assert read_names(local, Options()) == read_names(str(layouts / "web-prov"), Options())
    saved = tmp_path / "all.json"
    saved.write_bytes(ANSWER)
    assert read_names(f"type=daemon,debug={saved}", Options()) == read_names(str(saved), Options())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("type=s3,bucket=b,secret_access_key=s3cret", "type=s3,bucket=b,secret_access_key=***: type=s3 holds no names"),
        ("type=registry,ref=a,all-tags=true", "type=registry has no key all-tags"),
        ("type=daemon", "type=daemon: db is missing"),
        ("UPPER/CASE:1", "'UPPER/CASE:1' is not an image reference"),
    ],
)
def test_specs_that_hold_no_names(source: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        read_names(source, Options())


# --- Strings from outside --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\x07\x9b\x00b\x7f", "ab"),
        ("a\r\nb\tc\u2028d", "a b c d"),
        ("RUN a \\\n   && b\nc", "RUN a && b c"),
        ("safe\u202egnp.exe\u2066", "safegnp.exe"),
        ("\ud800", "\ufffd"),
        ("naïve 日本 👩‍💻", "naïve 日本 👩‍💻"),
    ],
)
def test_control_characters_are_stripped(text: str, shown: str) -> None:
    assert clean(text) == shown


@settings(deadline=None)
@given(st.text())
def test_a_clean_text_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean(text).isprintable() or not clean(text).isascii()


def test_a_long_command_is_kept_up_to_a_limit() -> None:
    name = describe_operation(exec_of("/bin/sh", "-c", "x" * 3000))
    assert name is not None
    assert name.name == "RUN " + "x" * 3000
    name = describe_operation(exec_of("/bin/sh", "-c", "x" * 100_000))
    assert name is not None
    assert len(name.name) == MAX_TEXT


# --- Bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (b"null", NotFoundError, "no name in it (start buildkitd with --save-cache-debug and build again)"),
        (b"[]", NotFoundError, "no name in it (start buildkitd with --save-cache-debug and build again)"),
        (b'{"predicate": {}}', NotFoundError, "no name in it (build it with --attest type=provenance,mode=max)"),
        (b"hello", DecodeError, "no plaintexts: JSON is malformed: invalid character (byte 0)"),
        (b'[{"data": 7}]', DecodeError, "no plaintexts: Expected `array | null`, got `int` - at `$[0].data`"),
        (b'[{"data": [{"type": 2, "data": "*"}]}]', DecodeError, "no plaintexts: Invalid base64 encoded string"),
        (
            b'{"predicate": {"buildDefinition": 7}}',
            DecodeError,
            "no SLSA provenance: Expected `object | null`, got `int`",
        ),
        (bytes(70), DecodeError, "no valid bbolt meta page: page 0 at offset 0 is cut short: 70 bytes"),
        (b"[" * 100_000, DecodeError, "no plaintexts: "),
    ],
)
def test_files_that_hold_no_names(tmp_path: Path, data: bytes, kind: type[SourceError], message: str) -> None:
    path = tmp_path / "names"
    path.write_bytes(data)
    with pytest.raises(kind) as caught:
        read_names(str(path), Options())
    assert str(caught.value).startswith(f"{path}: {message}")


def test_another_database(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(unpack("cache.db"))
    with pytest.raises(DecodeError, match=r"cache\.db: no bucket 'byhash' \(give a daemon's cache-debug\.db\)"):
        read_names(str(path), Options())


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        read_names(str(tmp_path / "names.json"), Options())
    with pytest.raises(NotFoundError, match=r"no index\.json"):
        read_names(str(tmp_path), Options())


def test_an_image_without_provenance(layouts: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no provenance that names a step \(build it with --attest type=prov"):
        read_names(str(layouts / "web-max"), Options())


def test_a_statement_that_was_changed(layouts: Path, tmp_path: Path) -> None:
    copy = tmp_path / "layout"
    for path in (layouts / "web-prov").rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(layouts / "web-prov")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes() + (b" " if path.name == STATEMENT else b""))
    with pytest.raises(DecodeError, match=f"sha256:{STATEMENT}: the bytes do not match the digest"):
        read_names(str(copy), Options())


@settings(deadline=None)
@given(data=st.binary(max_size=200), cut=st.integers(0, 2000), at=st.integers(0, 338_000))
def test_any_damage_to_an_answer_gives_names_or_an_error(data: bytes, cut: int, at: int) -> None:
    damaged = ANSWER[:at] + data + ANSWER[at + cut :]
    with contextlib.suppress(DecodeError):
        name_all(decode_answer(damaged, "x"))
