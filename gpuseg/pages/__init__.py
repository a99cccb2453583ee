"""A run as a page to look at: what its report says, and pictures of what it made."""
