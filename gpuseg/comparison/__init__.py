"""Label maps held against the colour masks that they were made of, or against a palette."""
