"""History on the reference solution and on packages that are wrong, missing something, or lie."""
