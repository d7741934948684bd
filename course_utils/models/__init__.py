"""Reference networks, one file a family. They know nothing of training, plotting or checking."""
