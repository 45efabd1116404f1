"""What the tests of object storage share: a server on loopback for all of them, a bucket for each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("obstore", reason="no obstore: pip install 'wsi-area[s3]'")
pytest.importorskip("moto", reason="no moto: pip install 'moto[s3]' flask flask-cors")

import boto3
from s3_server import Server

from wsi_area.storage import bucket as bucket_module
from wsi_area.storage.object_path import ObjectPath

KEYS = {"AWS_ACCESS_KEY_ID": "loopback", "AWS_SECRET_ACCESS_KEY": "not-a-secret-but-looked-for"}


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


@pytest.fixture(scope="session")
def client(server: Server) -> Any:
    """Somebody else's client, to look at the bucket with."""
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture(autouse=True)
def environment(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The usual variables, none of the machine's own keys, and no connection of another test."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    _forget()
    yield
    server.gate = lambda request: None
    _forget()


def _forget() -> None:
    bucket_module._open.clear()
    bucket_module.zarr_bucket.cache_clear()


@pytest.fixture
def bucket(server: Server, client: Any) -> str:
    return server.new_bucket(client)


@pytest.fixture
def place(bucket: str) -> ObjectPath:
    """An empty prefix."""
    return ObjectPath(bucket, "runs/one")
