"""What is said when an extra is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cachegraph.errors import MissingExtraError
from cachegraph.lint.files import specs_in_file
from cachegraph.loaders import azblob, s3
from cachegraph.loaders.base import Options, Spec


def test_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(MissingExtraError, match=r"Reading a cache from S3 .*'cachegraph\[s3\]'"):
        s3.load(Spec(type="s3", attrs={"bucket": "b", "region": "r"}, text=""), Options())


def test_azblob(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.storage.blob", None)
    with pytest.raises(MissingExtraError, match=r"Reading a cache from Azure Blob storage .*'cachegraph\[azure\]'"):
        azblob.load(Spec(type="azblob", attrs={"account_url": "https://acme.example"}, text=""), Options())


@pytest.mark.parametrize(("name", "module"), [("compose.yaml", "yaml"), ("ci.yml", "yaml")])
def test_files(name: str, module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_text("x")
    with pytest.raises(MissingExtraError, match=r"'cachegraph\[files\]'"):
        specs_in_file(tmp_path / name)
