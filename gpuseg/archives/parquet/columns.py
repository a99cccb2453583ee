"""Columns of a Parquet file that hold encoded images, and what `datasets` says of them.

An image is a struct of `bytes` and `path`, or its bytes alone. Under the key `huggingface` the
schema's metadata may hold the features of the columns as JSON
(https://huggingface.co/docs/datasets/about_dataset_features); an image's is
`{"_type": "Image"}`. The file is somebody else's, so nothing in it is taken for granted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from gpuseg.errors import UsageError
from gpuseg.text import one_line, shortened

FEATURES = b"huggingface"
"""Key of the schema's metadata that tells of features."""

MARK = b"gpuseg"
"""Key of the file's metadata that tells what gpuseg made it from."""

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""The type of an image's column in files of ours."""

_NAMED = 20
"""Columns that a message names."""


def choose_column(schema: pa.Schema, name: str | None) -> str:
    """The column that holds the masks: the one that is named, or the only one that can.

    Where features are told of, those of images are looked at, else whatever may be images.
    Raises UsageError, which lists the columns.
    """
    repeated = sorted({field for field in schema.names if schema.names.count(field) > 1})
    if repeated:
        raise UsageError(f"has several columns of one name, {_listed(repeated)}; rename them")
    if name is not None:
        if name not in schema.names:
            raise UsageError(f"has no column {one_line(name)!r}; it has {_columns(schema)}")
        if not holds_images(schema.field(name).type):
            raise UsageError(
                f"the column {one_line(name)!r} is of type {schema.field(name).type}; masks are "
                "taken from struct<bytes: binary, path: string> or binary, one a row; choose "
                f"another --column, of {_columns(schema)}"
            )
        return name
    found = _candidates(schema)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"has {len(found)} columns of images, {_listed(found)}; say which holds the masks "
            "with --column"
        )
    raise UsageError(
        "has no column of encoded images (struct<bytes: binary, path: string> or binary); it has "
        f"{_columns(schema)}"
    )


def holds_images(kind: pa.DataType) -> bool:
    """Whether a column of this type may hold one encoded image a row."""
    if not pa.types.is_struct(kind):
        return _is_bytes(kind)
    fields = {field.name: field.type for field in kind}
    if len(fields) != kind.num_fields or not {"bytes"} <= fields.keys() <= {"bytes", "path"}:
        return False
    return _is_bytes(fields["bytes"]) and _is_text(fields.get("path", pa.string()))


def features_of(metadata: Mapping[bytes, bytes] | None) -> dict[str, Any]:
    """The features that a schema's metadata tell of, by column; none if they cannot be read."""
    try:
        features = json.loads((metadata or {})[FEATURES])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def metadata_without(schema: pa.Schema, kept: Sequence[str], masks: str) -> dict[bytes, bytes]:
    """The metadata of a file made from another: all that is true of the columns that are kept.

    masks: which of them holds label maps; as an image of mode RGB `datasets` would show their
    colours, so that feature asks for no mode.
    """
    stale = {MARK, FEATURES} if list(kept) == schema.names else {MARK, FEATURES, b"pandas"}
    found = {key: value for key, value in (schema.metadata or {}).items() if key not in stale}
    features = {name: told for name, told in features_of(schema.metadata).items() if name in kept}
    if isinstance(features.get(masks), dict):
        features[masks] = {key: told for key, told in features[masks].items() if key != "mode"}
    return found | ({FEATURES: features_as_metadata(features)} if features else {})


def features_as_metadata(features: Mapping[str, Any]) -> bytes:
    """Features as `datasets` reads them from a schema's metadata."""
    return json.dumps({"info": {"features": features}}).encode()


def _candidates(schema: pa.Schema) -> list[str]:
    features = features_of(schema.metadata)
    usable = [field.name for field in schema if holds_images(field.type)]
    kinds = {name: _kind(features.get(name)) for name in usable}
    images = [name for name in usable if kinds[name] == "Image"]
    return images or [name for name in usable if kinds[name] in (None, "Value")]


def _kind(feature: object) -> object:
    """What a feature is: an Image, an Audio (of the same type), a Value …; None if unknown."""
    return feature.get("_type") if isinstance(feature, dict) else None


def _is_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _columns(schema: pa.Schema) -> str:
    """The columns and their types, for a message."""
    told = [f"{field.name} ({field.type})" for field in schema]
    return _listed(told) if told else "no columns"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(shortened(one_line(name), 80) for name in names[:_NAMED]) + more
