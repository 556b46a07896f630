"""The face-swap engine: plain Python and PyTorch, from clips of two people to a scored video.

Data goes one way: ``extraction`` → ``training`` → ``conversion`` → ``evaluation``.
Each of these four offers ``run(config, run_dir, *, on_event, should_stop) -> Result``.
"""

__version__ = "0.1.0"
