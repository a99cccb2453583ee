"""How often classes occur in label maps: counted file by file, summed, and told."""
