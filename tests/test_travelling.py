"""Values that are pickled quickly come back as they were."""

from __future__ import annotations

import pickle
from dataclasses import fields

from gpuseg.bundles.packing import Bundle
from gpuseg.discover import Source
from gpuseg.errors import UnreadableMaskError
from gpuseg.results import FileResult, UnknownColour


def test_sources() -> None:
    source = Source("/a/b.png", "b.png", 5, 7, tag="x", content=b"png")
    assert pickle.loads(pickle.dumps(source)) == source
    failed = pickle.loads(pickle.dumps(Source("/a", "a", error=UnreadableMaskError("told"))))
    assert isinstance(failed.error, UnreadableMaskError)
    assert str(failed.error) == "told"


def test_a_subclass_keeps_its_fields() -> None:
    bundle = Bundle("/a.tar", "a.tar", 5, into="/b.tar", start=3, stop=9)
    found = pickle.loads(pickle.dumps(bundle))
    assert type(found) is Bundle
    assert found == bundle


def test_results() -> None:
    colour = UnknownColour((1, 2, 3), 4, 5, 6)
    result = FileResult(
        source="a", status="converted", unknown_colours=(colour,), seconds={"read": 0.5}
    )
    found = pickle.loads(pickle.dumps(result, 5))
    assert found == result
    assert all(hasattr(found, field.name) for field in fields(FileResult))
