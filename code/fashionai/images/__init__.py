"""Pictures: files to pixels, and the pictures that a user names."""
