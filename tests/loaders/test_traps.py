"""What BuildKit ignores of a cache string, and the word for it: checked against its own rules for keys and values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachegraph.errors import SpecError
from cachegraph.loaders.catalogue import load
from cachegraph.loaders.specs import CacheEntry, read_cache_entries
from cachegraph.loaders.specs.keys import KEYS, Direction, keys_of
from cachegraph.loaders.specs.parse import parse_all
from cachegraph.loaders.specs.traps import traps


def said(text: str, direction: Direction | None = None) -> list[str]:
    """What is said of a string, severities before it where they are no warnings."""
    (entry,) = read_cache_entries(text)
    found = traps(entry, direction)
    return [("" if trap.severity == "warning" else "note: ") + trap.message for trap in found]


@pytest.mark.parametrize(
    ("text", "direction", "message"),
    [
        ("type=registry,ref=a,mod=max", "to", "BuildKit ignores `mod=max`: mode is min; did you mean `mode=max`?"),
        ("type=registry,ref=a,mod=max", None, "BuildKit ignores `mod=max`: mode is min; did you mean `mode=max`?"),
        (
            "type=registry,ref=a,mod=max",
            "from",
            "note: BuildKit ignores `mod=max`, and `mode` means nothing on --cache-from",
        ),
        ("type=registry,ref=a,mode=max,mod=min", "to", "BuildKit ignores `mod=min`; did you mean `mode=min`?"),
        ("type=registry,ref=a,mode=MAX", "to", "BuildKit ignores `mode=MAX`: mode is min; did you mean `mode=max`?"),
        ("type=registry,ref=a,mode=full", "to", "BuildKit ignores `mode=full`: mode is min; write `max` or `min`"),
        ("type=registry,ref=a,mode=", "to", "BuildKit ignores `mode=`: mode is min; write `max` or `min`"),
        ("type=registry,ref=a,mode=max", "from", "note: `mode` means nothing on --cache-from"),
        (
            "type=gha, scope=web",
            "from",
            "the blank before `scope` makes BuildKit use scope `buildkit`; write `scope=web`",
        ),
        (
            "type=gha,scope=a, scope=b",
            "from",
            "the blank before `scope` makes BuildKit ignore ` scope=b`; write `scope=b`",
        ),
        (
            "type=registry, ref=a",
            "from",
            "the blank before `ref` makes BuildKit have no ref, and fail the build; write `ref=a`",
        ),
        ("type=gha,scope= web", None, "the blank before the value is part of it: `scope= web`; write `scope=web`"),
        ("type=gha,scope='web'", None, "the quotes in `scope='web'` are part of the value; write `scope=web`"),
        (
            "type=GHA",
            "from",
            "BuildKit knows no type `GHA`: the build goes on without this cache; did you mean `type=gha`?",
        ),
        ("type=GHA", "to", "BuildKit knows no type `GHA`: the build fails; did you mean `type=gha`?"),
        ("type=registry,ref=a,ref=b", None, "`ref` is given more than once, and the last one counts: `ref=b`"),
        ("type=s3,type=gha", None, "`type` is given more than once, and the last one counts: `type=gha`"),
        (
            "type=registry,ref=a,scope=b",
            "from",
            "BuildKit ignores `scope=b`: `scope` is a key of type=gha, not of type=registry",
        ),
        ("type=registry,ref=a,x=y", "from", "BuildKit ignores `x=y`: type=registry has no such key"),
        (
            "type=local,dest=a,reset=yes",
            "to",
            "BuildKit refuses `reset=yes`, and the build fails; did you mean `reset=true`?",
        ),
        (
            "type=local,dest=a,compression=zst",
            "to",
            "BuildKit refuses `compression=zst`, and the build fails; did you mean `compression=zstd`?",
        ),
        (
            "type=s3,bucket=b,region=r,touch_refresh=1d",
            "to",
            "BuildKit ignores `touch_refresh=1d`: touch_refresh is 24h; write `touch_refresh=24h`",
        ),
        (
            "type=s3,bucket=b,region=r,upload_parallelism=0",
            "to",
            "BuildKit refuses `upload_parallelism=0`, and the build fails; write `upload_parallelism=4`",
        ),
        (
            "type=gha,timeout=10",
            "from",
            "BuildKit refuses `timeout=10`, and the build goes on without this cache; write `timeout=10m`",
        ),
        (
            "type=local,src=a,tag=",
            "from",
            "an empty `tag` is no tag: BuildKit refuses it, and the build fails; leave `tag` out for `latest`",
        ),
        ("type=local,dest=a", "from", "`dest` means nothing on --cache-from, and `src` is missing: the build fails"),
        ("type=registry", "to", "`ref` is missing: the build fails (registry cache exporter requires ref)"),
        (
            "type=registry,ref=a,image-manifest=true,oci-mediatypes=false",
            "to",
            "`image-manifest=true` needs OCI media types: BuildKit refuses it with `oci-mediatypes=false`, and the"
            " export fails",
        ),
        (
            "type=inline,mode=max",
            "to",
            "BuildKit ignores `mode=max`: an inline cache keeps the final image's layers only; for all steps write"
            " `type=registry,ref=NAME:TAG,mode=max` with a tag of its own",
        ),
        (
            "type=inline",
            "from",
            "BuildKit knows no `type=inline` to read, and the build goes on without this cache: inline cache is read"
            " with `type=registry` and the image's reference",
        ),
        (
            "type=gha,token=",
            "from",
            "an empty `token` counts as given: buildx leaves this cache out without a word; leave `token` out",
        ),
    ],
)
def test_each_trap_has_its_words(text: str, direction: Direction | None, message: str) -> None:
    assert said(text, direction) == [message]


DOCUMENTED = [
    "type=registry,ref=a,mode=max,image-manifest=true,oci-mediatypes=true,compression=zstd,compression-level=22,"
    "force-compression=true,ignore-error=true",
    "type=local,dest=a,mode=max,tag=x,image-manifest=false,oci-mediatypes=0,compression=gzip,reset=true,ignore-error=f",
    "type=gha,mode=max,scope=a,ignore-error=true,timeout=1h30m,url=u,url_v2=u,token=t,version=1,repository=a/b,ghtoken=t",
    "type=s3,bucket=b,region=r,mode=max,prefix=p,name=a;b,touch_refresh=24h,upload_parallelism=4,compression=zstd,"
    "retry_mode=adaptive,retry_max_attempts=5,endpoint_url=u,use_path_style=true,disable_accept_encoding=true,"
    "access_key_id=a,secret_access_key=b,session_token=c,blobs_prefix=x,manifests_prefix=y,ignore-error=1",
    "type=azblob,account_url=u,container=c,mode=min,prefix=p,name=n,blobs_prefix=b,manifests_prefix=m,account_name=a,"
    "secret_access_key=s,ignore-error=true",
    "type=inline",
]


@pytest.mark.parametrize("text", DOCUMENTED)
def test_all_that_the_backends_document_is_known(text: str) -> None:
    assert said(text, "to") == []


@pytest.mark.parametrize(
    "text", ["type=registry,ref=a", "type=local,src=a", "type=local,src=a,tag=b,digest=c", "type=gha", "app:latest"]
)
def test_an_ordinary_import_has_no_trap(text: str) -> None:
    assert said(text, "from") == []


def test_a_spec_alone_does_not_say_which_way_it_goes() -> None:
    """What is read under ``src=`` may be what another line writes: a key for writing is known either way."""
    (spec,) = parse_all("type=local,src=a,mod=max")
    assert [trap.message for trap in spec.traps] == [
        "BuildKit ignores `mod=max`: mode is min; did you mean `mode=max`?"
    ]
    assert [spec.traps for spec in parse_all("type=local,src=a,mode=max")] == [()]
    (told,) = parse_all("--cache-from type=local,src=a,mode=max")
    assert [(trap.severity, trap.message) for trap in told.traps] == [("note", "`mode` means nothing on --cache-from")]


def test_what_is_missing_is_told_once() -> None:
    (failure,) = load(["type=registry"]).failures
    assert str(failure.error) == "type=registry: ref is missing (add ref=HOST/NAME:TAG)"
    assert (failure.traps, failure.error.buildkit) == ((), "fail")


def test_no_credential_is_shown_in_a_trap() -> None:
    found = said("type=s3,bucket=b,region=r, secret_access_key=hush-hush-1,sesion_token=hush-hush-2")
    assert found
    assert not [message for message in found if "hush" in message]


def test_a_spec_that_cannot_be_read_keeps_its_traps() -> None:
    (failure,) = load(["type=local,src=gone,tga=x"]).failures
    assert [trap.instead for trap in failure.traps] == ["tag=x"]


def test_keys_of_our_own_are_no_traps() -> None:
    for text in ("type=registry,ref=a,all-tags=true", "type=gha,repository=a/b,ref=refs/heads/main"):
        assert [spec.traps for spec in parse_all(text)] == [()]


@given(st.sampled_from(sorted(KEYS)), st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_any_entry_is_answered(kind: str, attrs: dict[str, str]) -> None:
    for direction in ("from", "to", None):
        for trap in traps(CacheEntry(type=kind, attrs=attrs), direction):
            assert trap.message.isprintable()
            assert len(trap.message) < 500


@given(st.sampled_from([(kind, name) for kind in KEYS for name in keys_of(kind)]), st.sampled_from(["from", "to"]))
def test_a_known_key_is_never_unknown(known: tuple[str, str], direction: Direction) -> None:
    kind, name = known
    found = traps(CacheEntry(type=kind, attrs={name: "true"}), direction)
    assert not [trap for trap in found if trap.code in ("unknown-key", "other-type")]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        specs = parse_all(text)
    except SpecError:
        return
    assert specs
