"""Tests of the handles: the codec, both sides, and what hostile code can do."""
