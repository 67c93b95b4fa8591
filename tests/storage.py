"""An S3 API server on loopback for tests: moto's, spoken to over real HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class S3:
    """Attributes:
    endpoint: ``http://127.0.0.1:port``.
    """

    endpoint: str

    @property
    def options(self) -> dict[str, str]:
        """Storage options by their usual environment names, for Delta, Polars, obstore or a process."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }

    def bucket(self) -> str:
        """Creates a bucket; returns its ``s3://`` URL."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        httpx.put(f"{self.endpoint}/{name}", trust_env=False).raise_for_status()
        return f"s3://{name}"


@contextmanager
def serve_s3() -> Iterator[S3]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address, port = server.get_host_and_port()
        yield S3(f"http://{address}:{port}")
    finally:
        server.stop()
