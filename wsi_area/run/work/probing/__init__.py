"""run: what is counted in a few tiles besides: their tissue at other thresholds, their classes in other pixels."""
