"""A page about a run: its parts, put together and rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpuseg.frequencies.drawing import draw_stats
from gpuseg.frequencies.statistics import Stats
from gpuseg.pages import html
from gpuseg.pages.classes import Classes, class_rows
from gpuseg.pages.gallery import Folders, make_item
from gpuseg.pages.gathered import Gathered
from gpuseg.pages.summary import groups, summary
from gpuseg.pages.unknown import unknown_table
from gpuseg.report_reading import text, whole

GENERATOR = "gpuseg report"
"""What the page's meta tag of that name says."""


@dataclass(frozen=True, slots=True)
class Material:
    """All that a page is made of.

    title: what it is about. gathered: what the reports say. stats: what the label maps hold.
    names: label maps of the gallery. folders: where files lie. classes: what indices mean.
    max_pixels: larger images are not opened.
    """

    title: str
    gathered: Gathered
    stats: Stats
    names: list[str]
    folders: Folders
    classes: Classes
    max_pixels: int


def make_page(material: Material) -> bytes:
    """The page as UTF-8. Raises UsageError where jinja2 or matplotlib is missing."""
    page = html.render("report.html.jinja", "report.css", **_values(material))
    return page.encode("utf-8")


def _values(material: Material) -> Mapping[str, Any]:
    gathered, stats = material.gathered, material.stats
    return {
        "generator": GENERATOR,
        "summary": summary(gathered, material.title),
        "stats": stats,
        "classes": class_rows(stats),
        "plots": draw_stats(stats).values(),
        "unknown": unknown_table(
            gathered, material.folders.src, material.classes, material.max_pixels
        ),
        "policy": _policy(gathered),
        "failed": gathered.failed,
        "failures": groups(gathered.failures),
        "warned": sum(kind.count for kind in gathered.warnings.values()),
        "warnings": groups(gathered.warnings),
        "unread": stats.report.failed,
        "unreadable": stats.report.failures,
        "no_sources": _no_sources(material),
        "items": [
            make_item(
                name, gathered.sources, material.folders, material.classes, material.max_pixels
            )
            for name in material.names
        ],
    }


def _no_sources(material: Material) -> str:
    """Why no source is shown beside its label map, a sentence; "" where they are."""
    if material.folders.src is not None:
        return ""
    if "annotations" in material.gathered.head:
        return "They were drawn of annotations: --over lays them over photographs."
    return "The folder of the sources is not known or not there: --src names it."


def _policy(gathered: Gathered) -> str:
    """What the run did with unknown colours, a sentence."""
    options = gathered.head.get("options")
    if not isinstance(options, dict):
        return ""
    return {
        "error": "Files that hold one failed.",
        "ignore": f"They became the ignore index, {whole(options, 'ignore_index')}.",
        "nearest": "They became the nearest class, where the tolerance allows it.",
        "border": "Those between two classes became one of them; files that hold others failed.",
        "border-ignore": "Those between two classes became one of them, the others the ignore "
        f"index, {whole(options, 'ignore_index')}.",
    }.get(text(options, "unknown"), "")
