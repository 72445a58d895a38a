"""What is in a picture: faces, landmarks, irises, bodies, hands."""
