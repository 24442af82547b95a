"""What a page is made of: words, numbers, charts, templates."""
