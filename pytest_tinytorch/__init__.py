"""Learn machine-learning systems by building one: verify modules, replay milestones, report capabilities."""

__version__ = "0.1.0"
