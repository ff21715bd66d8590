"""Images by reference: from layouts, archives of ``docker image save`` and registries."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from cachegraph.builds.content.nodes import Folder, digest_of
from cachegraph.builds.content.unknown import Unknown
from cachegraph.builds.images import ImageConfig, ResolvedImage
from cachegraph.builds.llb import Platform
from cachegraph.builds.operations import HttpOrigin, ImageOrigin
from cachegraph.errors import DecodeError, NotFoundError
from cachegraph.loaders.base import Options
from cachegraph.loaders.oci.manifests import Descriptor
from cachegraph.loaders.oci.manifests import Platform as Offered
from cachegraph.loaders.sources.images import KnownImages
from cachegraph.loaders.sources.platforms import choose
from cachegraph.loaders.sources.remotes import RemoteSources
from cachegraph.loaders.sources.stores import LayoutStore
from tests.builds.content.trees import paths

AMD64 = Platform(os="linux", architecture="amd64")
NAME = "docker.io/library/app:1"


def tar(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


class Layout:
    """An OCI layout that is being written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "blobs" / "sha256").mkdir(parents=True)
        self.manifests: list[dict[str, Any]] = []
        (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data: bytes) -> str:
        digest = digest_of(data)
        (self.root / "blobs" / "sha256" / digest[7:]).write_bytes(data)
        return digest

    def image(self, files: Mapping[str, bytes], platform: str = "linux/amd64", *, compressed: bool = True) -> str:
        """Write an image of one layer, and give its manifest's digest."""
        system, architecture = platform.split("/")
        layer = tar(files)
        data = gzip.compress(layer, mtime=0) if compressed else layer
        config = json.dumps(
            {
                "os": system,
                "architecture": architecture,
                "config": {"Env": ["A=1"], "WorkingDir": "/w"},
                "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
            }
        ).encode()
        kind = "application/vnd.oci.image.layer.v1.tar" + ("+gzip" if compressed else "")
        manifest = {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"digest": self.blob(config), "size": len(config)},
            "layers": [{"mediaType": kind, "digest": self.blob(data), "size": len(data)}],
        }
        return self.blob(json.dumps(manifest).encode())

    def index(self, images: Mapping[str, str]) -> str:
        """Write an index of images by platform, and give its digest."""
        manifests = []
        for platform, digest in images.items():
            system, architecture = platform.split("/")
            manifests.append({"digest": digest, "platform": {"os": system, "architecture": architecture}})
        return self.blob(json.dumps({"manifests": manifests}).encode())

    def name(self, name: str, digest: str) -> None:
        """Name a manifest in the layout's index."""
        self.manifests.append({"digest": digest, "annotations": {"io.containerd.image.name": name}})
        (self.root / "index.json").write_text(json.dumps({"manifests": self.manifests}))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    root = tmp_path / "layout"
    root.mkdir()
    return Layout(root)


def images(*stores: Path, pins: Mapping[str, str] | None = None) -> KnownImages:
    return KnownImages(stores=[LayoutStore(store) for store in stores], pins=pins or {}, offline=True)


def config(found: ResolvedImage | Unknown) -> ImageConfig:
    assert isinstance(found, ResolvedImage), found
    assert isinstance(found.config, ImageConfig), found.config
    return found.config


def test_an_image_of_a_layout(layout: Layout) -> None:
    digest = layout.image({"f": b"1"})
    layout.name(NAME, digest)
    known = images(layout.root)
    found = known.resolve(NAME, AMD64)
    assert isinstance(found, ResolvedImage)
    assert found.digest == digest
    assert config(found).env == ("A=1",)
    tree = known.image(ImageOrigin(reference=f"{NAME}@{digest}", digest=digest, platform=AMD64))
    assert isinstance(tree, Folder)
    assert paths(tree) == {"/": "755", "/f": "644 '1'"}


def test_the_digest_is_the_indexs_and_the_config_the_platforms(layout: Layout) -> None:
    one, two = layout.image({"f": b"1"}), layout.image({"f": b"2"}, "linux/arm64")
    index = layout.index({"linux/amd64": one, "linux/arm64": two})
    layout.name(NAME, index)
    known = images(layout.root)
    for platform, content in ((AMD64, "1"), (Platform(os="linux", architecture="arm64"), "2")):
        found = known.resolve(NAME, platform)
        assert isinstance(found, ResolvedImage)
        assert found.digest == index
        assert config(found).platform.architecture == platform.architecture
        tree = known.image(ImageOrigin(reference=NAME, digest=index, platform=platform))
        assert isinstance(tree, Folder)
        assert paths(tree)["/f"] == f"644 '{content}'"
    with pytest.raises(NotFoundError, match="has no image for linux/s390x"):
        known.resolve(NAME, Platform(os="linux", architecture="s390x"))


def test_a_digest_finds_what_has_another_name(layout: Layout) -> None:
    digest = layout.image({})
    layout.name("docker.io/library/other:9", digest)
    assert config(images(layout.root).resolve(f"{NAME}@{digest}", AMD64)).working_dir == "/w"


def test_what_is_in_no_store_is_unknown_offline_and_says_what_helps(layout: Layout) -> None:
    layout.name("docker.io/library/other:1", layout.image({}))
    found = images(layout.root).resolve(NAME, AMD64)
    assert isinstance(found, Unknown)
    assert found.because == "image"
    assert "--image docker.io/library/app" in found.reason


def test_a_pin_says_the_digest_and_leaves_the_config_open() -> None:
    pinned = "sha256:" + "3" * 64
    found = images(pins={"app:1": pinned}).resolve(NAME, AMD64)
    assert isinstance(found, ResolvedImage)
    assert found.digest == pinned
    assert isinstance(found.config, Unknown)


def archive(layout: Layout, path: Path, names: list[str], digest: str) -> None:
    """Write what ``docker image save`` of today writes: a layout, and a list of names beside it."""
    (layout.root / "manifest.json").write_text(json.dumps([{"RepoTags": names}]))
    layout.name(NAME, digest)
    with tarfile.open(path, "w") as made:
        made.add(layout.root, arcname=".")


def test_an_archive_of_docker_image_save(layout: Layout, tmp_path: Path) -> None:
    digest = layout.image({"f": b"1"})
    archive(layout, tmp_path / "saved.tar", ["app:1"], digest)
    known = images(tmp_path / "saved.tar")
    found = known.resolve(NAME, AMD64)
    assert isinstance(found, ResolvedImage)
    assert found.digest == digest
    tree = known.image(ImageOrigin(reference=NAME, digest=digest, platform=AMD64))
    assert isinstance(tree, Folder)
    assert paths(tree)["/f"] == "644 '1'"


def test_what_docker_wrote_again_has_not_the_registrys_digest(layout: Layout, tmp_path: Path) -> None:
    digest = layout.image({"f": b"1"}, compressed=False)
    archive(layout, tmp_path / "saved.tar", ["app:1"], digest)
    assert isinstance(images(tmp_path / "saved.tar").resolve(NAME, AMD64), Unknown)
    pinned = "sha256:" + "3" * 64
    found = images(tmp_path / "saved.tar", pins={NAME: pinned}).resolve(NAME, AMD64)
    assert isinstance(found, ResolvedImage)
    assert found.digest == pinned
    assert config(found).env == ("A=1",)


def test_an_archive_from_before_docker_25(tmp_path: Path) -> None:
    layer = tar({"f": b"1"})
    data = json.dumps({"os": "linux", "rootfs": {"diff_ids": [digest_of(layer)]}, "config": {"Env": ["B=2"]}}).encode()
    files = {
        "manifest.json": json.dumps([{"Config": "c.json", "RepoTags": ["app:1"], "Layers": ["x/layer.tar"]}]).encode(),
        "c.json": data,
        "x/layer.tar": layer,
    }
    (tmp_path / "old.tar").write_bytes(tar(files))
    assert isinstance(images(tmp_path / "old.tar").resolve(NAME, AMD64), Unknown)
    pinned = "sha256:" + "3" * 64
    known = images(tmp_path / "old.tar", pins={NAME: pinned})
    found = known.resolve(NAME, AMD64)
    assert config(found).env == ("B=2",)
    tree = known.image(ImageOrigin(reference=NAME, digest=pinned, platform=AMD64))
    assert isinstance(tree, Folder)
    assert paths(tree)["/f"] == "644 '1'"


def test_a_layer_with_other_bytes_is_not_believed(layout: Layout) -> None:
    digest = layout.image({"f": b"1"})
    layout.name(NAME, digest)
    manifest = json.loads((layout.root / "blobs" / "sha256" / digest[7:]).read_bytes())
    layer = layout.root / "blobs" / "sha256" / manifest["layers"][0]["digest"][7:]
    layer.write_bytes(gzip.compress(tar({"f": b"2"})))
    tree = images(layout.root).image(ImageOrigin(reference=NAME, digest=digest, platform=AMD64))
    assert isinstance(tree, Unknown)
    assert "has other bytes than it should" in tree.reason


def test_no_layout(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such layout or archive"):
        LayoutStore(tmp_path / "none")
    with pytest.raises(DecodeError, match=r"no index\.json"):
        LayoutStore(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "offered", "chosen"),
    [
        ("linux/amd64", ["linux/arm64", "linux/amd64"], 1),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], 1),
        ("linux/arm64", ["linux/arm/v7", "linux/arm64/v8"], 1),
        ("linux/arm64", ["linux/arm/v7"], 0),
        ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v2"], 1),
        ("linux/amd64", ["linux/amd64/v2", "linux/386"], 1),
        ("linux/amd64", ["unknown/unknown", "windows/amd64"], None),
    ],
)
def test_which_image_of_an_index(wanted: str, offered: list[str], chosen: int | None) -> None:
    descriptors = [Descriptor(digest=name, platform=offer(name)) for name in offered]
    system, architecture, variant = parts(wanted)
    found = choose(Platform(os=system, architecture=architecture, variant=variant), descriptors)
    assert (found and found.digest) == (None if chosen is None else offered[chosen])


def offer(text: str) -> Offered:
    system, architecture, variant = parts(text)
    return Offered(os=system, architecture=architecture, variant=variant)


def parts(text: str) -> tuple[str, str, str]:
    system, architecture, variant = (*text.split("/"), "")[:3]
    return system, architecture, variant


@pytest.mark.usefixtures("fresh_clients")
def test_an_image_of_a_registry(registry: str, push: Callable[[str, str], str]) -> None:
    digest = push("web-oci", "builds/web:1")
    reference = f"{registry}/builds/web:1"
    known = KnownImages(options=Options(timeout=10))
    found = known.resolve(reference, AMD64)
    assert isinstance(found, ResolvedImage)
    assert found.digest == digest
    assert config(found).platform.architecture == "amd64"
    origin = ImageOrigin(reference=reference, digest=digest, platform=AMD64)
    tree = known.image(origin)
    assert isinstance(tree, Folder)
    assert "bin" in tree.children
    small = KnownImages(options=Options(timeout=10), limit=10)
    too_large = small.image(origin)
    assert isinstance(too_large, Unknown)
    assert "at most 10 are downloaded" in too_large.reason
    with pytest.raises(NotFoundError):
        known.resolve(f"{registry}/builds/none:1", AMD64)


@pytest.mark.usefixtures("fresh_clients")
def test_a_registry_that_is_not_there() -> None:
    found = KnownImages(options=Options(timeout=2)).resolve("127.0.0.1:9/x:1", AMD64)
    assert isinstance(found, Unknown)
    assert "--image 127.0.0.1:9/x" in found.reason


@pytest.mark.usefixtures("fresh_clients")
class TestDownloads:
    """Files behind an address."""

    @pytest.fixture
    def url(self, serve: Callable[..., str], reply: Callable[..., None]) -> str:
        def answer(request: BaseHTTPRequestHandler) -> None:
            if request.path == "/f.txt":
                reply(request, 200, b"hello", **{"Last-Modified": "Tue, 14 Nov 2023 22:13:20 GMT"})
            elif request.path == "/big":
                reply(request, 200, b"x" * 5000)
            else:
                reply(request, 404, b"")

        return f"http://{serve(answer)}"

    def test_what_a_key_is_made_of(self, url: str) -> None:
        found = RemoteSources().file(HttpOrigin(url=f"{url}/f.txt", filename="f.txt"))
        assert not isinstance(found, Unknown), found
        assert found.digest == digest_of(b"hello")
        assert found.last_modified == "Tue, 14 Nov 2023 22:13:20 GMT"

    def test_the_file(self, url: str) -> None:
        sources = RemoteSources()
        tree = sources.download(HttpOrigin(url=f"{url}/f.txt", filename="f.txt", checksum=digest_of(b"hello")))
        assert isinstance(tree, Folder)
        assert paths(tree) == {"/": "755", "/f.txt": "600 'hello'"}
        wrong = sources.download(HttpOrigin(url=f"{url}/f.txt", filename="f.txt", checksum=digest_of(b"x")))
        assert isinstance(wrong, Unknown)
        assert wrong.because == "refused"

    @pytest.mark.parametrize(
        ("path", "how", "said"),
        [
            ("/none", {}, "404"),
            ("/big", {"limit": 100}, "cannot be downloaded"),
            ("/f.txt", {"offline": True}, "was not asked for"),
        ],
    )
    def test_what_cannot_be_had(self, url: str, path: str, how: dict[str, Any], said: str) -> None:
        found = RemoteSources(**how).file(HttpOrigin(url=f"{url}{path}", filename="f"))
        assert isinstance(found, Unknown)
        assert said in found.reason
