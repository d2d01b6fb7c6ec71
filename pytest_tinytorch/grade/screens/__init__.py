"""What the screen of a package looks for, one file for each kind of finding; `package.py` is what they look at."""
