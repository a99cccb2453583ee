"""Where the children of an XML file begin and end, and that hostile XML ends in a sentence."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.annotations import xml_elements
from gpuseg.annotations.xml_elements import Child, children, element_of
from gpuseg.errors import AnnotationError

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<a><i>&c;</i></a>"""

EXTERNAL = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a><i>&b;</i></a>'

NAMES = st.sampled_from(["image", "i", "a"])
TEXTS = st.sampled_from(["", " ", "x", ">", "/>", "ä", "&lt;", "<!-- </i> -->", "<![CDATA[</i>]]>"])
VALUES = st.sampled_from(["", "1", "/>", "&quot;", "</i>".replace("<", "&lt;"), "ü 𝛑"])


def found(data: bytes) -> tuple[list[Child], str]:
    """What is found, and what is wrong then."""
    known: list[Child] = []
    try:
        for each in children(io.BytesIO(data)):
            known.append(each)  # noqa: PERF402  # what comes before an error counts
    except AnnotationError as error:
        return known, str(error)
    return known, ""


@st.composite
def elements(draw: st.DrawFn, depth: int = 2) -> str:
    name, space = draw(NAMES), draw(st.sampled_from(["", " ", "\n"]))
    quote = draw(st.sampled_from("\"'"))
    attributes = "".join(f" {key}={quote}{draw(VALUES)}{quote}" for key in draw(st.sets(NAMES)))
    inner = draw(TEXTS)
    if depth and draw(st.booleans()):
        inner += draw(elements(depth - 1)) + draw(TEXTS)
    if not inner and draw(st.booleans()):
        return f"<{name}{attributes}{space}/>"
    return f"<{name}{attributes}{space}>{inner}</{name}{space}>"


@given(
    st.lists(st.tuples(TEXTS, elements())),
    st.sampled_from(["", "\ufeff", '<?xml version="1.0" encoding="UTF-8"?>\n', "<!-- <a> -->"]),
    st.sampled_from([1, 7, 1 << 16]),
)
def test_children_stand_where_they_are_said_to(
    parts: list[tuple[str, str]], before: str, window: int
) -> None:
    data = f"{before}<a>{''.join(map(''.join, parts))}</a>".encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_elements, "WINDOW", window)
        known, fault = found(data)
    assert fault == ""
    assert [data[each.start : each.end].decode() for each in known] == [part for _, part in parts]
    for each in known:
        element = element_of(data[each.start : each.end])
        assert (each.root, each.tag, each.attributes) == ("a", element.tag, element.attrib)


def test_what_comes_before_a_broken_end_is_found() -> None:
    data = '<a><meta>ä</meta><i x="1"/>\n<i><j/></i></a>'.encode()
    whole, fault = found(data)
    assert fault == ""
    for end in range(len(data)):
        known, fault = found(data[:end])
        assert known == [each for each in whole if each.end <= end]
        assert fault.startswith("is no XML that can be read: ")
        assert fault.endswith("; export it anew")


@pytest.mark.parametrize("data", [BOMB, EXTERNAL, b"<!DOCTYPE a><a/>"])
def test_document_types_are_refused(data: bytes) -> None:
    known, fault = found(data)
    assert known == []
    assert fault == (
        "is XML with a document type or entities of its own, which annotations need not have and "
        "which are not read; remove them"
    )
    with pytest.raises(AnnotationError, match="document type or entities"):
        element_of(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("<a/>".encode("utf-16"), "is XML in UTF-16; save it as UTF-8"),
        ("<a/>".encode("utf-16-le"), "is XML in UTF-16; save it as UTF-8"),
        (b'<?xml version="1.0" encoding="latin-1"?><a/>', "is XML in latin-1; save it as UTF-8"),
        (b'<?xml version="1.0" encoding="no"?><a/>', "is XML in no; save it as UTF-8"),
        (b"<a><i>\xff</i></a>", "is no XML that can be read: not well-formed"),
        (b"<a>&b;</a>", "is no XML that can be read: undefined entity"),
        (b'<a b="1" b="2"/>', "is no XML that can be read: duplicate attribute"),
        (b"", "is no XML that can be read: no element found"),
        (b'{"a": 1}', "is no XML that can be read: not well-formed"),
        (b"<a>" * 100_000, "is no annotation: more than 64 elements of its XML"),
    ],
)
def test_what_is_no_xml_of_annotations(data: bytes, message: str) -> None:
    known, fault = found(data)
    assert known == []
    assert fault.startswith(message)


@pytest.mark.parametrize(
    "element", [b'<i x="' + b"1" * 3000 + b'"/>', b"<i>" + b"<j/>" * 1000 + b"</i>"]
)
def test_an_element_that_is_too_large(element: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_elements, "LARGEST", 2000)
    monkeypatch.setattr(xml_elements, "WINDOW", 500)
    known, fault = found(b"<a><i/>" + element + b"</a>")
    assert [each.tag for each in known] == ["i"]
    assert fault == "has an element of more than 2,000 bytes at byte 7; divide it"
