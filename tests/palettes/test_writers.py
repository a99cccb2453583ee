"""save_palette: what is saved loads as it was, what cannot be held is refused."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.errors import OutputError, PaletteError, UsageError
from gpuseg.palette import Merged, Palette, PaletteClass
from gpuseg.palettes.load import load_palette, read_draft
from gpuseg.palettes.presets import load_preset, preset_names
from gpuseg.palettes.writers import render_palette, save_palette

CHANNEL = st.integers(0, 255)
RGB = st.tuples(CHANNEL, CHANNEL, CHANNEL)
PLAIN = st.text("abcäß道 0.-_,;'\"()", min_size=1, max_size=12).map(str.strip).filter(bool)


@st.composite
def palettes(draw: st.DrawFn, names: st.SearchStrategy[str], sparse: bool) -> Palette:
    colours = draw(st.lists(RGB, min_size=1, max_size=20, unique=True))
    indices = (
        draw(st.lists(st.integers(0, 65535), min_size=len(colours), max_size=len(colours)))
        if sparse
        else list(range(len(colours)))
    )
    return Palette(
        tuple(PaletteClass(i, draw(names), rgb) for i, rgb in zip(indices, colours, strict=True)),
        name=draw(names),
        ignore_index=draw(st.none() | st.integers(0, 65535)),
        source=draw(st.text(max_size=8)),
        merged=draw(
            st.lists(
                st.builds(Merged, st.text(max_size=4), st.integers(-1, 9), names, RGB), max_size=2
            )
        ),  # type: ignore[arg-type]
        verified=draw(st.booleans()),
        notes=draw(st.text(max_size=8)),
    )


@settings(max_examples=80, deadline=None)
@given(palettes(st.text(min_size=1, max_size=8), sparse=True))
def test_json_holds_everything(palette: Palette) -> None:
    found = read_draft(render_palette(palette, ".json"), "x")
    assert found.classes == palette.classes
    assert found.merged == tuple(palette.merged)
    assert (found.name, found.ignore_index) == (palette.name, palette.ignore_index)
    assert (found.source, found.notes, found.verified) == (
        palette.source,
        palette.notes,
        palette.verified,
    )


@settings(max_examples=80, deadline=None)
@given(palettes(PLAIN, sparse=True))
def test_csv_holds_names_and_sparse_indices(palette: Palette) -> None:
    assert read_draft(render_palette(palette, ".csv"), "x").classes == palette.classes


@settings(max_examples=80, deadline=None)
@given(palettes(PLAIN, sparse=False), st.sampled_from([".txt", ".gpl"]))
def test_labelmap_and_gimp_hold_names(palette: Palette, suffix: str) -> None:
    assert read_draft(render_palette(palette, suffix), "x").classes == palette.classes


@settings(max_examples=150, deadline=None)
@given(palettes(st.text(max_size=6), sparse=False), st.sampled_from([".csv", ".txt", ".gpl"]))
def test_any_name_is_held_or_refused(palette: Palette, suffix: str) -> None:
    try:
        data = render_palette(palette, suffix)
    except PaletteError:
        return
    assert read_draft(data, "x").classes == palette.classes


@pytest.mark.parametrize("name", preset_names())
def test_presets_round_trip_through_files(tmp_path: Path, name: str) -> None:
    palette = load_preset(name)
    save_palette(palette, tmp_path / "p.json")
    assert load_palette(tmp_path / "p.json") == palette
    save_palette(palette, tmp_path / "p.csv")
    assert load_palette(tmp_path / "p.csv").classes == palette.classes


@pytest.mark.parametrize("name", preset_names())
def test_preset_files_are_as_we_write_them(name: str) -> None:
    folder = Path(__file__).parents[2] / "gpuseg" / "palettes" / "presets"
    found = (folder / f"{name}.json").read_text("utf-8")  # any line ends
    assert found.encode() == render_palette(load_preset(name), ".json")


def test_labelmap_as_cvat_writes_it() -> None:
    palette = Palette.from_colours([(0, 0, 0), (1, 2, 3)], ["background", "traffic light"])
    assert render_palette(palette, ".txt").decode() == (
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ntraffic light:1,2,3::\n"
    )


@pytest.mark.parametrize("suffix", [".txt", ".gpl"])
def test_sparse_indices_are_refused(suffix: str) -> None:
    with pytest.raises(PaletteError, match=r"got 255 for 'void' at place 21 .*use \.json or \.csv"):
        render_palette(load_preset("voc"), suffix)


@pytest.mark.parametrize(
    ("suffix", "name"),
    [
        (".txt", "a:b"),
        (".txt", "a\nb"),
        (".txt", "#a"),
        (".txt", " a"),
        (".txt", ""),
        (".gpl", "a\nb"),
        (".gpl", "Untitled"),
        (".csv", "a "),
        (".csv", ""),
    ],
)
def test_names_that_do_not_fit_are_refused(suffix: str, name: str) -> None:
    palette = Palette.from_colours([(0, 0, 0), (1, 1, 1), (2, 2, 2)], ["x", name, "y"])
    with pytest.raises(PaletteError, match=r"\(index 1\).*use \.json or another name") as caught:
        render_palette(palette, suffix)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_broken_surrogates_are_refused(suffix: str) -> None:
    palette = Palette.from_colours([(0, 0, 0)], ["\ud800"])
    with pytest.raises(PaletteError, match=r"whole Unicode characters, got '\\ud800'"):
        render_palette(palette, suffix)


@pytest.mark.parametrize("path", ["p", "p.yaml", "p.png"])
def test_unknown_suffix(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError, match=r"must end in \.json, \.csv, \.txt, \.gpl, got"):
        save_palette(load_preset("voc"), tmp_path / path)
    assert not list(tmp_path.iterdir())


def test_save_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "p.JSON"
    path.write_text("old")
    save_palette(load_preset("voc"), str(path))
    assert load_palette(path).classes == load_preset("voc").classes
    assert [p.name for p in tmp_path.iterdir()] == ["p.JSON"]


def test_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "p.json"
    target.mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        save_palette(load_preset("voc"), target)
    with pytest.raises(OutputError, match="cannot be written"):
        save_palette(load_preset("voc"), tmp_path / "none" / "p.json")
    assert [p.name for p in tmp_path.iterdir()] == ["p.json"]
