"""results: what makes areas uncertain, read and written: repeats, and what reference points say."""
