"""What the connect contacts API takes and shows of a contact (connect-contacts.txt)."""
