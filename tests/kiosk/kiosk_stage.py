"""A configuration for commands that are run in a folder of their own."""

# camera's pictures may come from anywhere: most commands never look
CONFIG = """
state_dir = "{folder}/state"
run_dir = "{folder}/run"
[bus]
socket = "{folder}/bus.sock"
[door]
event = "evening"
camera = {{ kind = "pictures", folder = "{folder}/tickets" }}
[door.panel]
pins = "mock"
"""
