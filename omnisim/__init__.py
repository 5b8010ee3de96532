"""omnisim: an agent-based simulator of omnichannel marketing."""

__version__ = "0.1.0"
