"""Readers: the text or bytes of one palette file -> Draft. `gpuseg.palettes.load` picks one."""
