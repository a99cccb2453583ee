"""What gpuseg is for, from colour masks to a trained network and its score."""
