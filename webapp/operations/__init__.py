"""What somebody needs who runs the installation: what works, what waits, what fills the disk, and cleaning up."""
