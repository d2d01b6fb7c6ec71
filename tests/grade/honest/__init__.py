"""Unusual programs that are right, and what they are graded."""
