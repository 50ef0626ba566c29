"""How it runs: definitions, jobs, schedules, sensors and the command line."""
