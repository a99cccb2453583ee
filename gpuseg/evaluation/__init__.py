"""How good predictions are: label maps held against the truth, pair by pair, and scored."""
