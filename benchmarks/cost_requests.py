"""What requests to an S3 server cost this end of them, in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time

from benchmarks.cost_parts import spent
from gpuseg import storage

SERVER = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel("ERROR")
server = ThreadedMotoServer("127.0.0.1", 0)
server.start()
print("port", server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""
"""Serves until its input ends, as when this process is killed."""


@contextmanager
def bucket() -> Iterator[str]:
    """The URL of a bucket of a moto server, whose process takes none of our time."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        port = next(line.split()[1] for line in server.stdout if line.startswith("port "))
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
        os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        import s3fs

        s3fs.S3FileSystem(use_listings_cache=False).mkdir("bench")
        yield "s3://bench"
    finally:
        server.communicate()


def main(count: int) -> None:
    """Print seconds of this process a GET and a PUT, and a key listed, as JSON."""
    data = bytes(4000)
    with bucket() as url:

        def work() -> None:
            for number in range(count):
                storage.write(f"{url}/{number}", data)
                storage.read(f"{url}/{number}")

        request = spent(work, count, process_time)
        listed = spent(lambda: list(storage.entries(url)), count, process_time)
    print(json.dumps({"request": request, "listed": listed}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
