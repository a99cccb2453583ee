"""What a format of annotations is: recognised by its outline, and read to a Picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from gpuseg.annotations.choices import Crowd, ReadingChoices
from gpuseg.annotations.documents import stem_target
from gpuseg.discover import Source
from gpuseg.shapes import Order, Picture


@dataclass(frozen=True, slots=True)
class Outline:
    """What the beginning of a file shows of it, or the names of a folder.

    kind: of what. keys: of the outermost JSON object, each with the keys of its value: of the
    object that it is, or of the first object of the list that it is; a list has the key "". Of
    XML, the name of the root element and those of its children. Of a folder, the names in it.
    """

    kind: Literal["json", "xml", "folder"]
    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def has(self, *names: str) -> bool:
        """Whether all these keys are there."""
        return all(name in self.keys for name in names)

    def of(self, name: str) -> frozenset[str]:
        """The keys below one."""
        return self.keys.get(name, frozenset())


@dataclass(frozen=True, slots=True)
class Record:
    """The annotations of one of the images of a file.

    name: the path of the image, as the file has it. content: all that `Format.read` needs, for
    the file is not opened again. path: of the mask that belongs to it, where there is one.
    error: why it cannot be used, if so.
    """

    name: str
    content: bytes = b""
    path: str | None = None
    error: Exception | None = None


class Album(Protocol):
    """The images of one annotation file, in a fixed order. Memory: an index, and one image."""

    def names(self) -> Iterator[str]:
        """The name of each image; quick."""

    def __iter__(self) -> Iterator[Record]:
        """Each image, one by one."""


CHOICES = ("size", "images", "line_width", "crowd", "label_key", "masks", "order")
"""What is chosen for formats that leave it open."""

SHAPES = frozenset({"size", "images", "order"})
"""CHOICES for most formats whose shapes are drawn."""

LINES = SHAPES | {"line_width"}
"""CHOICES for most formats with lines and points, too."""


class Format(ABC):
    """A format of annotations. Has no state: it is sent to worker processes.

    name: what --format calls it. title: what messages call it. order: how shapes are drawn over
    each other unless told. crowd: what becomes of crowds unless told. ignored, background: labels
    that mean no class and no thing, besides those of the palette. bare_is_void: whether pixels
    without a shape are of no class, and not background, unless a user says so. undrawn: labels
    that leave pixels to what lies under them, unless the palette gives them an index besides the
    ignore index. pattern: of the names of its files; None takes images. holds_many: whether a
    file has many images. leaves_open: which of CHOICES mean something to it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    order: ClassVar[Order] = "file"
    crowd: ClassVar[Crowd] = "ignore"
    ignored: ClassVar[frozenset[str]] = frozenset()
    background: ClassVar[frozenset[str]] = frozenset()
    bare_is_void: ClassVar[bool] = False
    undrawn: ClassVar[frozenset[str]] = frozenset()
    pattern: ClassVar[str | None] = "*.json"
    holds_many: ClassVar[bool] = False
    leaves_open: ClassVar[frozenset[str]] = SHAPES

    @abstractmethod
    def recognises(self, outline: Outline) -> bool:
        """Whether a file or folder with this outline is of the format."""

    @abstractmethod
    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The annotations of one image. Raises MaskError; called from several threads.

        source: a file with one image, or a Record of an album: `content` and `path` are its.
        """

    def album(self, path: str, choices: ReadingChoices) -> Album:
        """The images of one file, for formats that `holds_many`. Raises AnnotationError."""
        raise NotImplementedError(f"{self.title} has one image a file")

    def takes(self, relative: str) -> bool:
        """Whether a file below SRC that `pattern` takes holds annotations."""
        return True

    def target(self, relative: str) -> str:
        """The path of a label map below DST, by that of its annotation file below SRC."""
        return stem_target(relative)

    def beside(self, source: Source, choices: ReadingChoices) -> tuple[str, ...]:
        """The paths of files besides `source` that its label map is made from."""
        return ()

    def names(self, label: str) -> tuple[str, ...]:
        """What a palette may call the class of a label; the first that it does holds."""
        return (label,)

    def aliases(self, name: str) -> tuple[str, ...]:
        """What else `names` may give for a class of a palette, unless another is called so."""
        return ()
