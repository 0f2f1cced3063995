"""What a request has cost so far: the record, and where it is kept."""
