"""A grade in the formats that gradebooks, workflows and people read."""
