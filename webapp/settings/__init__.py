"""Settings: ``base`` is what all share; ``development`` (the default), ``production`` and ``testing`` add to it."""
