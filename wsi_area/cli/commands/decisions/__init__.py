"""cli: the commands by which a person decides on what was measured."""
