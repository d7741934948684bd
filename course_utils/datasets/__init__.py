"""Data sets, one file a family, each with a data card. They know nothing of training or plotting."""
