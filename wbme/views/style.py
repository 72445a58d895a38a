"""What all figures share: the palette, inks, type, plain axes, short names."""

import functools

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from PIL import ImageFont

# Okabe and Ito's colours: they stay apart for colour-blind readers; the markers do so in print.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, "#6B6B6B", "#000000")
_MARKERS = "osD^vPX*"
_DASHES = ("-", "--", ":", "-.")
INK, FAINT = "#333333", "#8A8A8A"
FONT = 9  # points


def colour(index: int) -> str:
    """The colour of the group of this index."""
    return COLOURS[index % len(COLOURS)]


def marker(index: int) -> str:
    """The marker of the group of this index: with its colour, unlike those of 64 groups."""
    return _MARKERS[(index + index // len(COLOURS)) % len(_MARKERS)]


def dash(index: int) -> str:
    """The line style of the group of this index: with its colour, unlike those of 32 groups."""
    return _DASHES[index // len(COLOURS) % len(_DASHES)]


def plain(axes: Axes) -> Axes:
    """Axes as all figures have them: two spines, small type, short ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=FONT, length=3)
    return axes


def shortened(text: str, most: int) -> str:
    """At most ``most`` characters of a name, an ellipsis for what its middle loses: names that belong
    together differ at their ends."""
    if len(text) <= most:
        return text
    return f"{text[: (most - 1) // 2]}…{text[len(text) - most // 2 :]}"


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The type of the figures for pictures, ``size`` in pixels."""
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def spanned(axes: Axes, place: int, mean: float, low: float, high: float) -> None:
    """A mean and, where it is known, its interval on row ``place`` of ``axes``, in that row's colour."""
    if np.isfinite(low):
        axes.plot([low, high], [place, place], color=colour(place), lw=2, solid_capstyle="butt")
    axes.plot(mean, place, marker(place), color=colour(place), ms=6)
