"""Every output, read back by something that is not its writer."""
