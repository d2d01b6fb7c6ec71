"""Tests: of the plugin, of the tools, and of the course by itself."""
