"""annotations: EDGE in: files with what somebody drew on a slide, read into `model.drawn`; opens no slide."""
