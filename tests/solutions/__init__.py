"""The solutions beside an authority: PyTorch where it is installed, identities elsewhere."""
