"""Archives as they come: members in, members out, nothing is unpacked to disk."""
