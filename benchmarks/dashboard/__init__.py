"""The page of an installation with years behind it, looked at by a real browser and by many sessions at once."""
