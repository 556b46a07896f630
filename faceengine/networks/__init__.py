"""The networks: architectures by name (``registry.py``), and what all of them give (``model.py``)."""
