"""exclusions: what lies on a slide and is no tissue to be measured, laid over any segmenter as classes."""
