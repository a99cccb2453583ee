"""The transform on a CUDA device: apart from the other tests, for it needs torch and no more."""

from __future__ import annotations

import numpy as np
import pytest

from tests.making import PALETTE, indices, mask

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch", reason="torch is not installed")

from gpuseg.torch import MaskToIndex  # noqa: E402


@pytest.mark.gpu
def test_tensors_of_a_real_device() -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device")
    last = torch.from_numpy(mask(70, 90)).cuda()
    for given_mask in (last, last.permute(2, 0, 1), last.permute(2, 0, 1).contiguous()):
        found = MaskToIndex(PALETTE)(given_mask)
        assert (found.device, found.dtype) == (last.device, torch.int64)
        np.testing.assert_array_equal(found.cpu().numpy(), indices(70, 90))
