"""Grading, from a submission to the files that others read."""
