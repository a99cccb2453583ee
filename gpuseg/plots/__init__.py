"""Plots for pages and files: the only home of matplotlib."""

from gpuseg.plots.bars import class_bars as class_bars
from gpuseg.plots.bars import class_plot as class_plot
from gpuseg.plots.figure import MOST as MOST
from gpuseg.plots.figure import Plot as Plot
from gpuseg.plots.figure import require as require
from gpuseg.plots.maps import heat_map as heat_map
from gpuseg.plots.maps import share_map as share_map
