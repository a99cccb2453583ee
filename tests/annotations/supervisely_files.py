"""Annotations of Supervisely, made and read."""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import Any

from PIL import Image

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.supervisely import Supervisely
from gpuseg.discover import Source
from gpuseg.shapes import Picture

DOCUMENTED = (
    "eJzrDPBz5+WS4mJgYOD19HAJAtLMIMwIInOeqf8BUmwBPiGuQPr///9Lb86/C2QxlgT5BTM4PLuRBuTwebo4hlTMSa44"
    "cOHAB6DqY0yORgq8YkAZBk9XP5d1TglNANAFGzA="
)
"""A bitmap of 3 x 3 pixels, from the documentation of the format (objects, Bitmap)."""


def points(*exterior: tuple[float, float], interior: Any = ()) -> dict[str, Any]:
    return {"points": {"exterior": list(exterior), "interior": list(interior)}}


def thing(kind: str, title: str = "car", **more: Any) -> dict[str, Any]:
    return {"classTitle": title, "geometryType": kind, **more}


def file_of(*things: Any, **more: Any) -> dict[str, Any]:
    return {"size": {"height": 8, "width": 12}, "tags": [], "objects": list(things), **more}


def read(value: Any, **choices: Any) -> Picture:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    source = Source("x/a.jpg.json", "a.jpg.json", content=data)
    return Supervisely().read(source, ReadingChoices(**choices))


def png(mask: Any, **save: Any) -> str:
    buffer = io.BytesIO()
    (mask if isinstance(mask, Image.Image) else Image.fromarray(mask)).save(buffer, "PNG", **save)
    return base64.b64encode(zlib.compress(buffer.getvalue())).decode()


def bitmap(data: str, *origin: float) -> dict[str, Any]:
    return thing("bitmap", bitmap={"data": data, "origin": list(origin or (1, 2))})
