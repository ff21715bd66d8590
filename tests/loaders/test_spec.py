"""The strings that buildx takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cachegraph.errors import SpecError
from cachegraph.loaders.base import Options
from cachegraph.loaders.catalogue import LOADERS, load, load_each
from cachegraph.loaders.specs.keys import KEYS, keys_of
from cachegraph.loaders.specs.parse import IRRELEVANT, canonical, parse, parse_all, specs_of_setting


@pytest.mark.parametrize(
    ("text", "type_", "attrs"),
    [
        ("type=local,src=./cache", "local", {"src": "./cache"}),
        ("type=local,dest=./cache,mode=max", "local", {"src": "./cache", "mode": "max"}),
        ("TYPE=registry,Ref=app:cache", "registry", {"ref": "app:cache"}),
        ('type=s3,"name=a,b",bucket=c', "s3", {"name": "a,b", "bucket": "c"}),
        ("app:latest", "registry", {"ref": "app:latest"}),
        ("localhost:5000/app@sha256:" + "a" * 64, "registry", {"ref": "localhost:5000/app@sha256:" + "a" * 64}),
        ("./nowhere", "local", {"src": "./nowhere"}),
        ("/nowhere", "local", {"src": "/nowhere"}),
        ("nowhere.tar.gz", "local", {"src": "nowhere.tar.gz"}),
        ("nowhere.json", "config", {"src": "nowhere.json"}),
        ("somewhere/cache.db", "daemon", {"db": "somewhere/cache.db"}),
    ],
)
def test_what_a_spec_means(text: str, type_: str, attrs: dict[str, str]) -> None:
    spec = parse(text)
    assert (spec.type, dict(spec.attrs)) == (type_, attrs)


def test_what_lies_there_decides(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    assert parse(str(tmp_path / "app")).type == "local"
    odd = tmp_path / "a=b,c"
    odd.mkdir()
    assert dict(parse(str(odd)).attrs) == {"src": str(odd)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the spec is empty (give a path, an image reference, or type=local,src=DIR)"),
        ("src=./cache", "src=./cache: buildx refuses it: type required (begin with type=local, type=registry, ...)"),
        (
            "type=local,oops",
            "type=local,oops: buildx refuses it: invalid value oops"
            " (separate fields with commas, each key=value; with a = anywhere, the whole is one cache)",
        ),
        (
            'type=local,"src=a',
            'type=local,"src=a: buildx refuses it: parse error on line 1, column 13: extraneous or missing " in'
            ' quoted-field (quotes go around a whole field, as in "key=a,b")',
        ),
        (
            "type=inline",
            "type=inline: the cache goes into the image itself"
            " (give the image's reference, as --cache-from type=registry,ref=IMAGE does)",
        ),
        ("docker-daemon:app:latest", "docker-daemon:app:latest: an image in a daemon's own store cannot be read"),
        ("UPPER/App:1", "'UPPER/App:1' is not an image reference"),
    ],
)
def test_what_is_no_spec(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "specs"),
    [
        ("app:a,app:b", [("registry", {"ref": "app:a"}), ("registry", {"ref": "app:b"})]),
        ("app:a, app:b", [("registry", {"ref": "app:a"}), ("registry", {"ref": "app:b"})]),
        ("app:a;app:b", [("registry", {"ref": "app:a"}), ("registry", {"ref": "app:b"})]),
        ("app:a; ;app:b;", [("registry", {"ref": "app:a"}), ("registry", {"ref": "app:b"})]),
        (";", [("local", {"src": ";"})]),
        ("type=gha,scope=a;type=gha,scope=b", [("gha", {"scope": "a"}), ("gha", {"scope": "b"})]),
        ("type=s3,name=a;b,bucket=c", [("s3", {"name": "a;b", "bucket": "c"})]),
        ("|\n  type=gha,scope=a\n  - app:b\n", [("gha", {"scope": "a"}), ("registry", {"ref": "app:b"})]),
        ("--cache-from type=gha", [("gha", {})]),
        ("--cache-to=type=local,dest=x", [("local", {"src": "x"})]),
        ("--import-cache type=registry,ref=a", [("registry", {"ref": "a"})]),
        ("cache-from: type=gha", [("gha", {})]),
        ("cache_to:\n  - type=gha", [("gha", {})]),
        ("'type=gha,scope=a'", [("gha", {"scope": "a"})]),
        ('"type=gha,scope=a"', [("gha", {"scope": "a"})]),
        ("cache:latest", [("registry", {"ref": "cache:latest"})]),
        ("docker://app:latest", [("registry", {"ref": "app:latest"})]),
        ("oci://ghcr.io/a/b:c", [("registry", {"ref": "ghcr.io/a/b:c"})]),
        ("https://ghcr.io/a/b", [("registry", {"ref": "ghcr.io/a/b"})]),
        ("oci:./x:tag", [("local", {"src": "./x", "tag": "tag"})]),
        ("oci-archive:x.tar", [("local", {"src": "x.tar"})]),
        ("oci:1.2", [("registry", {"ref": "oci:1.2"})]),
        ("file:///x/y", [("local", {"src": "/x/y"})]),
        ("-", [("config", {"src": "-"})]),
        ("type=local,src=a,src=b", [("local", {"src": "b"})]),
        ("type=local,src=a,dest=b", [("local", {"src": "a", "dest": "b"})]),
        ("type=GHA", [("GHA", {})]),
        ("type=gha, scope=web", [("gha", {" scope": "web"})]),
    ],
)
def test_what_people_paste(text: str, specs: list[tuple[str, dict[str, str]]]) -> None:
    assert [(spec.type, dict(spec.attrs)) for spec in parse_all(text)] == specs


@pytest.mark.parametrize("text", [".cache/buildx", "my-cache/", "Cache Dir", "build\\cache", "x.tgz", "~/cache", "A/B"])
def test_what_can_be_a_path_only_is_never_asked_for_in_a_network(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse(text).type == "local"
    (failure,) = load([text]).failures
    assert failure.error.message.endswith(": there is no such file or directory")
    assert (failure.exit_code, failure.error.buildkit) == (3, "skip")


def test_a_folder_beside_makes_a_path_of_what_could_be_an_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse("build/cache").type == "registry"
    (tmp_path / "build").mkdir()
    assert parse("build/cache").type == "local"
    assert parse("build/cache:tag").type == "registry"


def test_lists_within_lists_end() -> None:
    with pytest.raises(SpecError, match="600,003 characters are no spec"):
        parse("cache-from: " * 50_000 + "app")
    with pytest.raises(SpecError, match="is not an image reference"):
        parse("cache-from: " * 5_000 + "app")
    with pytest.raises(SpecError, match="1,001 caches in one text"):
        parse_all(";".join(["a"] * 1001))


def test_a_settings_file_is_read_as_buildx_reads_it() -> None:
    read = specs_of_setting("./x,docker://y", "from", "ci.yml:3")
    assert [(spec.type, spec.attrs["ref"], spec.place) for spec in read] == [
        ("registry", "./x", "ci.yml:3"),
        ("registry", "docker://y", "ci.yml:3"),
    ]
    (written,) = specs_of_setting("type=local,src=a,dest=b", "to", "ci.yml:4")
    assert written.attrs["src"] == "b"
    assert specs_of_setting("", "from", "ci.yml:5") == ()


def test_no_credential_is_ever_shown() -> None:
    spec = parse(
        "type=s3,bucket=b,access_key_id=AKIA,secret_access_key=hush,session_token=hush2,endpoint_url=http://u:p@h/"
    )
    assert spec.text == (
        "type=s3,bucket=b,access_key_id=***,secret_access_key=***,session_token=***,endpoint_url=http://***@h/"
    )
    signed = parse("type=azblob,account_url=https://a.example/?sv=1&sig=hush,container=c,name=n")
    assert signed.text == "type=azblob,account_url=https://a.example/?***,container=c,name=n"
    assert parse('type=s3,"secret_access_key=hu,sh",bucket=b').text == "type=s3,secret_access_key=***,bucket=b"


@pytest.mark.parametrize("text", ["type=s3,secret_access_key=hush,oops", 'type=s3,"secret_access_key=a,hush'])
def test_no_credential_is_shown_of_what_cannot_be_read(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text)
    assert "hush" not in str(caught.value)


def test_a_field_with_a_comma_is_quoted() -> None:
    text = canonical("local", {"src": "a,b", "tag": "c"})
    assert text == 'type=local,"src=a,b",tag=c'
    assert dict(parse(text).attrs) == {"src": "a,b", "tag": "c"}


def test_one_that_fails_does_not_keep_the_others_from_being_read(tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text('{"records": [{"digest": "a"}]}')
    loaded = load(["type=nope", str(good), "type=config,src=none.json"])
    assert [export.source for export in loaded.exports] == [f"type=config,src={good}"]
    known = ", ".join(sorted(LOADERS))
    assert [str(failure.error) for failure in loaded.failures] == [
        "type=nope: there is no type=nope; BuildKit does not know it either, and builds without this cache "
        f"(known types: {known})",
        "none.json: there is no such file (check the path)",
    ]


def test_many_specs_come_in_their_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.json" for i in range(50)]
    for i, path in enumerate(paths):
        path.write_text(f'{{"records": [{{"digest": "{i}"}}]}}')
    digests = [part.exports[0].config.records[0].digest for part in load_each(map(str, paths))]
    assert digests == [str(i) for i in range(50)]


def test_many_specs_are_read_a_few_ahead_with_progress(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.json" for n in range(50)]
    for path in paths:
        path.write_text("{}")
    begun = 0

    def specs() -> Iterator[str]:
        nonlocal begun
        for path in paths:
            begun += 1
            yield str(path)

    reports: list[tuple[str, int, int | None]] = []
    options = Options(concurrency=2, report=lambda *args: reports.append(args))
    for number, part in enumerate(load_each(specs(), options), start=1):
        assert len(part.exports) == 1
        assert begun <= number + 3
    assert [report for report in reports if report[0] == "sources"] == [("sources", n, None) for n in range(51)]
    reports.clear()
    load(list(map(str, paths)), options)
    assert reports[-1] == ("sources", 50, 50)


def test_keys_that_do_not_matter_are_passed_over_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text("{}")
    (export,) = load([f"type=config,src={path},mode=max,compression=zstd"]).exports
    (problem,) = export.problems
    assert (problem.code, problem.severity) == ("source-note", "note")
    assert problem.message.endswith("say nothing about the place and were not used: compression, mode.")
    (failure,) = load([f"type=config,src={path},mod=max"]).failures
    assert str(failure.error).endswith("type=config has no key mod (known keys: src)")


def test_the_page_of_sources_names_every_type_and_key() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
    known = {*LOADERS, *IRRELEVANT, *(key for kind in KEYS for key in keys_of(kind))}
    assert [word for word in sorted(known) if f"`{word}`" not in page and f"`{word}=" not in page] == []
