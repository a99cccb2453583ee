"""Any arrays and palettes: the public functions give what the reference gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.arrays import index_to_rgb, rgb_to_index
from gpuseg.errors import UnknownColourError
from gpuseg.kernels import reference
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette
from tests.strategies import jobs, masks


@settings(max_examples=30, deadline=None)
@given(data=st.data(), job=jobs())
def test_agrees_with_the_reference(data: st.DataObject, job: tuple[Palette, IndexOptions]) -> None:
    palette, options = job
    fields: Any = {name: getattr(options, name) for name in ("unknown", "tolerance", "depth")}
    for image in data.draw(masks(palette)):
        try:
            labels, _ = reference.rgb_to_index(image, palette, options)
        except UnknownColourError:
            with pytest.raises(UnknownColourError):
                rgb_to_index(image, palette, **fields)
            continue
        np.testing.assert_array_equal(rgb_to_index(image, palette, **fields), labels)
        ignore = palette.ignore_for(options.depth)
        painted = index_to_rgb(labels, palette)
        np.testing.assert_array_equal(painted, reference.index_to_rgb(labels, palette, ignore))
