"""A bucket on an S3 server of this machine, behind a proxy that can fail."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gpuseg import storage
from tests.faults import Proxy

_NUMBERS = itertools.count()

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}


@dataclass
class Bucket:
    """A bucket, empty at first. client: of boto3, straight to the server: it never fails."""

    name: str
    client: Any
    proxy: Proxy

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        return [facts["Key"] for page in pages for facts in page.get("Contents", ())]

    def fill(self, folder: Path, prefix: str) -> None:
        """Put all files of a folder there."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def contents(self, prefix: str) -> dict[str, bytes]:
        """All objects below a prefix but reports, by their keys below it."""
        keys = [key for key in self.keys(f"{prefix}/") if "gpuseg-report" not in key]
        return {key.removeprefix(f"{prefix}/"): self.get(key) for key in keys}


def forget_connections() -> None:
    """Have drivers look at the environment anew."""
    storage._filesystem.cache_clear()
    s3fs = pytest.importorskip("s3fs")
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server of this machine."""
    pytest.importorskip("s3fs", reason="needs the extra s3")
    moto = pytest.importorskip("moto.server", reason="needs moto, of the extra test")
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A new bucket, which `storage` reaches through a proxy of its own."""
    import boto3

    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    # what is tried again is tried at once
    monkeypatch.setattr("botocore.retryhandler.delay_exponential", lambda *_, **__: 0.001)
    client = boto3.client("s3", endpoint_url=s3_server)
    proxy = Proxy(s3_server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    name = f"masks-{next(_NUMBERS)}"
    client.create_bucket(Bucket=name)
    forget_connections()
    try:
        yield Bucket(name, client, proxy)
    finally:
        forget_connections()
        proxy.close()
        client.close()
