"""The exceptions gpuseg raises on purpose.

    GpusegError
    ├── UsageError               wrong arguments: nothing was started          (ValueError)
    ├── PaletteError             a palette that cannot be used                 (ValueError)
    │   ├── PaletteFormatError   a palette file that cannot be read
    │   ├── DuplicateColourError two classes of one colour
    │   └── PaletteSizeError     indices that do not fit the depth
    ├── MaskError                one mask that cannot be converted             (ValueError)
    │   ├── UnknownColourError   pixels whose colour is not in the palette
    │   ├── UnreadableMaskError  no permission, a folder, a link that goes round
    │   ├── CollisionError       several masks would get one target
    │   ├── UnsupportedMaskError alpha, 16-bit, CMYK, greyscale indices …
    │   │   └── ColouredMaskError colours where indices were expected
    │   ├── BrokenMaskError      truncated, damaged or not an image
    │   ├── MaskSizeError        larger than the limit on pixels
    │   ├── AnnotationError      annotations that cannot be read or drawn
    │   │   └── UnknownLabelError labels that the palette does not hold
    │   ├── MemberError          a member of an archive: a link, a name that leads out …
    │   └── ArchiveError         an archive that is cut off, damaged or none at all
    ├── LabelError               a label map that cannot be saved or coloured  (ValueError)
    ├── OutputError              a target that must not or cannot be written   (OSError)
    ├── BackendError             the device that was asked for cannot be used  (RuntimeError)
    │   └── DeviceError          a device that failed in the middle of a run
    ├── WorkerError              a worker process died, or could not start     (RuntimeError)
    └── SchedulerError           no cluster, or one that is lost               (RuntimeError)

    Interrupted                  Ctrl-C, once the files in hand are finished   (KeyboardInterrupt)

Every message says what was expected, what came, and what to do. `kind` is the
stable word that stands in reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from gpuseg.results import Report, UnknownColour


NO_MEMORY = (
    "needs more memory than there is; use fewer --workers, or restore it if it should be small: "
    "damaged files may claim any size"
)
"""What a mask fails with when memory runs out."""


class GpusegError(Exception):
    """Base of every exception gpuseg raises on purpose."""

    kind: ClassVar[str] = "error"


class UsageError(GpusegError, ValueError):
    """Arguments that cannot be used together or do not exist; nothing was started."""

    kind = "usage"


class PaletteError(GpusegError, ValueError):
    """A palette that cannot be used."""

    kind = "palette"


class PaletteFormatError(PaletteError):
    """A palette file whose format or content cannot be read."""


class DuplicateColourError(PaletteError):
    """Two or more classes share one colour, so a pixel cannot tell them apart."""


class PaletteSizeError(PaletteError):
    """A class index or the ignore index does not fit the depth of the label map."""


class MaskError(GpusegError, ValueError):
    """A mask that cannot be converted."""

    kind = "mask"


class UnknownColourError(MaskError):
    """Pixels of a mask have colours that the palette does not hold.

    `colours` lists the most frequent of them, `pixels` counts all such pixels.
    """

    kind = "unknown-colours"

    def __init__(
        self, message: str, colours: tuple[UnknownColour, ...] = (), pixels: int = 0
    ) -> None:
        super().__init__(message)
        self.colours = colours
        self.pixels = pixels


class AnnotationError(MaskError):
    """Annotations that are damaged, or hold a shape that cannot be drawn."""

    kind = "annotation"


class UnknownLabelError(AnnotationError):
    """Annotations have labels that no class of the palette is called by."""

    kind = "unknown-labels"


class UnreadableMaskError(MaskError):
    """A file or folder that the operating system does not open: permission, a looping link …"""

    kind = "unreadable"


class CollisionError(MaskError):
    """Several masks would be written to one target, so none of them is."""

    kind = "collision"


class UnsupportedMaskError(MaskError):
    """An image that is whole but is no colour mask: alpha, 16-bit, CMYK, several frames …"""

    kind = "unsupported"


class ColouredMaskError(UnsupportedMaskError):
    """An image whose pixels are RGB colours, where a label map was expected."""


class BrokenMaskError(MaskError):
    """A file that is truncated, damaged, empty or no image at all."""

    kind = "broken"


class MaskSizeError(MaskError):
    """An image that claims more pixels than the limit allows."""

    kind = "too-large"


class MemberError(MaskError):
    """A member of an archive that cannot be used: a link, a device, a name that leads out …"""

    kind = "member"


class ArchiveError(MaskError):
    """An archive that is cut off, damaged or none at all; its members before that are whole."""

    kind = "archive"


class LabelError(GpusegError, ValueError):
    """A label map that cannot be saved or coloured: wrong dtype, shape or index."""

    kind = "label"


class OutputError(GpusegError, OSError):
    """A target file that must not be replaced or cannot be written."""

    kind = "output"


class BackendError(GpusegError, RuntimeError):
    """The device that was asked for cannot be used; the message says why and what to do."""

    kind = "backend"


class DeviceError(BackendError):
    """A device that failed in the middle of a run; label maps that were finished are kept.

    `report` tells how far the run came.
    """

    kind = "device"
    report: Report | None = None


class WorkerError(GpusegError, RuntimeError):
    """A worker process that died over a file, or could not be started."""

    kind = "worker"


class SchedulerError(GpusegError, RuntimeError):
    """A cluster that cannot be reached or used, or that was lost in the middle of a run.

    Files that were finished are kept. `report` tells how far the run came, if it had begun.
    """

    kind = "scheduler"
    report: Report | None = None


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, after the files in hand were finished; `report` tells how far the run came."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report
