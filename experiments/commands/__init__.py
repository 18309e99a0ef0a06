"""The commands of `secure-api experiments`, a file each; what they need is imported when they run."""
