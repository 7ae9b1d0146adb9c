"""What a custom contact source takes and shows (custom-contact-source.txt)."""
