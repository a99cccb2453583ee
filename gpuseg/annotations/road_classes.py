"""What the toolkits of Cityscapes and BDD100K make of their classes, by name.

Cityscapes: cityscapesScripts, `helpers/labels.py`. BDD100K: bdd100k/bdd100k at 9ac17c6,
`bdd100k/label/label.py`.
"""

from __future__ import annotations

CITYSCAPES_VOID = frozenset(
    {
        "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic",
        "ground", "parking", "rail track", "guard rail", "bridge", "tunnel", "polegroup",
        "caravan", "trailer",
    }
)  # fmt: skip
"""Classes whose trainId is 255."""

CITYSCAPES_THINGS = frozenset(
    {
        "person", "rider", "car", "truck", "bus", "caravan", "trailer", "train", "motorcycle",
        "bicycle",
    }
)  # fmt: skip
"""Classes with instances (`hasInstances`)."""

CITYSCAPES_STUFF = (CITYSCAPES_VOID - CITYSCAPES_THINGS) | {
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
    "vegetation", "terrain", "sky",
}  # fmt: skip
"""Classes without."""

CITYSCAPES_NAMES = CITYSCAPES_THINGS | CITYSCAPES_STUFF | {"license plate"}

BDD100K_VOID = frozenset(
    {
        "unlabeled", "dynamic", "ego vehicle", "ground", "static", "parking", "rail track",
        "bridge", "garage", "guard rail", "tunnel", "banner", "billboard", "lane divider",
        "parking sign", "polegroup", "street light", "traffic cone", "traffic device",
        "traffic sign frame", "caravan", "trailer",
    }
)  # fmt: skip
"""Classes whose trainId is 255."""

BDD100K_STUFF = (BDD100K_VOID - {"caravan", "trailer"}) | {
    "road", "sidewalk", "building", "fence", "wall", "pole", "traffic light", "traffic sign",
    "terrain", "vegetation", "sky",
}  # fmt: skip
"""Classes without instances (`hasInstances`)."""

BDD100K_THINGS = frozenset(
    {
        "person", "pedestrian", "other person", "rider", "bicycle", "bus", "car", "caravan",
        "motorcycle", "trailer", "train", "truck", "other vehicle", "bike", "motor", "van",
    }
)  # fmt: skip
"""Classes with instances, and names of them in `bdd100k/configs/ins_seg.toml`."""

BDD100K_AREAS = (
    BDD100K_STUFF
    | BDD100K_THINGS
    | {"direct", "alternative", "drivable area", "area/drivable", "area/alternative"}
)
"""Labels whose outlines are filled, also where `closed` is false, as in its panoptic labels."""

BDD100K_SIZE = 1280, 720
"""Width and height of all its images, in pixels (`bdd100k/configs/sem_seg.toml`)."""
