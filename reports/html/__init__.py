"""One HTML file about profiles and runs, which works without a network: what it says, its drawings, its page."""
