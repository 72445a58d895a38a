"""What a user runs: pictures and video through a trained student."""
