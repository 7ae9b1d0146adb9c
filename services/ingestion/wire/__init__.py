"""What both entrances share: JSON text, and the caller as the domain knows it."""
