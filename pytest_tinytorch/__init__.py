"""Learn machine-learning systems by building one: verify modules, replay milestones, report capabilities."""
