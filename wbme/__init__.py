"""wbme: a research workbench that turns pictures and video of people into webtoon style."""

import os

__version__ = "0.1.0"

# Before torch loads OpenMP: threads that wait for one another sleep instead of spinning. On two cores that
# another process shares, a training step took 0.9 s so, and 7.1 s with the library's default.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
