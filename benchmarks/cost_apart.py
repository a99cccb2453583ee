"""What S3 requests and shards of Dask cost, measured in a process of its own."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, process_time

from benchmarks.cost_parts import SHARD_FILES, result_of, spent
from gpuseg import storage
from gpuseg.discover import Source
from gpuseg.lines import encode_row

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


def requests(count: int) -> dict[str, float]:
    """Seconds of this process a GET and a PUT, and a key listed."""
    data = bytes(4000)
    with bucket() as url:

        def work() -> None:
            for number in range(count):
                storage.write(f"{url}/{number}", data)
                storage.read(f"{url}/{number}")

        request = spent(work, count, process_time)
        return {"request": request, "listed": spent(lambda: _list(url), count, process_time)}


def _list(url: str) -> int:
    return sum(1 for _ in storage.entries(url))


def shards(count: int) -> dict[str, float]:
    """Seconds that Dask and its client take for a shard: files in, results and lines out."""
    from distributed import Client, LocalCluster, as_completed

    results = map(result_of, range(SHARD_FILES))
    sources = [Source(f"/data/{result.source}", result.source, 4000, 1) for result in results]
    shard = pickle.dumps(sources, pickle.HIGHEST_PROTOCOL)
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster) as client,
    ):

        def work() -> None:
            waiting = as_completed(client.submit(answer, shard, pure=False) for _ in range(AHEAD))
            for done, future in enumerate(waiting, AHEAD + 1):
                assert len(pickle.loads(future.result())) == len(sources)
                future.release()
                if done <= count:
                    waiting.add(client.submit(answer, shard, pure=False))

        return {"shard": spent(work, count, perf_counter)}


AHEAD = 4
"""Shards under way."""

_ANSWERS: list[bytes] = []


def answer(shard: bytes) -> bytes:
    """What a worker sends back for a shard; made once, for making it is no cost of Dask's."""
    sources = pickle.loads(shard)
    if not _ANSWERS:
        results = list(map(result_of, range(len(sources))))
        _ANSWERS.append(pickle.dumps([(r, encode_row(r.row())) for r in results]))
    return _ANSWERS[0]


def main() -> None:
    """`requests N` or `shards N`: print what was measured as JSON."""
    what, count = sys.argv[1:]
    print(json.dumps({"requests": requests, "shards": shards}[what](int(count))))
