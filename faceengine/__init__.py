"""The face-swap engine: plain Python and PyTorch, from clips of two people to a scored video.

Data goes one way: ``extraction`` → ``training`` → ``conversion`` → ``evaluation``.
Each of these four offers ``run(config, run_dir, *, on_event, should_stop) -> Result``.
"""

import os

# Before torch loads its OpenMP: threads that wait should sleep. Spinning, the default, is several times slower beside
# any other work (docs/performance.md).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.2.0"
