"""corrections: files in which a person corrects a measured slide, read into `model.corrections`."""
