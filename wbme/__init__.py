"""wbme: a research workbench that turns pictures and video of people into webtoon style."""

__version__ = "0.1.0"
