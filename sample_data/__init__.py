"""A county that does not exist: invented people, their lives, and the extracts twelve departments make of them."""

from sample_data.building import build

__all__ = ["build"]
