"""Benchmarks run; what they measure depends on the machine and is not judged here."""
