"""What touches the machine: cameras, the panel at the door, the board itself, its clock and its threads."""
