"""The checkpoint of the environment, in repositories that lack what it asks for."""
