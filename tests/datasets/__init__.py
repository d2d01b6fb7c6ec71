"""Tests of the data sets: what ships, what is downloaded, and what can go wrong on the way."""
