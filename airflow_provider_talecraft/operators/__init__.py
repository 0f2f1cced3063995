"""Tasks that draw."""
