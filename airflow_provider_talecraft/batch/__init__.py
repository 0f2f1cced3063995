"""Many illustrations in one task."""
