"""How gunicorn serves the web (gunicorn.conf.py): threads get whole requests."""
