"""pytest's hooks, in the order in which pytest calls them."""
