"""``@task.illustration``."""
