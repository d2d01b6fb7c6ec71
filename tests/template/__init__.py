"""The template: what a course repository starts as, and how fixes reach it."""
