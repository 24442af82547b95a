"""A small shop: orders, payments, mails. Its tests, beside it, show how such a shop is tested."""
