"""The workshop: people head the departments, on the same engine, market and luck."""
