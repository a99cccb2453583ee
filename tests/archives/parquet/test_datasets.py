"""The judge of what is written: Hugging Face's own library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpuseg.codecs.label_png import write_label
from tests.archives.parquet.tables import (
    make,
    replace,
)
from tests.making import PALETTE, indices


def test_datasets_loads_what_is_written(tmp_path: Path) -> None:
    """The judge: Hugging Face's own library."""
    datasets = pytest.importorskip("datasets", reason="judges by the package `datasets`")
    features = datasets.Features(
        photo=datasets.Image(), mask=datasets.Image(mode="RGB"), name=datasets.Value("string")
    )
    colours = [Image.fromarray(np.full((4, 6, 3), n, np.uint8)) for n in range(3)]
    rows = {"photo": colours, "mask": colours, "name": list("abc")}
    source = tmp_path / "source.parquet"
    datasets.Dataset.from_dict(rows, features).to_parquet(source)
    made = [indices(4, 6, seed) for seed in range(3)]
    labels = {n: write_label(x, PALETTE.plte()) for n, x in enumerate(made) if n != 1}
    replace(source.read_bytes(), tmp_path / "out.parquet", labels, column="mask", keep=True)
    make(tmp_path / "new.parquet", {f"{n}.png": data for n, data in labels.items()})
    cache = str(tmp_path / "cache")
    found = datasets.Dataset.from_parquet(str(tmp_path / "out.parquet"), cache_dir=cache)
    assert found.features == features | {"mask": datasets.Image()}
    assert found["name"][:] == list("abc")
    assert [np.asarray(x).tolist() for x in found["photo"]] == [
        np.asarray(x).tolist() for x in colours
    ]
    assert found[1]["mask"] is None
    for n in labels:
        assert found[n]["mask"].mode == "P"
        assert np.array_equal(np.asarray(found[n]["mask"]), made[n])
    new = datasets.Dataset.from_parquet(str(tmp_path / "new.parquet"), cache_dir=cache)
    assert new.features == {"image": datasets.Image()}
    assert [np.asarray(x["image"]).tolist() for x in new] == [made[n].tolist() for n in labels]
