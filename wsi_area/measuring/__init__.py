"""measuring: slides measured in one call from Python, and what is shown meanwhile."""
