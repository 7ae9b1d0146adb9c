"""Other services, as the contact book asks them."""
