"""The quality report: one static site a run, kept, in plain words and pictures, English and Chinese."""
