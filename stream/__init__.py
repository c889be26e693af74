"""From the stage camera to the viewers: encoder, hub, legs, and the truth about each."""
