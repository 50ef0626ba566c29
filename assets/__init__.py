"""The rooms as Dagster assets: thin, they call the rooms and add metadata."""
