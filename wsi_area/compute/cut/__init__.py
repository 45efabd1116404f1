"""cut: a slide divided into tiles, and which of them are read."""
