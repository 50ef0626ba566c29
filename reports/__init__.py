"""What leaves: lists, visit sheets, overviews, the manifest, and the way answers come back."""
