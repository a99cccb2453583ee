"""gpuseg: RGB colour masks to exact palette-PNG label maps, whole dumps at a time.

Importing this package loads neither numba nor cupy nor click; each public name loads what
it needs when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "CocoFile": "verbs.polygonize",
    "ConfusionMatrix": "confusion",
    "ConvertOptions": "options",
    "FileResult": "results",
    "Inspection": "verbs.inspect",
    "Palette": "palette",
    "PaletteClass": "palette",
    "PredictionWriter": "predictions",
    "Report": "results",
    "Shard": "options",
    "Stats": "frequencies.statistics",
    "UnknownColour": "results",
    "check": "verbs.check",
    "colorize": "verbs.colorize",
    "convert_directory": "convert",
    "convert_files": "convert",
    "evaluate": "verbs.evaluate",
    "Evaluation": "evaluation.result",
    "index_to_rgb": "arrays",
    "info": "installation",
    "inspect": "verbs.inspect",
    "load_label": "labels",
    "polygonize": "verbs.polygonize",
    "rasterize": "verbs.rasterize",
    "recolor": "verbs.recolor",
    "remap": "verbs.remap",
    "load_palette": "palettes.load",
    "merge_reports": "verbs.merge_reports",
    "repair": "verbs.repair",
    "report": "verbs.report",
    "rgb_to_index": "arrays",
    "Scan": "verbs.scan",
    "scan": "verbs.scan",
    "save_evaluation": "verbs.evaluation_outputs",
    "save_label": "labels",
    "save_palette": "palettes.writers",
    "save_predictions": "predictions",
    "stats": "verbs.stats",
    "verify": "verbs.verify",
    "voc_colormap": "palette",
}
"""Public name -> the module below gpuseg that defines it.

No module bears a public name: once imported, it would stand in the place of the function.
"""

__all__ = ["__version__", *sorted(_HOMES)]

if TYPE_CHECKING:
    from gpuseg.arrays import index_to_rgb as index_to_rgb
    from gpuseg.arrays import rgb_to_index as rgb_to_index
    from gpuseg.confusion import ConfusionMatrix as ConfusionMatrix
    from gpuseg.convert import convert_directory as convert_directory
    from gpuseg.convert import convert_files as convert_files
    from gpuseg.evaluation.result import Evaluation as Evaluation
    from gpuseg.frequencies.statistics import Stats as Stats
    from gpuseg.installation import info as info
    from gpuseg.labels import load_label as load_label
    from gpuseg.labels import save_label as save_label
    from gpuseg.options import ConvertOptions as ConvertOptions
    from gpuseg.options import Shard as Shard
    from gpuseg.palette import Palette as Palette
    from gpuseg.palette import PaletteClass as PaletteClass
    from gpuseg.palette import voc_colormap as voc_colormap
    from gpuseg.palettes.load import load_palette as load_palette
    from gpuseg.palettes.writers import save_palette as save_palette
    from gpuseg.predictions import PredictionWriter as PredictionWriter
    from gpuseg.predictions import save_predictions as save_predictions
    from gpuseg.results import FileResult as FileResult
    from gpuseg.results import Report as Report
    from gpuseg.results import UnknownColour as UnknownColour
    from gpuseg.verbs.check import check as check
    from gpuseg.verbs.colorize import colorize as colorize
    from gpuseg.verbs.evaluate import evaluate as evaluate
    from gpuseg.verbs.evaluation_outputs import save_evaluation as save_evaluation
    from gpuseg.verbs.inspect import Inspection as Inspection
    from gpuseg.verbs.inspect import inspect as inspect
    from gpuseg.verbs.merge_reports import merge_reports as merge_reports
    from gpuseg.verbs.polygonize import CocoFile as CocoFile
    from gpuseg.verbs.polygonize import polygonize as polygonize
    from gpuseg.verbs.rasterize import rasterize as rasterize
    from gpuseg.verbs.recolor import recolor as recolor
    from gpuseg.verbs.remap import remap as remap
    from gpuseg.verbs.repair import repair as repair
    from gpuseg.verbs.report import report as report
    from gpuseg.verbs.scan import Scan as Scan
    from gpuseg.verbs.scan import scan as scan
    from gpuseg.verbs.stats import stats as stats
    from gpuseg.verbs.verify import verify as verify


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gpuseg' has no attribute {name!r}")
    value = getattr(import_module(f"gpuseg.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
