"""Every example and every number in docstrings, hints and lessons is executed."""
