"""version: the number of this release; the build reads it here, and so does whatever writes it down."""

__version__ = "0.1.0"
