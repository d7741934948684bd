"""What hostile and unlucky submissions come to."""
