"""Object stores on loopback: moto for S3, Azurite for Azure Blob, and a server that misbehaves."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import botocore.session
import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient
from moto.server import ThreadedMotoServer

from tests.servers.programs import azurite

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

DATA = Path(__file__).parents[1] / "data"

AZURE_ACCOUNT = "devstoreaccount1"
# Azurite's own account key, the same everywhere and published in its manual.
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
S3_KEY, S3_SECRET, S3_TOKEN = "AKIAEXAMPLEEXAMPLE42", "s3-secret-access-key-Zq81", "s3-session-token-Wk93"

Serve = Callable[[Callable[[socket.socket], None]], str]


def corpus(kind: str) -> dict[str, bytes]:
    """Return the objects that BuildKit wrote, by key."""
    objects = {
        "blobs/" + path.name.replace("-", ":", 1): path.read_bytes() for path in (DATA / kind / "blobs").iterdir()
    }
    objects["manifests/web"] = (DATA / kind / "manifests" / "web").read_bytes()
    return objects


@pytest.fixture(scope="session", name="corpus")
def corpus_fixture() -> Callable[[str], dict[str, bytes]]:
    return corpus


@pytest.fixture(scope="session")
def azurite_program() -> Path:
    """Azurite, which ``make servers`` installs."""
    if not azurite().exists() or shutil.which("node") is None:
        pytest.fail("Azurite is not there yet: make servers")
    return azurite()


@pytest.fixture(scope="session")
def start_azurite(azurite_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start Azurite on a free port, with more arguments if wanted; return its URL."""
    running: list[subprocess.Popen[str]] = []

    def start(*more: str) -> str:
        folder = str(tmp_path_factory.mktemp("azurite"))
        command = ["node", str(azurite_program), "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", folder]
        command += ["--skipApiVersionCheck", "--disableTelemetry", "--silent", *more]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        running.append(process)
        said = ""
        for line in process.stdout or ():
            said += line
            if found := re.search(r"successfully listens on (\S+)", line):
                return found.group(1)
        raise AssertionError(f"Azurite did not start: {said}")

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def serve_raw() -> Iterator[Serve]:
    """Start servers that do to each connection what a function says; return their URLs."""
    stop = threading.Event()
    threads: list[threading.Thread] = []
    listeners: list[socket.socket] = []

    def start(answer: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.1)
        listeners.append(listener)

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with closing(connection):
                    connection.settimeout(5)
                    connection.recv(65536)
                    answer(connection)

        threads.append(threading.Thread(target=accept))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    stop.set()
    for thread in threads:
        thread.join()
    for listener in listeners:
        listener.close()


@pytest.fixture
def refused() -> str:
    """Return a URL where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """URL of moto's S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def aws_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the developer's own AWS settings out, and the instance's; give an empty folder of settings."""
    folder = tmp_path_factory.mktemp("aws")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield folder


@pytest.fixture(scope="session")
def s3_client(s3_endpoint: str, aws_settings: Path) -> S3Client:
    client = botocore.session.Session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=s3_endpoint,
        aws_access_key_id=S3_KEY,
        aws_secret_access_key=S3_SECRET,
    )
    return cast("S3Client", client)


def fill_bucket(client: S3Client, bucket: str, objects: dict[str, bytes]) -> str:
    client.create_bucket(Bucket=bucket)
    for key, body in objects.items():
        client.put_object(Bucket=bucket, Key=key, Body=body)
    return bucket


@pytest.fixture(scope="session")
def s3_bucket(s3_client: S3Client) -> str:
    """A bucket that holds what BuildKit wrote, to be read only."""
    return fill_bucket(s3_client, "cache", corpus("s3"))


@pytest.fixture(scope="session")
def azure_account(start_azurite: Callable[..., str]) -> str:
    """URL of an account in Azurite."""
    return f"{start_azurite()}/{AZURE_ACCOUNT}"


@contextmanager
def filled_container(account_url: str, name: str) -> Iterator[ContainerClient]:
    """Make a container that holds what BuildKit wrote."""
    with ContainerClient(account_url, name, credential=AzureNamedKeyCredential(AZURE_ACCOUNT, AZURE_KEY)) as client:
        client.create_container()
        for key, body in corpus("azblob").items():
            client.upload_blob(key, body)
        yield client


@pytest.fixture(scope="session")
def azure_container(azure_account: str) -> Iterator[str]:
    """A container that holds what BuildKit wrote, to be read only."""
    with filled_container(azure_account, "shared") as client:
        yield client.container_name
