"""Drawings for pages: SVG, the same bytes for the same numbers."""

from __future__ import annotations

import io


def axes_of_a_figure(rows: int = 1, columns: int = 1, size: tuple[float, float] = (7, 4.6)):
    """A figure and its axes; an array of them where there are several."""
    import matplotlib

    matplotlib.use("svg")
    import numpy as np
    from matplotlib import pyplot

    # Text stays text: the browser has the Chinese glyphs, this machine may not.
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "crm-warehouse", "font.family": "sans-serif"})
    figure, axes = pyplot.subplots(rows, columns, figsize=size, layout="constrained")
    for each in np.atleast_1d(axes).flat:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(alpha=0.25)
    return figure, axes


def as_svg(figure) -> str:
    """The figure as an SVG element, and the figure closed."""
    import warnings

    from matplotlib import pyplot

    with io.StringIO() as text, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(text, format="svg", metadata={"Date": None})
        pyplot.close(figure)
        svg = text.getvalue()
    return svg[svg.index("<svg") :]
