"""A small shop: products, orders, a warehouse of somebody else's, and receipts."""
