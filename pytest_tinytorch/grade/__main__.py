"""`python -I -m pytest_tinytorch.grade` is `tinytorch-grade`."""

from .cli import main

raise SystemExit(main())
