"""Scanlines straight to the kernels, compiled and as plain Python, and what must come out."""

from __future__ import annotations

import numpy as np

from gpuseg.kernels import filters, positions, scanlines
from tests.fuzz import making, oracle, plain
from tests.fuzz.supply import Supply

PLAIN = plain.load("words", "rows", "scanlines", "filters", "positions")
"""Modules: the kernels without a compiler."""

SMALL = 600
"""Bytes of scanlines that plain Python is fast enough for."""

# each colour a label of its own, as far as 8 bits go, so that no wrong pixel looks right
_KEYS = np.arange(1 << 24, dtype=np.uint32)
ALL_KNOWN = (_KEYS * np.uint32(2654435761) >> 24).astype(np.uint16)
SOME_KNOWN = np.where(_KEYS % 251 == 7, 0x100, ALL_KNOWN).astype(np.uint16)
POSITIONS = (ALL_KNOWN[:256] ^ 0x5A).astype(np.uint16)
SOME_POSITIONS = np.where(np.arange(256) % 251 == 7, 0x300, POSITIONS).astype(np.uint16)
for _table in (ALL_KNOWN, SOME_KNOWN):
    _table.flags.writeable = False
del _KEYS, _table
STALE = 0xA5
"""What memory holds before it is written: a label that nobody wrote is wrong, too."""


class Job:
    """One image of scanlines, and how it is cut into blocks."""

    def __init__(self, supply: Supply) -> None:
        self.channels = supply.pick((3, 4, 1))
        self.width = supply.number(1, 80)
        self.height = supply.number(1, 12)
        tables = (POSITIONS, SOME_POSITIONS) if self.channels == 1 else (ALL_KNOWN, SOME_KNOWN)
        self.table = tables[supply.rarely(4)]
        self.rows_at_once = supply.number(1, self.height)
        self.row_bytes = self.width * self.channels
        self.scan = making.scanlines(supply, self.height, self.row_bytes, self.channels)

    @property
    def blocks(self) -> list[bytes]:
        size = self.rows_at_once * (1 + self.row_bytes)
        return [self.scan[at : at + size] for at in range(0, len(self.scan), size)]

    def rows(self) -> list[np.ndarray]:
        """Rows of pixels up to a row whose filter PNG does not know, uint8 (W, channels)."""
        kinds = self.scan[:: 1 + self.row_bytes]
        known = next((y for y, kind in enumerate(kinds) if kind > 4), self.height)
        rows = oracle.unfilter(self.scan, known, self.row_bytes, self.channels)
        return [row.reshape(-1, self.channels) for row in rows]


def check(supply: Supply) -> None:
    """Labels, pixels, how it ended and what the row buffer holds are as the oracle says."""
    job = Job(supply)
    rows = job.rows()
    _check_index(job, rows)
    _check_unfilter(job, rows)
    if job.channels == 1:
        _check_unpack(job)
        _check_positions(job, rows)


def _check_index(job: Job, rows: list[np.ndarray]) -> None:
    ended, labels = _labels(job, rows)
    size = job.width * job.height
    memory = np.full(size + scanlines.MARGIN, STALE, np.uint8)
    above = scanlines.row_buffer(job.width, job.channels)
    first, verdict = 0, scanlines.DONE
    for block in job.blocks:
        data, shape = np.frombuffer(block, np.uint8), (job.width, job.channels)
        verdict = scanlines.index_scanlines(data, first, shape, above, job.table, memory)
        if verdict != scanlines.DONE:
            break
        first += job.rows_at_once
        last = rows[min(first, job.height) - 1].reshape(-1)
        assert np.array_equal(above[scanlines.LEFT :][: last.size], last), "wrong row buffer"
        assert not above[: scanlines.LEFT].any(), "wrong left of the row buffer"
    assert verdict == ended, f"ended with {verdict}, not {ended}"
    if ended == scanlines.DONE:
        assert np.array_equal(memory[:size], labels), "wrong labels"
    if len(job.scan) <= SMALL:
        found, written = _plain_index(job)
        assert found == ended, f"plain Python ended with {found}, not {ended}"
        assert ended != scanlines.DONE or np.array_equal(written, memory), "plain Python differs"


def _labels(job: Job, rows: list[np.ndarray]) -> tuple[int, np.ndarray]:
    """How it ends, by the first pixel in reading order that is refused, and the labels."""
    labels = []
    for row in rows:
        wide = row.astype(np.uint32)
        keys = wide[:, 0]
        if job.channels > 1:
            keys = keys | wide[:, 1] << 8 | wide[:, 2] << 16
        entries = job.table[keys]
        clear = row[:, 3] < 255 if job.channels == 4 else np.zeros(len(row), bool)
        bad = np.flatnonzero((entries > 255) | clear)
        if bad.size:
            unknown = entries[bad[0]] > 255
            return scanlines.UNKNOWN if unknown else scanlines.TRANSPARENT, np.empty(0, np.uint8)
        labels.append(entries.astype(np.uint8))
    if len(rows) < job.height:
        return scanlines.BAD_FILTER, np.empty(0, np.uint8)
    return scanlines.DONE, np.concatenate(labels)


def _plain_index(job: Job) -> tuple[int, np.ndarray]:
    module = PLAIN[2]
    labels = plain.Memory([STALE] * (job.width * job.height + scanlines.MARGIN))
    above = plain.Memory(scanlines.LEFT + job.row_bytes + scanlines.MARGIN)
    for k, block in enumerate(job.blocks):
        verdict = module.index_scanlines(
            plain.Memory(block),
            k * job.rows_at_once,
            (job.width, job.channels),
            above,
            job.table,
            labels,
        )
        if verdict != scanlines.DONE:
            return verdict, np.empty(0, np.uint8)
    return scanlines.DONE, np.frombuffer(labels, np.uint8)


def _check_unfilter(job: Job, rows: list[np.ndarray]) -> None:
    kept = min(job.channels, 3)
    pixels = np.full(job.width * job.height * kept, STALE, np.uint8)
    above = scanlines.row_buffer(job.width, job.channels)
    first, verdict, shape = 0, scanlines.DONE, (job.width, job.channels)
    for block in job.blocks:
        verdict = scanlines.unfilter(np.frombuffer(block, np.uint8), first, shape, above, pixels)
        if verdict != scanlines.DONE:
            break
        first += job.rows_at_once
    ended = scanlines.DONE if len(rows) == job.height else scanlines.BAD_FILTER
    if job.channels == 4 and any((row[:, 3] < 255).any() for row in rows):
        ended = scanlines.TRANSPARENT  # in a row before the bad one
    assert verdict == ended, f"unfilter ended with {verdict}, not {ended}"
    if ended == scanlines.DONE:
        whole = np.concatenate([row[:, :kept].reshape(-1) for row in rows])
        assert np.array_equal(pixels, whole), "wrong pixels"


def _check_unpack(job: Job) -> None:
    packed = np.frombuffer(job.scan, np.uint8).reshape(job.height, -1)
    for bits in (1, 2, 4):
        width = packed.shape[1] * 8 // bits - job.width % (8 // bits)
        size = job.height * width
        found = np.full(size + scanlines.MARGIN, STALE, np.uint8)
        verdict = scanlines.unpack(packed, bits, job.table, width, found)
        entries = job.table[oracle.positions(packed, bits, width)].reshape(-1)
        if verdict == scanlines.DONE:
            assert np.array_equal(found[:size], entries), "wrong labels of few bits"
        assert verdict == scanlines.UNKNOWN or (entries <= 255).all(), "an unknown one unseen"
        assert verdict == scanlines.DONE or (job.table > 255).any(), "an unknown one that is none"


def _check_positions(job: Job, rows: list[np.ndarray]) -> None:
    """What has no table gives the pixels as they are."""
    ended = scanlines.DONE if len(rows) == job.height else scanlines.BAD_FILTER
    size = job.width * job.height
    modules = [(positions, np.frombuffer, np.full(size + scanlines.MARGIN, STALE, np.uint8))]
    if len(job.scan) <= SMALL:
        memory = plain.Memory([STALE] * (size + scanlines.MARGIN))
        modules.append((PLAIN[4], lambda block, _: plain.Memory(block), memory))
    for module, taken, labels in modules:
        first, verdict = 0, scanlines.DONE
        for block in job.blocks:
            shape = (job.width, 1)
            verdict = module.read_scanlines(taken(block, np.uint8), first, shape, labels, labels)
            if verdict != scanlines.DONE:
                break
            first += job.rows_at_once
        assert verdict == ended, f"{module.__name__} ended with {verdict}, not {ended}"
        if ended == scanlines.DONE:
            found = np.frombuffer(labels, np.uint8)[:size]
            assert np.array_equal(found, np.concatenate(rows).reshape(-1)), "wrong labels as read"


def check_filters(labels: np.ndarray, first: int) -> None:
    """Scanlines of a label map from row `first` on, uint8 (H, W), are its rows again."""
    height, width = labels.shape
    made = np.full((height - first, 1 + width), STALE, np.uint8)
    filters.filter_rows(labels.reshape(-1), width, first, made.reshape(-1))
    for y, row in enumerate(made, first):
        above = labels[y - 1] if row[0] == filters.UP else np.zeros(width, np.uint8)
        assert row[0] in (0, filters.UP), "another filter"
        assert np.array_equal(row[1:] + above, labels[y]), "wrong residuals"
    if labels.size <= SMALL:
        again = plain.Memory(made.size)
        PLAIN[3].filter_rows(plain.Memory(labels.tobytes()), width, first, again)
        assert again == made.tobytes(), "plain Python differs"
