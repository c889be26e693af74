"""What pages show and do, for programs: JSON in and out, let in by a token. docs/api.md is its page."""
