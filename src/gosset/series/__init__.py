"""Series: the points of a metric as typed columns, exact, compact and quick to read."""

from .chunks import CHUNK, Chunk, Number, Points, pack, unpack
from .summaries import Summary, merged, summarise

__all__ = ["CHUNK", "Chunk", "Number", "Points", "Summary", "merged", "pack", "summarise", "unpack"]
