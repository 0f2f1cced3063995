"""A picture on its way: from its URL, checked, to its place."""
