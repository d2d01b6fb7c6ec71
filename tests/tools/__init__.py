"""Tests of this repository's tools."""
