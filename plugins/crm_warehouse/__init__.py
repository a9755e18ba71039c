"""The customer-relationship warehouse of a retail bank: from source extracts to published marts."""
