"""What a task's page links to."""
