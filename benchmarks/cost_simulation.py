"""The cost model played through: coordinator, workers and storage, event by event."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

from benchmarks.cost_formula import Values, Way, names, unit_files

AHEAD = 2
"""Shards a worker that are under way under Dask."""

SPREAD = 0.25
"""How far the time of one shard may lie from the mean, each way."""


@dataclass(slots=True)
class Server:
    """Something that does one thing after the other. free: when it is, s."""

    free: float = 0.0

    def serve(self, now: float, seconds: float) -> float:
        """When what comes now is done."""
        self.free = max(now, self.free) + seconds
        return self.free


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of one shard. work: of its worker. wait: for requests. find, rows: of the client.

    page: until the listing has named its files. get, put, wire: of the storage and the network.
    """

    work: float
    wait: float
    find: float
    rows: float
    page: float
    get: float
    put: float
    wire: float

    @classmethod
    def of(cls, way: Way, cores: int, parts: Values) -> Costs:
        """Costs of a shard, or of an archive, under Dask."""
        files = unit_files(way, parts)
        found = names(way, files, parts)
        size = max(1.0, files / 512)
        rows = size * parts["shard"] + files * parts["row"]
        if way.place == "folder":
            find = found * parts["walk"]
            return cls(files * parts["file"], 0.0, find, rows, 0.0, 0.0, 0.0, 0.0)
        in_hand = 1.0 if way.archives else parts["requests"]
        hosts = max(1.0, cores / parts["host_cores"])
        return cls(
            work=files * parts["file"] + found * parts["request"],
            wait=found * 2 * parts["latency"] / in_hand,
            find=found * parts["listed"],
            rows=rows,
            page=found / parts["page"] * parts["latency"],
            get=(found + found / parts["page"]) / (parts["get_rate"] * parts["prefixes"]),
            put=found / (parts["put_rate"] * parts["prefixes"]),
            wire=files * max(parts["bytes_in"], parts["bytes_out"]) / (hosts * parts["network"]),
        )


def simulate(way: Way, shards: int, cores: int, parts: Values, seed: int = 0) -> float:
    """Seconds until so many shards of a Dask run are done; each shard's work varies.

    The client finds files (behind the listing), sends shards while fewer than AHEAD a worker are
    under way, and takes results; all of it one thing after the other. A worker has one shard at
    a time, and is done with it when its work is and when the storage has served its requests.
    """
    chance = random.Random(seed)
    cost = Costs.of(way, cores, parts)
    client, lister, get, put, wire = Server(), Server(), Server(), Server(), Server()
    idle = [parts["start"]] * cores  # when each worker is free
    heapq.heapify(idle)
    under_way: list[float] = []  # when each shard that was sent is done
    end = 0.0
    for _ in range(shards):
        if len(under_way) >= AHEAD * cores:
            end = client.serve(heapq.heappop(under_way), cost.rows)
        listed = lister.serve(0.0, cost.page)
        sent = client.serve(listed, cost.find)
        begun = max(sent, heapq.heappop(idle))
        factor = chance.uniform(1 - SPREAD, 1 + SPREAD)
        own = begun + max(cost.work * factor, cost.wait)
        asked = ((get, cost.get), (put, cost.put), (wire, cost.wire))
        served = max(server.serve(begun, seconds) for server, seconds in asked)
        done = max(own, served)
        heapq.heappush(idle, done)
        heapq.heappush(under_way, done)
    while under_way:
        end = client.serve(heapq.heappop(under_way), cost.rows)
    return end
