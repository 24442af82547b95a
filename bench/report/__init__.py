"""What is made of the raw figures: the table and the picture."""
