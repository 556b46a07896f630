"""The body of a job: one stage in a process of its own, told what to do by a file and telling all by JSON lines.

``python -m faceengine.body FUNCTION CONFIG_CLASS CONFIG.json RUN_DIR [--parent PID]``
"""
