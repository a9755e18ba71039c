"""The gates: rules run by Great Expectations inside DuckDB, judged so that a pass means something."""
