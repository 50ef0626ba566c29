"""What leaves: lists, visit sheets, overviews, the manifest, and the way answers come back."""

from reports.manifest import OutputFile
from reports.night import NightFrames, read_night
from reports.writing import write_all

__all__ = ["NightFrames", "OutputFile", "read_night", "write_all"]
