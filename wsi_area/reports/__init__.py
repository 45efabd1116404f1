"""reports: EDGE out: what people look at and sign: one HTML file for a run, the same as PDF; opens no slide."""
