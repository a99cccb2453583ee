"""The closed formula of the cost model: how long n files take on w cores, and what limits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Values = Mapping[str, float]
"""Parts by name; see cost_parts."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a dump is converted.

    engine: `shard` (processes that know nothing of each other) or `dask`. place: of the files.
    archives: whether they lie in archives, one of which is then a shard.
    """

    name: str
    engine: Literal["shard", "dask"]
    place: Literal["folder", "s3"]
    archives: bool = False

    @property
    def needs(self) -> set[str]:
        """Parts that not every machine can measure."""
        needed = {"shard"} if self.engine == "dask" else set()
        return needed | ({"request", "listed"} if self.place == "s3" else set())


WAYS = (
    Way("--shard, folder", "shard", "folder"),
    Way("--shard, S3", "shard", "s3"),
    Way("--shard, archives on S3", "shard", "s3", archives=True),
    Way("Dask, folder", "dask", "folder"),
    Way("Dask, S3", "dask", "s3"),
    Way("Dask, archives on S3", "dask", "s3", archives=True),
)


def unit_files(way: Way, parts: Values) -> float:
    """Files of a shard under Dask, of an archive where there are such."""
    return parts["archive_files"] if way.archives else parts["shard_files"]


def names(way: Way, files: float, parts: Values) -> float:
    """What is listed, and asked for by requests: files, or archives."""
    return files / parts["archive_files"] if way.archives else files


def core_seconds(way: Way, files: float, cores: float, parts: Values) -> float:
    """Seconds of work of one core, of `cores` that share the files."""
    own = files / cores * parts["file"]
    found = names(way, files, parts)
    if way.place == "s3":
        own += found / cores * parts["request"]
    if way.engine == "shard":  # each process looks at all names
        own += found * (parts["listed"] if way.place == "s3" else parts["walk"])
    return own


def coordinator_seconds(way: Way, files: float, parts: Values) -> float:
    """Seconds of the client of a Dask cluster: finding files, shards out, rows in."""
    if way.engine == "shard":
        return 0.0
    found = names(way, files, parts) * (parts["listed" if way.place == "s3" else "walk"])
    shards = files / unit_files(way, parts)
    # what a shard costs, most of it for its rows: of an archive more rows, so more
    size = max(1.0, unit_files(way, parts) / 512)
    return found + shards * size * parts["shard"] + files * parts["row"]


def seconds_by(way: Way, files: float, cores: float, parts: Values) -> dict[str, float]:
    """Seconds that each part alone would take, by what it is called; the most of them count."""
    found = names(way, files, parts)
    took = {"cores": core_seconds(way, files, cores, parts)}
    if way.engine == "dask":
        took["coordinator"] = coordinator_seconds(way, files, parts)
    if way.place == "folder":
        return took
    hosts = max(1.0, cores / parts["host_cores"])
    bytes_ = files * max(parts["bytes_in"], parts["bytes_out"])
    listers = cores if way.engine == "shard" else 1.0
    pages = listers * found / parts["page"]
    took |= {
        "list pages, one after the other": found / parts["page"] * parts["latency"],
        "GETs of a prefix": (found + pages) / (parts["get_rate"] * parts["prefixes"]),
        "PUTs of a prefix": found / (parts["put_rate"] * parts["prefixes"]),
        "network of the hosts": bytes_ / (hosts * parts["network"]),
        "waiting for answers": found * 2 * parts["latency"] / (cores * parts["requests"]),
    }
    if way.archives:  # streamed ahead and behind: one request each, nobody waits for it long
        took["waiting for answers"] = found * 2 * parts["latency"] / cores
    return took


def limit(way: Way, files: float, cores: float, parts: Values) -> tuple[str, float]:
    """What takes longest, and its seconds, the start of a process included."""
    took = seconds_by(way, files, cores, parts)
    name = max(took, key=lambda key: took[key])
    return name, took[name] + parts["start"]
