"""What a contact is, when two are the same, and what a delivery does to the book: decisions without I/O."""
