"""gunicorn reads this by itself where it is started in this folder, so nobody serves otherwise than it is meant."""

from loyalty.serving import *  # noqa: F403 - the names are gunicorn's settings
