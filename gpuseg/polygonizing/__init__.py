"""From label maps to annotations: regions as polygons or runs, in COCO's format."""
