"""The published APIs: raw bodies in and out."""
