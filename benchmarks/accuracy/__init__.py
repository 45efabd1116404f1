"""benchmarks: how right the finished tools are on real ground truth; docs/accuracy.md says what was found."""
