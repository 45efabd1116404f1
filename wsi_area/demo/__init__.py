"""demo: a slide of known area, built from real stained pixels and measured. Nothing is imported here."""
