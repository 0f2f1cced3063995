"""Tasks that carry pictures to where they belong."""
